/* rule_edit.h -- people change rules, silences and quiet hours in the chat. */
#ifndef NABAT_STORE_RULE_EDIT_H
#define NABAT_STORE_RULE_EDIT_H

#include "store/rules.h"

/* `n`: the new rule's number, or how many rows were changed. ERR_INPUT: the database says that it can't
 * be (a parent that is not there). */
typedef void rule_edit_fn(void *ctx, int64_t n, const struct err *err);

void store_rule_add(struct pg *pg, const struct rule *rule, rule_edit_fn *done, void *ctx);
void store_rule_remove(struct pg *pg, int64_t id, rule_edit_fn *done, void *ctx);
void store_rule_switch(struct pg *pg, int64_t id, bool on, rule_edit_fn *done, void *ctx);

/* `chat_id` 0: every chat. */
void store_silence_add(struct pg *pg, int64_t chat_id, int64_t seconds, const char *reason,
                       const char *who, rule_edit_fn *done, void *ctx);
/* Ends what silences that chat alone, or (0) whatever silences any: what was held is told now. */
void store_silence_end(struct pg *pg, int64_t chat_id, rule_edit_fn *done, void *ctx);

/* `from` and `to` as "23:00"; NULL: no quiet hours. */
void store_quiet_put(struct pg *pg, int64_t chat_id, const char *from, const char *to, bool holds,
                     rule_edit_fn *done, void *ctx);

#endif
