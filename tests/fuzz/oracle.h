/* oracle.h -- libhttp-parser as a second opinion; apart, since its names clash with ours. */
#ifndef NABAT_TESTS_ORACLE_H
#define NABAT_TESTS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the first message of `bytes` is complete for it, and ends where we say it does. */
bool oracle_accepts(const char *bytes, size_t size, size_t end);

#endif
