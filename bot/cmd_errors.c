/* cmd_errors.c -- /errors lists groups, /error N shows one. */
#include "bot/command.h"

#include "core/limits.h"

#include <string.h>
#include <strings.h>

static void on_list(void *ctx, const struct group *groups, size_t count, int64_t total,
                    const struct err *err)
{
    struct talk *talk = ctx;
    if (err) {
        talk_reply_away(talk);
    } else if (count == 0) {
        talk_reply_text(talk, TEXT_NO_ERRORS);
    } else {
        struct buf html;
        char errors[96];
        buf_init(&html, TG_TEXT_BYTES_MAX);
        words_count(talk->language, COUNT_ERRORS, total, errors);
        buf_addf(&html, bot_text(talk->language, TEXT_ERRORS_HEAD), errors);
        for (size_t i = 0; i < count; i++)
            card_render_line(&groups[i], talk->language, &html);
        if (total > (int64_t)count)
            buf_addf(&html, bot_text(talk->language, TEXT_ERRORS_MORE),
                     (long long)(total - (int64_t)count));
        talk_reply(talk, buf_text(&html));
        buf_fini(&html);
    }
    talk_end(talk);
}

/* One word is a status, a severity, "mine" or "all"; anything else is text to look for. */
static void read_filter(const struct talk *talk, struct group_filter *filter)
{
    const char *word = talk->args;
    enum severity severity;
    enum group_status status;
    *filter = (struct group_filter){.open_only = true, .limit = LIST_ROWS_MAX};
    if (!word[0])
        return;
    if (strcasecmp(word, "all") == 0) {
        filter->open_only = false;
    } else if (strcasecmp(word, "mine") == 0) {
        filter->assigned_to = talk->update.from_name;
    } else if (status_parse(word, strlen(word), &status)) {
        filter->open_only = false;
        filter->status = status_name(status);
    } else if (severity_parse(word, strlen(word), &severity)) {
        filter->severity = severity_name(severity);
    } else {
        filter->text = word;
    }
}

void bot_cmd_errors(struct talk *talk)
{
    struct group_filter filter;
    read_filter(talk, &filter);
    store_group_list(talk->bot->pg, &filter, on_list, talk);
}

static void on_group(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    if (err)
        talk_reply_away(talk);
    else if (!group)
        talk_reply_text(talk, TEXT_NO_SUCH_GROUP, (long long)talk->group_id);
    else
        talk_reply_card(talk, group);
    talk_end(talk);
}

void bot_cmd_error(struct talk *talk)
{
    store_group_get(talk->bot->pg, talk->group_id, on_group, talk);
}
