/* words.c -- see words.h. */
#include "checks/words.h"

#include "core/hash.h"
#include "core/json_out.h"
#include "core/random.h"
#include "ingest/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const KEYS[] = {"down", "slow", "certificate"};
enum { NAME_BYTES = 64 + CHECK_URL_BYTES, TITLE_BYTES = 256 + NAME_BYTES, HASH_BYTES = 17 };

/* Two addresses that differ in what is asked are two checks, and what is asked may be a secret. */
static void url_hash(const char *url, char out[HASH_BYTES])
{
    snprintf(out, HASH_BYTES, "%016" PRIx64, hash_text(url));
}

/* Of two addresses that differ in what is not shown, the number tells which. */
static void name_of(int64_t id, const struct check_spec *spec, bool ru, char out[NAME_BYTES])
{
    char name[CHECK_URL_BYTES];
    check_url_name(spec->url, name);
    if (strchr(spec->url, '?'))
        snprintf(out, NAME_BYTES, ru ? "%s?… (проверка %" PRId64 ")" : "%s?… (check %" PRId64 ")",
                 name, id);
    else
        snprintf(out, NAME_BYTES, "%s", name);
}

static void title_of(int64_t id, const struct check_spec *spec, const struct check_answer *a,
                     enum check_trouble what, bool ru, int64_t now_ms, char out[TITLE_BYTES])
{
    char name[NAME_BYTES];
    name_of(id, spec, ru, name);
    int64_t days = (a->cert_expires_ms - now_ms) / (86400 * 1000);
    if (what == TROUBLE_CERT)
        snprintf(out, TITLE_BYTES,
                 ru ? "Сертификат %s истекает, осталось дней: %" PRId64
                    : "The certificate of %s expires, days left: %" PRId64,
                 name, days);
    else if (what == TROUBLE_SLOW)
        snprintf(out, TITLE_BYTES,
                 ru ? "%s отвечает медленно: %" PRId64 " мс при норме до %" PRId64
                    : "%s is slow: %" PRId64 " ms, and not under %" PRId64,
                 name, a->ms, spec->under_ms);
    else if (a->status == 0)
        snprintf(out, TITLE_BYTES, ru ? "%s не отвечает: %s" : "%s does not answer: %s", name,
                 a->error);
    else if (spec->expect)
        snprintf(out, TITLE_BYTES,
                 ru ? "%s отвечает %d вместо %" PRId64 : "%s answers %d instead of %" PRId64, name,
                 a->status, spec->expect);
    else
        snprintf(out, TITLE_BYTES, ru ? "%s отвечает %d" : "%s answers %d", name, a->status);
}

void check_word_event(int64_t id, const struct check_spec *spec, const struct check_answer *a,
                      enum check_trouble what, bool is_russian, int64_t now_ms,
                      char event_id[RANDOM_HEX_BYTES], struct buf *json)
{
    char title[TITLE_BYTES];
    char name[CHECK_URL_BYTES];
    title_of(id, spec, a, what, is_russian, now_ms, title);
    check_url_name(spec->url, name);
    random_hex32(event_id);
    buf_addf(json,
             "{\"event_id\":\"%s\",\"occurred_at\":%" PRId64
             ",\"origin\":\"check\",\"severity\":\"critical\",\"message\":",
             event_id, now_ms / 1000);
    json_add_str(json, title);
    buf_add_str(json, ",\"handler\":");
    json_add_str(json, name);
    buf_addf(json, ",\"fingerprint\":[\"check\",");
    json_add_str(json, name);
    char hash[HASH_BYTES];
    url_hash(spec->url, hash);
    buf_addf(json, ",\"%s\",\"%s\"],\"tags\":{\"check\":", KEYS[what], hash);
    json_add_str(json, name);
    buf_addf(json, ",\"trouble\":\"%s\"},\"payload\":{\"status\":%d,\"ms\":%" PRId64 "}}",
             KEYS[what], a->status, a->ms);
}

void check_fingerprint(const struct check_spec *spec, enum check_trouble what,
                       char out[FINGERPRINT_BYTES])
{
    char name[CHECK_URL_BYTES];
    char frame[400];
    check_url_name(spec->url, name);
    char hash[HASH_BYTES];
    url_hash(spec->url, hash);
    const char *const parts[] = {"check", name, KEYS[what], hash};
    struct event event = {.project_id = 1};
    struct fingerprint_input in = {.given = {parts, 4}};
    fingerprint_make(&event, &in, frame, sizeof frame);
    memcpy(out, event.fingerprint, FINGERPRINT_BYTES);
}
