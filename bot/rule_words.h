/* rule_words.h -- a rule as people type it: "severity:error origin:celery* chat:-1001 silent". Pure.
 *
 * What is read is written back the same way. */
#ifndef NABAT_BOT_RULE_WORDS_H
#define NABAT_BOT_RULE_WORDS_H

#include "core/buf.h"
#include "store/rules.h"

enum { RULE_WORD_BYTES = 160 };

/* False: `bad` gets the word that is not understood. `here` is what chat:here means. */
bool rule_words_parse(const char *text, int64_t here, struct rule *rule, char bad[RULE_WORD_BYTES]);
void rule_words_write(const struct rule *rule, struct buf *out);

/* "90", "30m", "2h", "7d" -> seconds; false: none of these, or above `max`. */
bool rule_words_span(const char *text, int64_t max, int64_t *seconds);

#endif
