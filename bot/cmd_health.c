/* cmd_health.c -- /health: how each part of the service is, as GET /health says it. */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/limits.h"

#include <string.h>

static enum text text_of_part(const char *name)
{
    static const struct {
        const char *name;
        enum text text;
    } PARTS[] = {{"database", TEXT_PART_DATABASE}, {"telegram", TEXT_PART_TELEGRAM},
                 {"lease", TEXT_PART_LEASE},       {"queue", TEXT_PART_QUEUE},
                 {"outbox", TEXT_PART_OUTBOX},     {"sdks", TEXT_PART_SDKS},
                 {"watched_bots", TEXT_PART_BOTS}, {"spool", TEXT_PART_SPOOL},
                 {"forward", TEXT_PART_FORWARD}};
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
        if (strcmp(PARTS[i].name, name) == 0)
            return PARTS[i].text;
    return TEXTS;
}

void bot_cmd_health(struct talk *talk)
{
    static const struct {
        const char *mark;
        enum text text;
    } GRADES[] = {[HEALTH_OK] = {"🟢", TEXT_HEALTH_OK},
                  [HEALTH_DEGRADED] = {"🟡", TEXT_HEALTH_DEGRADED},
                  [HEALTH_UNHEALTHY] = {"🔴", TEXT_HEALTH_UNHEALTHY}};
    const struct health *health = talk->bot->health;
    enum language l = talk->look.language;
    const char *version[] = {NABAT_VERSION};
    struct buf html;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    bot_text_fill(l, TEXT_HEALTH_HEAD, version, 1, &html);
    for (size_t i = 0; i < health->count; i++) {
        const struct health_part *part = &health->parts[i];
        char detail[ERR_TEXT_BYTES_MAX] = "";
        enum health_grade grade = part->check(part->ctx, detail, sizeof detail);
        enum text name = text_of_part(part->name);
        buf_addf(&html, "\n%s %s: %s", GRADES[grade].mark,
                 name == TEXTS ? part->name : bot_text(l, name), bot_text(l, GRADES[grade].text));
        if (detail[0]) {
            buf_add_str(&html, " · ");
            html_add_str(&html, detail);
        }
    }
    talk_reply(talk, buf_text(&html));
    buf_fini(&html);
    talk_end(talk);
}
