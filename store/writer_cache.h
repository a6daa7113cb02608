/* writer_cache.h -- what the writer remembers of the database, so that most batches need no look-up.
 *
 * Groups by (project, fingerprint), and stacks that are in a day's table. All of it may be wrong: a batch that
 * relies on it says so to the database, which refuses what no longer holds (nabat_stale, sql/010_writer.sql);
 * then it is looked up. Pure and bounded: what is full forgets the older part. */
#ifndef NABAT_STORE_WRITER_CACHE_H
#define NABAT_STORE_WRITER_CACHE_H

#include "core/event.h"
#include "store/user_meter.h"

struct writer_cache;

struct cached_group {
    int64_t id;
    bool noisy; /* resolved, or with a card in a chat: every event of it is a fact for the engine */
};

enum { STACK_HASH_BYTES = 16, EPOCH_BYTES = 72 };

struct writer_cache *writer_cache_new(void);
/* What is known of users; the cache's own. */
struct user_meter *writer_cache_users(struct writer_cache *cache);
void writer_cache_free(struct writer_cache *cache);

/* Its age in the database, and the lowest severity that any rule names (or -1). Another age than before:
 * everything is forgotten first. */
void writer_cache_set_epoch(struct writer_cache *cache, const char *epoch, int rule_min);
/* "" before the first. */
const char *writer_cache_epoch(const struct writer_cache *cache);
int writer_cache_rule_min(const struct writer_cache *cache);
void writer_cache_forget(struct writer_cache *cache);
void writer_cache_forget_stacks(struct writer_cache *cache);

bool writer_cache_find_group(struct writer_cache *cache, int32_t project, const char *fingerprint,
                             struct cached_group *out);
/* Adds it, or says what is known now. A fingerprint of other than 32 hex digits is not remembered. */
void writer_cache_put_group(struct writer_cache *cache, int32_t project, const char *fingerprint,
                            const struct cached_group *group);

/* `day`: days since 1970, UTC. */
bool writer_cache_has_stack(struct writer_cache *cache, int32_t day,
                            const unsigned char hash[STACK_HASH_BYTES]);
void writer_cache_put_stack(struct writer_cache *cache, int32_t day,
                            const unsigned char hash[STACK_HASH_BYTES]);

#endif
