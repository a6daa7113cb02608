/* check_spec.h -- what is asked of an address, as people write it: pure.
 *
 *     https://bot.example.com/health every 1m expect 200 under 2s cert 14d                    */
#ifndef NABAT_CORE_CHECK_SPEC_H
#define NABAT_CORE_CHECK_SPEC_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHECK_URL_BYTES = 512, CHECK_EVERY_MIN_S = 10, CHECK_EVERY_MAX_S = 86400, CHECKS_MAX = 100 };

struct check_spec {
    char url[CHECK_URL_BYTES];
    int64_t every_s;   /* 60 */
    int64_t expect;    /* a status; 0: any below 400 */
    int64_t under_ms;  /* 0: as slow as it likes */
    int64_t cert_days; /* 14; 0: its certificate is not looked at */
};

/* Seconds that an answer is waited for: a question ends before it is asked again. */
int64_t check_patience_s(const struct check_spec *spec);
/* INPUT names the word that is wrong and says what it takes. */
bool check_spec_parse(const char *text, size_t len, struct check_spec *spec, struct err *err);
/* "90s", "5m", "2h", "14d", "300ms" as milliseconds; 0: none of these. */
int64_t check_span_ms(const char *text);
/* Several, with semicolons or line breaks between; `each` gets those that are whole. False: one is not. */
typedef void check_spec_fn(void *ctx, const struct check_spec *spec);
bool check_specs_parse(const char *text, check_spec_fn *each, void *ctx, struct err *err);
/* "https://bot.example.com/health": without user, password and what is asked, which may hold secrets. */
void check_url_name(const char *url, char out[CHECK_URL_BYTES]);

#endif
