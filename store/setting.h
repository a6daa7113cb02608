/* setting.h -- small facts of the service that outlive a restart: a name, a text. */
#ifndef NABAT_STORE_SETTING_H
#define NABAT_STORE_SETTING_H

#include "store/pg.h"

/* Names of settings that more than one file knows. */
#define SETTING_ALERT_CHAT "alert_chat_id" /* chosen by an owner in the chat */
#define SETTING_WEBHOOK_URL                                                                        \
    "telegram_webhook_url" /* the webhook that we set; others are not ours */
#define SETTING_WEBHOOK_SECRET "telegram_webhook_secret"
#define SETTING_CHAT_MOVED "chat_moved_from:" /* and the old id: the new id */

/* `value` is BORROWED until done returns; NULL: not set, or an error. */
typedef void setting_done_fn(void *ctx, const char *value, const struct err *err);
void store_setting_get(struct pg *pg, const char *name, setting_done_fn *done, void *ctx);
/* Sets it only if there is none yet; `done` gets what is there then. */
void store_setting_ensure(struct pg *pg, const char *name, const char *value, setting_done_fn *done,
                          void *ctx);
/* `value` NULL removes it. `done` gets what was set. */
void store_setting_put(struct pg *pg, const char *name, const char *value, setting_done_fn *done,
                       void *ctx);

#endif
