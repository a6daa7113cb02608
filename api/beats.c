/* beats.c -- see beats.h.
 *
 *     key --row of beat_key--> check-in, with the interval that it promised --monitors--> 200 */
#include "api/beats.h"

#include "core/checkin.h"
#include "core/clock.h"
#include "core/mem.h"
#include "monitors/monitors.h"
#include "store/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char PREFIX[] = "/beat/";
/* Where no proxy tells whose a request is, all jobs come from one address. */
enum { KEY_LEN = 32, BEATS_PER_MINUTE = 120, BEATS_OF_ALL_PER_MINUTE = 1200, MARGIN_PARTS = 10 };

bool beat_path_matches(struct slice path)
{
    size_t n = sizeof PREFIX - 1;
    return path.len > n && memcmp(path.at, PREFIX, n) == 0;
}

struct beat {
    const struct ingest *in;
    struct http_reply *reply;
    char bucket[KEY_LEN + 2]; /* "b" and the key: charged once the key is known */
    enum checkin_status status;
    struct checkin checkin;
    char schedule[32];
    char slug[128];
};

static void on_taken(void *ctx, const struct err *err)
{
    struct beat *b = ctx;
    if (err)
        http_reply_error(b->reply, err->kind == ERR_INPUT ? 400 : 503, err->text);
    else
        http_reply_json(b->reply, 200, NULL, "{\"ok\":true}\n");
    free(b);
}

static void on_key(void *ctx, int32_t project_id, const char *slug, int64_t every_min,
                   const struct err *err)
{
    struct beat *b = ctx;
    if (err || !slug) {
        http_reply_error(b->reply, err ? 503 : 404,
                         err ? "the database is away: say it again later"
                             : "no job has this address: /check beat NAME every 1h makes one");
        free(b);
        return;
    }
    int64_t wait = rate_take(b->in->rates, b->bucket, BEATS_PER_MINUTE, 1, clock_mono_ms());
    if (wait > 0) {
        http_reply_too_many(b->reply, wait, NULL);
        free(b);
        return;
    }
    snprintf(b->slug, sizeof b->slug, "%s", slug);
    snprintf(b->schedule, sizeof b->schedule, "%lld minute", (long long)every_min);
    b->checkin = (struct checkin){
        .slug = b->slug,
        .status = b->status,
        .duration_ms = -1,
        .environment = "production",
        .has_config = true,
        .config = {.schedule = b->schedule,
                   .is_interval = true,
                   .margin_min = 1 + every_min / MARGIN_PARTS,
                   .max_runtime_min = every_min,
                   .failure_threshold = 1,
                   .recovery_threshold = 1},
    };
    monitors_take(b->in->monitors, project_id, &b->checkin, on_taken, b);
}

/* What stands behind the key. */
static bool read_status(struct slice rest, enum checkin_status *status)
{
    static const struct {
        const char *word;
        enum checkin_status status;
    } WORDS[] = {{"", CHECKIN_OK},
                 {"/", CHECKIN_OK},
                 {"/start", CHECKIN_IN_PROGRESS},
                 {"/fail", CHECKIN_ERROR},
                 {"/ok", CHECKIN_OK}};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (rest.len == strlen(WORDS[i].word) && memcmp(rest.at, WORDS[i].word, rest.len) == 0) {
            *status = WORDS[i].status;
            return true;
        }
    return false;
}

void api_beat(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    const struct ingest *in = ctx;
    struct slice path = request->head->path;
    struct slice rest = {path.at + sizeof PREFIX - 1, path.len - (sizeof PREFIX - 1)};
    char key[KEY_LEN + 1] = "";
    char address[CLIENT_BYTES];
    char bucket[CLIENT_BYTES + 8];
    enum checkin_status status = CHECKIN_OK;
    if (rest.len >= KEY_LEN) {
        memcpy(key, rest.at, KEY_LEN);
        rest.at += KEY_LEN;
        rest.len -= KEY_LEN;
    }
    bool whole = strspn(key, "0123456789abcdef") == KEY_LEN;
    client_address(&in->proxies, request, address);
    snprintf(bucket, sizeof bucket, "b%s", address);
    int64_t wait =
        rate_take(in->rates, bucket, in->proxies.count ? BEATS_PER_MINUTE : BEATS_OF_ALL_PER_MINUTE,
                  1, clock_mono_ms());
    if (!whole || !read_status(rest, &status)) {
        http_reply_error(reply, 404,
                         "an address is /beat/ and 32 hex digits, and /start or /fail behind it");
    } else if (wait > 0) {
        http_reply_too_many(reply, wait, NULL);
    } else if (!in->pg || !pg_is_up(in->pg)) {
        http_reply_error(reply, 503, "the database is away: say it again later");
    } else {
        struct beat *b = mem_alloc(sizeof *b);
        *b = (struct beat){.in = in, .reply = reply, .status = status};
        snprintf(b->bucket, sizeof b->bucket, "b%s", key);
        store_beat_get(in->pg, key, on_key, b);
    }
}
