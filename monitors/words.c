/* words.c -- titles that stay the same for a monitor, details that say what happened this time. */
#include "monitors/words.h"

#include "core/json_out.h"
#include "core/limits.h"
#include "core/zone.h"
#include "ingest/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add_moment(const struct monitor_config *config, int64_t ms, struct buf *out)
{
    struct tm tm;
    char text[40];
    zone_local(config->timezone, ms, &tm);
    strftime(text, sizeof text, "%d %b %H:%M", &tm);
    buf_addf(out, "%s (%s)", text, config->timezone);
}

static void add_duration(int64_t ms, struct buf *out)
{
    int64_t minutes = ms / 60000;
    if (minutes >= 48 * 60)
        buf_addf(out, "%" PRId64 " d %" PRId64 " h", minutes / 1440, minutes % 1440 / 60);
    else if (minutes >= 60)
        buf_addf(out, "%" PRId64 " h %" PRId64 " min", minutes / 60, minutes % 60);
    else if (minutes >= 1)
        buf_addf(out, "%" PRId64 " min", minutes);
    else
        buf_addf(out, "%" PRId64 " s", ms / 1000);
}

static void add_detail(const struct monitor_config *config, const struct monitor_state *state,
                       const struct run *run, enum run_status status, int64_t failures,
                       struct buf *out)
{
    if (status == RUN_MISSED) {
        buf_add_str(out, "missed: expected at ");
        add_moment(config, run->started_ms, out);
        buf_addf(out, ", margin %" PRId64 " min", config->margin_min);
    } else if (status == RUN_TIMEOUT) {
        buf_add_str(out, "not finished: in progress since ");
        add_moment(config, run->started_ms, out);
        buf_addf(out, ", allowed %" PRId64 " min", config->max_runtime_min);
    } else {
        buf_add_str(out, "said error");
        if (run->duration_ms >= 1000) {
            buf_add_str(out, " after ");
            add_duration(run->duration_ms, out);
        }
    }
    if (failures > 1)
        buf_addf(out, "\n%" PRId64 " failures in a row", failures);
    if (state->last_ok_ms) {
        buf_add_str(out, "\nlast ok: ");
        add_moment(config, state->last_ok_ms, out);
    }
    bool many = config->is_interval && strncmp(config->schedule, "1 ", 2) != 0;
    buf_addf(out, "\nschedule: %s%s%s", config->is_interval ? "every " : "", config->schedule,
             many ? "s" : "");
}

static void add_member(struct buf *json, const char *name, const char *text)
{
    if (!text)
        return;
    buf_addf(json, ",\"%s\":", name);
    json_add_str(json, text);
}

void monitor_word_failed(const struct monitor_row *row, const struct monitor_config *config,
                         const struct monitor_state *state, const struct run *run,
                         enum run_status status, const char *release, int64_t failures,
                         int64_t now_ms, char event_id[RANDOM_HEX_BYTES], struct buf *json)
{
    struct buf detail;
    char title[160];
    buf_init(&detail, 4 * KIB);
    add_detail(config, state, run, status, failures, &detail);
    snprintf(title, sizeof title, "Cron job %s does not run as planned", row->slug);
    random_hex32(event_id);
    buf_addf(json, "{\"event_id\":\"%s\",\"occurred_at\":%" PRId64 ",\"origin\":\"monitor\"",
             event_id, now_ms / 1000);
    enum severity severity = status == RUN_ERROR ? SEV_ERROR : SEV_CRITICAL;
    add_member(json, "severity",
               severity_name(severity < row->severity_max ? severity : row->severity_max));
    add_member(json, "message", title);
    add_member(json, "stacktrace", buf_text(&detail));
    add_member(json, "handler", row->slug);
    add_member(json, "environment", row->environment);
    add_member(json, "release", release);
    buf_add_str(json, ",\"fingerprint\":[\"monitor\",");
    json_add_str(json, row->slug);
    buf_add_char(json, ',');
    json_add_str(json, row->environment);
    buf_add_str(json, "],\"tags\":{\"monitor\":");
    json_add_str(json, row->slug);
    add_member(json, "monitor_status", run_status_name(status));
    buf_add_str(json, "}}");
    buf_fini(&detail);
}

void monitor_word_recovered(const struct monitor_change *change, struct buf *text)
{
    buf_addf(text, "%" PRId64 " %" PRId64, change->failed_for_ms / 60000, change->failures);
}

void monitor_fingerprint(const struct monitor_row *row, char out[FINGERPRINT_BYTES])
{
    const char *const parts[] = {"monitor", row->slug, row->environment};
    struct event event = {.project_id = row->project_id};
    struct fingerprint_input in = {.given = {parts, 3}};
    char frame[400];
    fingerprint_make(&event, &in, frame, sizeof frame);
    memcpy(out, event.fingerprint, FINGERPRINT_BYTES);
}
