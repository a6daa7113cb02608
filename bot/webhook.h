/* webhook.h -- POST /telegram/webhook: verified, stored, then 200.
 *
 * Any instance takes updates; the one that holds the lease handles them. */
#ifndef NABAT_BOT_WEBHOOK_H
#define NABAT_BOT_WEBHOOK_H

#include "bot/intake.h"
#include "net/http_server.h"

struct webhook {
    struct intake *intake; /* NULL until the database is there: 503 */
    char secret[260];      /* "" while it is not known, or where no webhook is wanted: 404 */
    bool wanted;
};

/* http_handler_fn with a struct webhook as ctx. 401 for a wrong secret, 503 while updates can't be
 * stored (Telegram sends them again); everything else is 200, or Telegram would hold the chat's other
 * updates back for a day (reference: webhooks). */
void bot_webhook(void *ctx, const struct http_request *request, struct http_reply *reply);

#endif
