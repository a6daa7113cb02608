/* sign.h -- signatures of what we send, and of what is sent to us. */
#ifndef NABAT_NET_SIGN_H
#define NABAT_NET_SIGN_H

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* The three headers of Standard Webhooks (standardwebhooks.com): webhook-signature is "v1," and base64 of
 * HMAC-SHA256 over "id.timestamp.body". A secret "whsec_…" is base64, any other is taken as it is. */
bool sign_webhook(const char *secret, const char *id, int64_t timestamp_s, const char *body,
                  struct buf *signature);

/* Whether `header` ("sha256=" and 64 hex digits) is GitHub's signature of a webhook's body; takes the same time for each. */
bool sign_github_fits(const char *secret, const char *body, size_t len, const char *header,
                      size_t header_len);

#endif
