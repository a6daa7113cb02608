/* words.c -- titles that stay the same for a bot and a trouble; the detail says what happened this time. */
#include "watch/words.h"

#include "core/json_out.h"
#include "core/limits.h"
#include "ingest/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name; /* in the fingerprint: never changes */
    const char *titles[2];
} TROUBLE_WORDS[TROUBLES] = {
    [TROUBLE_REVOKED] = {"revoked",
                         {"Bot %s: its token is not valid any more",
                          "Бот %s: его токен больше не действует"}},
    [TROUBLE_LOST] = {"lost",
                      {"Bot %s: its webhook is gone, nobody gets its updates",
                       "Бот %s: вебхук пропал, обновления никто не получает"}},
    [TROUBLE_FAILING] = {"failing",
                         {"Bot %s: its webhook fails", "Бот %s: вебхук отвечает ошибками"}},
    [TROUBLE_PENDING] = {"pending", {"Bot %s: updates pile up", "Бот %s: обновления копятся"}},
};

void watch_word(const struct watch_bot *bot, enum trouble trouble, const char *detail,
                int64_t now_ms, char event_id[RANDOM_HEX_BYTES], struct buf *json)
{
    char title[200];
    const char *format = TROUBLE_WORDS[trouble].titles[bot->is_russian];
    const char *place = strstr(format, "%s");
    snprintf(title, sizeof title, "%.*s%s%s", (int)(place - format), format, bot->name, place + 2);
    random_hex32(event_id);
    buf_addf(json,
             "{\"event_id\":\"%s\",\"occurred_at\":%" PRId64
             ",\"origin\":\"watched_bot\",\"severity\":\"critical\",\"message\":",
             event_id, now_ms / 1000);
    json_add_str(json, title);
    if (detail && *detail) {
        buf_add_str(json, ",\"stacktrace\":");
        json_add_str(json, detail);
    }
    buf_add_str(json, ",\"handler\":");
    json_add_str(json, bot->name);
    buf_addf(json, ",\"fingerprint\":[\"watched_bot\",\"%" PRId64 "\",\"%s\"]}", bot->id,
             TROUBLE_WORDS[trouble].name);
}

void watch_fingerprint(const struct watch_bot *bot, enum trouble trouble,
                       char out[FINGERPRINT_BYTES])
{
    char id[24];
    snprintf(id, sizeof id, "%" PRId64, bot->id);
    const char *const parts[] = {"watched_bot", id, TROUBLE_WORDS[trouble].name};
    struct event event = {.project_id = 1};
    struct fingerprint_input in = {.given = {parts, 3}};
    char frame[400];
    fingerprint_make(&event, &in, frame, sizeof frame);
    memcpy(out, event.fingerprint, FINGERPRINT_BYTES);
}
