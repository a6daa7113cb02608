/* cmd_issue.c -- /issue N: an error as an issue where the team keeps those. */
#include "bot/command.h"

#include "core/mem.h"
#include "issues/issues.h"

static void on_made(void *ctx, enum issue_made made, const char *text)
{
    static const enum text SAID[] = {
        [ISSUE_MADE] = TEXT_ISSUE_MADE,        [ISSUE_WAS_THERE] = TEXT_ISSUE_THERE,
        [ISSUE_BUSY] = TEXT_ISSUE_BUSY,        [ISSUE_FAILED] = TEXT_ISSUE_FAILED,
        [ISSUE_NO_GROUP] = TEXT_NO_SUCH_GROUP, [ISSUE_AWAY] = TEXT_DATABASE_AWAY};
    struct talk *talk = ctx;
    char number[TALK_NUMBER_BYTES];
    talk_say(talk, SAID[made], made == ISSUE_NO_GROUP ? talk_number(talk->group_id, number) : text,
             NULL);
    talk_end(talk);
}

void bot_cmd_issue(struct talk *talk)
{
    if (talk->bot->issues) {
        issues_make(talk->bot->issues, talk->group_id, talk->update.from_name, on_made, talk);
        return;
    }
    talk_say(talk, TEXT_ISSUES_OFF, NULL);
    talk_end(talk);
}
