/* words.h -- a check's trouble as an event, in the alert chat's language; pure. */
#ifndef NABAT_CHECKS_WORDS_H
#define NABAT_CHECKS_WORDS_H

#include "checks/machine.h"
#include "core/buf.h"
#include "core/event.h"

/* A native event as JSON, for event_inbox; `id` is the number of the check. */
void check_word_event(int64_t id, const struct check_spec *spec, const struct check_answer *answer,
                      enum check_trouble what, bool is_russian, int64_t now_ms,
                      char event_id[RANDOM_HEX_BYTES], struct buf *json);
/* Of the group of such events. */
void check_fingerprint(const struct check_spec *spec, enum check_trouble what,
                       char out[FINGERPRINT_BYTES]);

#endif
