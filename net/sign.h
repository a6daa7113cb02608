/* sign.h -- signatures of what we send. */
#ifndef NABAT_NET_SIGN_H
#define NABAT_NET_SIGN_H

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* The three headers of Standard Webhooks (standardwebhooks.com): webhook-signature is "v1," and base64 of
 * HMAC-SHA256 over "id.timestamp.body". A secret "whsec_…" is base64, any other is taken as it is. */
bool sign_webhook(const char *secret, const char *id, int64_t timestamp_s, const char *body,
                  struct buf *signature);

#endif
