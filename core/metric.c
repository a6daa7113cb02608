/* metric.c -- one table: name, kind and help of every metric. */
#include "core/metric.h"

#include "core/histogram.h"
#include "core/metric_labels.h"
#include "core/process.h"

#include <inttypes.h>

static const struct {
    const char *name;
    const char *kind;
    const char *help;
} TABLE[METRICS] = {
    [METRIC_HTTP_REQUESTS] = {"nabat_http_requests_total", "counter", "Requests answered."},
    [METRIC_HTTP_REFUSED] = {"nabat_http_refused_total", "counter",
                             "Requests refused before a handler saw them."},
    [METRIC_HTTP_CONNECTIONS] = {"nabat_http_connections", "gauge", "Open client connections."},
    [METRIC_HTTP_EVICTED] = {"nabat_http_evicted_total", "counter",
                             "Connections closed to make room for newer ones."},
    [METRIC_HTTP_BODY_BYTES] = {"nabat_http_body_bytes", "gauge",
                                "Raw and inflated bytes of requests held."},
    [METRIC_EVENTS_ACCEPTED] = {"nabat_events_accepted_total", "counter",
                                "Events committed to the database."},
    [METRIC_EVENTS_REPEATED] = {"nabat_events_repeated_total", "counter",
                                "Events acknowledged again and not stored twice."},
    [METRIC_EVENTS_REFUSED] =
        {"nabat_events_refused_total", "counter",
         "Events that were not kept: database away and spool full or off, or refused."},
    [METRIC_EVENTS_COUNTED] = {"nabat_events_counted_only_total", "counter",
                               "Events counted without a row (GROUP_ROWS_PER_MINUTE)."},
    [METRIC_EVENTS_SPOOLED] = {"nabat_events_spooled_total", "counter",
                               "Events kept on disk while the database was away."},
    [METRIC_SPOOLING] = {"nabat_spooling", "gauge",
                         "1 while events go to the spool instead of the database."},
    [METRIC_SPOOL_SYNCS] = {"nabat_spool_syncs_total", "counter",
                            "Groups of requests written to the spool."},
    [METRIC_SPOOL_BYTES] = {"nabat_spool_bytes", "gauge", "Size of the spool."},
    [METRIC_SPOOL_FILES] = {"nabat_spool_files", "gauge", "Files of events in the spool."},
    [METRIC_SPOOL_REPLAYED] = {"nabat_spool_replayed_total", "counter",
                               "Events that came from the spool into the database."},
    [METRIC_SPOOL_REFUSED] =
        {"nabat_spool_refused_total", "counter",
         "Spooled events that the database refused; they are kept in SPOOL_DIR/refused."},
    [METRIC_SPOOL_DAMAGED_BYTES] = {"nabat_spool_damaged_bytes_total", "counter",
                                    "Bytes of the spool that were damaged or torn."},
    [METRIC_EMERGENCY_RUNG] = {"nabat_emergency_rings_total", "counter",
                               "Alerts sent while the database was away."},
    [METRIC_WRITER_BATCHES] = {"nabat_writer_batches_total", "counter", "Transactions committed."},
    [METRIC_WRITER_DIRECT] = {"nabat_writer_direct_total", "counter",
                              "Of these, stored without a look-up."},
    [METRIC_WRITER_RETRIES] = {"nabat_writer_retries_total", "counter", "Batches run again."},
    [METRIC_WRITER_QUEUE_EVENTS] = {"nabat_writer_queue_events", "gauge",
                                    "Events waiting for a transaction."},
    [METRIC_WRITER_QUEUE_BYTES] = {"nabat_writer_queue_bytes", "gauge",
                                   "Bytes of events waiting for a transaction."},
    [METRIC_DB_RECONNECTS] = {"nabat_db_reconnects_total", "counter",
                              "Connections to the database that were lost and made again."},
    [METRIC_INBOX_DRAINED] = {"nabat_inbox_drained_total", "counter",
                              "Events taken over from SQL INSERTs."},
    [METRIC_INBOX_FAILED] = {"nabat_inbox_failed_total", "counter",
                             "SQL INSERTs that could not be read as events."},
    [METRIC_ALERTS_RUNG] = {"nabat_alerts_rung_total", "counter", "Rings decided."},
    [METRIC_ALERTS_HELD] = {"nabat_alerts_held_total", "counter",
                            "Events held back by cooldown or because the group is taken."},
    [METRIC_ALERTS_SENT] = {"nabat_alerts_sent_total", "counter", "Alert messages delivered."},
    [METRIC_ALERTS_EDITED] = {"nabat_alerts_edited_total", "counter", "Cards edited."},
    [METRIC_ALERTS_FOLDED] = {"nabat_alerts_folded_total", "counter",
                              "Alerts that became part of a digest."},
    [METRIC_ALERTS_FALLEN_BACK] = {"nabat_alerts_fallen_back_total", "counter",
                                   "Critical alerts that rang in the next channel, too."},
    [METRIC_DIGESTS_SHOWN] = {"nabat_digests_shown_total", "counter",
                              "Digests sent, edited or listed in a file."},
    [METRIC_ANSWERS_DROPPED] = {"nabat_answers_dropped_total", "counter",
                                "Answers to people not sent: too many waited for Telegram's pace."},
    [METRIC_CHAT_REFUSALS] =
        {"nabat_chat_refusals_total", "counter",
         "Times that a chat could not be written to (blocked, kicked, no rights)."},
    [METRIC_UPDATES_REFUSED] = {"nabat_updates_refused_total", "counter",
                                "Webhook requests without the secret, or that were no update."},
    [METRIC_ALERTS_FAILED] = {"nabat_alerts_failed_total", "counter",
                              "Alert messages given up for good."},
    [METRIC_ALERTS_RETRIED] = {"nabat_alerts_retried_total", "counter",
                               "Deliveries put off by a limit or a broken connection."},
    [METRIC_SELF_ALARMS] = {"nabat_self_alarms_total", "counter",
                            "Times that something was wrong with Nabat itself."},
    [METRIC_TELEGRAM_ERRORS] = {"nabat_telegram_errors_total", "counter",
                                "Bot API calls that failed."},
    [METRIC_UPDATES_HANDLED] = {"nabat_updates_handled_total", "counter",
                                "Telegram updates handled."},
    [METRIC_SCRUBBED] = {"nabat_scrubbed_total", "counter",
                         "Values filtered out of events as secrets."},
    [METRIC_SDK_ITEMS_NOT_KEPT] = {"nabat_sdk_items_not_kept_total", "counter",
                                   "Envelope items of kinds that are not kept."},
    [METRIC_SDK_FIELDS_UNREADABLE] = {"nabat_sdk_fields_unreadable_total", "counter",
                                      "Fields and items of SDKs that read as empty."},
    [METRIC_SDK_EVENTS_TRIMMED] = {"nabat_sdk_events_trimmed_total", "counter",
                                   "Events over 1 MiB that were made to fit."},
    [METRIC_SDK_ERRORS_DROPPED] = {"nabat_sdk_errors_dropped_total", "counter",
                                   "Errors that SDKs say they lost before they were sent."},
    [METRIC_SDK_OTHERS_DROPPED] = {"nabat_sdk_others_dropped_total", "counter",
                                   "What else SDKs say they did not send."},
    [METRIC_RATE_LIMITED] = {"nabat_rate_limited_total", "counter", "Requests answered 429."},
    [METRIC_CHECKINS] = {"nabat_checkins_total", "counter", "Check-ins of cron jobs taken."},
    [METRIC_CHECKINS_REFUSED] = {"nabat_checkins_refused_total", "counter",
                                 "Check-ins of unknown monitors, or too many."},
    [METRIC_FEEDBACK] = {"nabat_feedback_total", "counter", "Words of users kept."},
    [METRIC_SESSIONS] = {"nabat_sessions_total", "counter", "Sessions counted."},
    [METRIC_FORWARDED] = {"nabat_forwarded_total", "counter", "Events that SENTRY_DSN has taken."},
    [METRIC_FORWARD_REFUSED] = {"nabat_forward_refused_total", "counter",
                                "Events that SENTRY_DSN will never take."},
    [METRIC_FORWARD_DROPPED] = {"nabat_forward_dropped_total", "counter",
                                "Events not forwarded: too many waited for SENTRY_DSN."},
    [METRIC_DATABASE_BYTES] = {"nabat_database_bytes", "gauge",
                               "Size of the database, all of it, a minute ago at most."},
};

static int64_t values[METRICS];

void metric_add(enum metric metric, int64_t n)
{
    values[metric] += n;
}

void metric_set(enum metric metric, int64_t value)
{
    values[metric] = value;
}

int64_t metric_get(enum metric metric)
{
    return values[metric];
}

void metric_write_all(struct buf *out)
{
    metric_write_labels(out);
    for (int i = 0; i < METRICS; i++)
        buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", TABLE[i].name, TABLE[i].help,
                 TABLE[i].name, TABLE[i].kind, TABLE[i].name, values[i]);
    histogram_write_all(out);
    process_write(out);
}
