/* known.h -- what ringing needs to know, asked every few seconds while the database is there and
 * remembered when it is not: rules, groups that are muted, taken or rung, and which chat it is. */
#ifndef NABAT_STORE_KNOWN_H
#define NABAT_STORE_KNOWN_H

#include "store/facts.h"
#include "store/mirror.h"
#include "store/rules.h"

struct known;

/* `mirror` is BORROWED. `rung_within_s`: the longest cooldown. */
struct known *store_known_new(struct ev_loop *loop, struct mirror *mirror, int64_t rung_within_s);
void store_known_open(struct known *known, struct pg *pg);
void store_known_free(struct known *known);
/* The mirror was read. */
void store_known_recall(struct known *known);

/* BORROWED until the loop runs on; never NULL. */
const struct rules *store_known_rules(const struct known *known);
/* NULL: nothing is known of it. BORROWED until the loop runs on. */
const struct fact *store_known_group(const struct known *known, int32_t project_id,
                                     const char *fingerprint);
/* Where alerts go: `chat_id` (the settings'; 0: none), or what was chosen or became of it. */
int64_t store_known_chat(const struct known *known, int64_t chat_id);
/* How things look in that chat; false: nothing was chosen. Texts "" when not chosen. */
struct known_look {
    char language[8];
    char time_zone[64];
};
bool store_known_look(const struct known *known, int64_t chat_id, struct known_look *out);

#endif
