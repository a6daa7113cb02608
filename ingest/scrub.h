/* scrub.h -- secrets out of events before anything is stored, logged or sent.
 *
 * Two rules so far: the values of keys that name a secret, and Telegram bot tokens and bearer
 * tokens wherever they stand in text. Linear in the input. */
#ifndef NABAT_INGEST_SCRUB_H
#define NABAT_INGEST_SCRUB_H

#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* "password", "api_key", "Authorization", "bot_token", … in any case, with - or _. */
bool scrub_key_is_secret(const char *key, size_t len);

/* Replaces tokens in `text` by [Filtered], in place (the text never grows). Returns how many. */
int scrub_text(char *text, size_t *len);

#endif
