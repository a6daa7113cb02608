/* user_meter.c -- see user_meter.h.
 *
 * At 20,000 events a second each of which has another user, a row a user and hour would cost more than the events
 * themselves. What a list of the worst needs is less: one event in 40, chosen by a die, with the weight of 40. Who met
 * ten thousand errors is off by some per cent, and who met three is nobody's worst. */
#include "store/user_meter.h"

#include "core/limits.h"
#include "core/mem.h"
#include "core/random.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { REGISTERS = 2048, SKETCHES = 16, REST_BITS = 48, SECOND_MS = 1000 };

struct sketch {
    int64_t hour; /* 0: free */
    int64_t project;
    unsigned char registers[REGISTERS];
};

struct user_meter {
    struct sketch sketches[SKETCHES];
    size_t next; /* makes room */
    int64_t second_ms;
    int64_t seen;  /* in this second */
    int64_t every; /* by the second before */
    uint64_t die;
};

struct user_meter *user_meter_new(void)
{
    struct user_meter *m = mem_alloc(sizeof *m);
    m->every = 1;
    random_bytes(&m->die, sizeof m->die);
    m->die |= 1;
    return m;
}

void user_meter_free(struct user_meter *m)
{
    free(m);
}

void user_meter_forget(struct user_meter *m)
{
    memset(m->sketches, 0, sizeof m->sketches);
}

struct user_rank user_rank_of(const char *user_id)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    uint64_t rest = 0;
    unsigned len = 0;
    if (!EVP_Digest(user_id, strlen(user_id), hash, &len, EVP_md5(), NULL))
        return (struct user_rank){0, 0}; /* a provider without md5: nobody is news */
    for (int i = 2; i < 8; i++)
        rest = rest << 8 | hash[i];
    uint32_t zeros = rest ? (uint32_t)__builtin_clzll(rest) - (64 - REST_BITS) : REST_BITS;
    return (struct user_rank){((uint32_t)hash[0] << 8 | hash[1]) & (REGISTERS - 1), zeros + 1};
}

static const struct sketch *find(const struct user_meter *m, int64_t hour, int64_t project)
{
    for (size_t i = 0; i < SKETCHES; i++)
        if (m->sketches[i].hour == hour && m->sketches[i].project == project)
            return &m->sketches[i];
    return NULL;
}

bool user_meter_is_news(const struct user_meter *m, int64_t hour, int64_t project,
                        struct user_rank rank)
{
    const struct sketch *s = find(m, hour, project);
    return s ? s->registers[rank.place] < rank.rank : rank.rank > 0;
}

void user_meter_keep(struct user_meter *m, int64_t hour, int64_t project, struct user_rank rank)
{
    struct sketch *s = (struct sketch *)find(m, hour, project);
    if (!s) {
        s = &m->sketches[m->next];
        m->next = (m->next + 1) % SKETCHES;
        *s = (struct sketch){.hour = hour, .project = project};
    }
    if (s->registers[rank.place] < rank.rank)
        s->registers[rank.place] = (unsigned char)rank.rank;
}

int64_t user_meter_weight(struct user_meter *m, int64_t now_ms)
{
    if (now_ms - m->second_ms >= SECOND_MS || now_ms < m->second_ms) {
        m->every = 1 + m->seen / USERS_NAMED_PER_SECOND;
        m->second_ms = now_ms;
        m->seen = 0;
    }
    m->seen++;
    /* Marsaglia's xorshift */
    m->die ^= m->die << 13;
    m->die ^= m->die >> 7;
    m->die ^= m->die << 17;
    return m->die % (uint64_t)m->every == 0 ? m->every : 0;
}
