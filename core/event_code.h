/* event_code.h -- six characters that stand for an event, to be read out and typed: Crockford's base 32 of the first 30 bits
 * of its id. Of events with the same code the newest of seven days is meant. Pure. */
#ifndef NABAT_CORE_EVENT_CODE_H
#define NABAT_CORE_EVENT_CODE_H

#include "core/random.h"

#include <stdbool.h>

enum { EVENT_CODE_BYTES = 7 };

void event_code(const char *event_id, char out[EVENT_CODE_BYTES]);
/* The first and the last id that has it. Case, blanks and a hyphen do not matter, O is 0, I and L are 1. False: it is no code. */
bool event_code_range(const char *code, char low[RANDOM_HEX_BYTES], char high[RANDOM_HEX_BYTES]);

#endif
