/* roles.h -- who may what (CONTRACT section 5): viewer, triage, owner. */
#ifndef NABAT_BOT_ROLES_H
#define NABAT_BOT_ROLES_H

#include "core/settings.h"
#include "net/telegram.h"
#include "store/pg.h"

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_TRIAGE, ROLE_OWNER };

struct roles;

struct roles_config {
    int64_t alert_chat_id;
    const struct id_list *owners; /* ERROR_ADMIN_IDS; BORROWED */
    int64_t console_user_id;      /* 0: no console; else that one is an owner */
};

/* `telegram` may be NULL (console). All BORROWED. */
struct roles *roles_new(struct pg *pg, struct telegram *telegram,
                        const struct roles_config *config);
void roles_free(struct roles *roles);
void roles_set_chat(struct roles *roles, int64_t chat_id);

typedef void role_done_fn(void *ctx, enum role role);
/* `chat_id`: where the person speaks. Membership is asked of Telegram and remembered for 10 min;
 * when it can't be asked, the answer is ROLE_NONE. */
void roles_check(struct roles *roles, int64_t user_id, int64_t chat_id, role_done_fn *done,
                 void *ctx);
/* True at most once an hour for a stranger: then one polite line is due. */
bool roles_may_tell_stranger(struct roles *roles, int64_t user_id);

#endif
