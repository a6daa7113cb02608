/* webhook_info.h -- what getWebhookInfo says of our webhook's troubles: pure.
 *
 * Bot API: `last_error_date` is not cleared when all is well again, so only a newer one is news; recovered
 * is no newer one while fewer updates wait (reference: getWebhookInfo). */
#ifndef NABAT_BOT_WEBHOOK_INFO_H
#define NABAT_BOT_WEBHOOK_INFO_H

#include "core/err.h"

#include <jansson.h>
#include <stdint.h>

/* A zeroed struct knows nothing yet. */
struct webhook_memory {
    bool known;
    int64_t error_date; /* Unix seconds */
    int64_t sync_error_date;
    int64_t pending;
    bool failing;
    char trouble[ERR_TEXT_BYTES_MAX]; /* "" when all is well */
};

/* `now_s`: Unix seconds. Of a first look an error of the last two minutes with updates waiting is news. */
void webhook_info_read(struct webhook_memory *memory, const json_t *info, int64_t now_s);

#endif
