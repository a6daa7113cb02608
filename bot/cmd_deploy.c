/* cmd_deploy.c -- /deploy NAME says that something was put out; without a name it lists what was, and what came after it. */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/limits.h"
#include "core/mem.h"
#include "store/deploy.h"

#include <stdio.h>
#include <string.h>

static void on_added(void *ctx, int64_t id, const struct err *err)
{
    struct talk *talk = ctx;
    (void)id;
    if (err)
        talk_say_away(talk);
    else
        talk_say(talk, TEXT_DEPLOYED, talk->args, NULL);
    talk_end(talk);
}

static void add_line(const struct talk *talk, const struct deploy_line *d, struct buf *html)
{
    char moment[WORDS_MOMENT_BYTES];
    char made[WORDS_COUNT_BYTES];
    words_moment(&talk->look, d->deployed_ms, moment);
    words_count(talk->look.language, COUNT_NEW_ERRORS, d->made, made);
    buf_add_str(html, "\n🚀 <b>");
    html_add_cut(html, d->name, strlen(d->name), 80);
    buf_addf(html, "</b> · %s", moment);
    const char *more[] = {d->environment, d->actor};
    for (size_t i = 0; i < 2; i++)
        if (more[i] && *more[i]) {
            buf_add_str(html, " · ");
            html_add_cut(html, more[i], strlen(more[i]), 60);
        }
    buf_addf(html, "\n     🆕 %s", made);
}

static void on_list(void *ctx, const struct deploy_line *lines, size_t count, const struct err *err)
{
    struct talk *talk = ctx;
    struct buf html;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    buf_add_str(&html,
                bot_text(talk->look.language, count ? TEXT_DEPLOYS_HEAD : TEXT_DEPLOYS_NONE));
    for (size_t i = 0; i < count; i++)
        add_line(talk, &lines[i], &html);
    if (err)
        talk_say_away(talk);
    else
        talk_reply(talk, buf_text(&html));
    buf_fini(&html);
    talk_end(talk);
}

/* "name [environment]": a release has no blanks. */
void bot_cmd_deploy(struct talk *talk)
{
    if (!*talk->args) {
        store_deploy_list(talk->bot->pg, on_list, talk);
        return;
    }
    if (talk->role < ROLE_TRIAGE) {
        talk_say(talk, TEXT_ONLY_TRIAGE, NULL);
        talk_end(talk);
        return;
    }
    char *blank = talk->args + strcspn(talk->args, " \t\n");
    char *environment = blank + strspn(blank, " \t\n");
    *blank = '\0';
    struct deploy deploy = {.project_id = 1,
                            .name = talk->args,
                            .release = talk->args,
                            .environment = *environment ? environment : NULL,
                            .actor = talk->update.from_name,
                            .source = "chat"};
    store_deploy_add(talk->bot->pg, &deploy, on_added, talk);
}
