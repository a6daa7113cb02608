/* user_meter.h -- what the writer knows of users, so that counting them costs next to nothing: which of them change a sketch
 * (sql/017_statistics.sql), and how many of them are to be named. Bounded; forgetting it only costs work. */
#ifndef NABAT_STORE_USER_METER_H
#define NABAT_STORE_USER_METER_H

#include <stdbool.h>
#include <stdint.h>

struct user_meter;

struct user_meter *user_meter_new(void);
void user_meter_free(struct user_meter *meter);
void user_meter_forget(struct user_meter *meter);

/* A user's register and rank in a HyperLogLog of 2048. */
struct user_rank {
    uint32_t place;
    uint32_t rank;
};
struct user_rank user_rank_of(const char *user_id);
/* Whether the sketch of that hour (since 1970) may not know it yet. */
bool user_meter_is_news(const struct user_meter *meter, int64_t hour, int64_t project,
                        struct user_rank rank);
/* It is committed. */
void user_meter_keep(struct user_meter *meter, int64_t hour, int64_t project,
                     struct user_rank rank);

/* Above USERS_NAMED_PER_SECOND one event in so many is named, and counts for as many: 0 for an event that is not. */
int64_t user_meter_weight(struct user_meter *meter, int64_t now_ms);

#endif
