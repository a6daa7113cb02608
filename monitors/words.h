/* words.h -- what is said of a monitor: events as native JSON, and the line under the card. */
#ifndef NABAT_MONITORS_WORDS_H
#define NABAT_MONITORS_WORDS_H

#include "core/buf.h"
#include "core/event.h"
#include "monitors/machine.h"
#include "store/monitor.h"

/* `status`: RUN_ERROR, RUN_MISSED or RUN_TIMEOUT. `event_id` is written. */
void monitor_word_failed(const struct monitor_row *row, const struct monitor_config *config,
                         const struct monitor_state *state, const struct run *run,
                         enum run_status status, const char *release, int64_t failures,
                         int64_t now_ms, char event_id[RANDOM_HEX_BYTES], struct buf *json);
/* "<minutes> <failures>": the chat says it in its own language (alerts/note.c). */
void monitor_word_recovered(const struct monitor_change *change, struct buf *text);
/* The key of the monitor's group, as its events get it. */
void monitor_fingerprint(const struct monitor_row *row, char out[FINGERPRINT_BYTES]);

#endif
