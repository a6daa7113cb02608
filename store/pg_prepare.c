/* pg_prepare.c -- statements that a connection knows by name, and what happens when it does not.
 *
 * A statement is prepared in the pipeline that first uses it, and known once that was answered. The hard
 * thing is a pooler in transaction mode: behind it each transaction may run on another connection, where
 * our names are unknown (26000) or somebody else's (42P05). Then nothing is prepared until the next
 * connection: slower, and right. The same after DDL that a plan can't follow (0A000). */
#include "store/pg_internal.h"

#include "core/hash.h"
#include "core/log.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 32, ANSWERS_MAX = 64 };

static uint64_t find_sql(const struct pg_prepared_name *list, size_t count, const char *sql)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].sql == sql)
            return list[i].hash;
    return 0;
}

static bool has_hash(const struct pg_prepared_name *list, size_t count, uint64_t hash)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].hash == hash)
            return true;
    return false;
}

/* Whether it may be run by name now. */
static bool prepare(struct pg *pg, const char *sql, const struct pg_params *params,
                    char name[NAME_BYTES])
{
    struct pg_prepared *p = &pg->prepared;
    if (p->never)
        return false;
    uint64_t hash = find_sql(p->known, p->known_count, sql);
    bool known = hash != 0;
    if (!known) {
        /* by content, so that a name never stands for two texts, of whatever version */
        hash = hash_text(sql);
        known =
            has_hash(p->known, p->known_count, hash) || has_hash(p->asked, p->asked_count, hash);
    }
    snprintf(name, NAME_BYTES, "nabat_%016llx", (unsigned long long)hash);
    if (known)
        return true;
    if (p->known_count + p->asked_count == PG_PREPARED_MAX || p->answer_next >= ANSWERS_MAX ||
        PQsendPrepare(pg->conn, name, sql, params->count, params->types) != 1)
        return false;
    p->asked[p->asked_count++] = (struct pg_prepared_name){sql, hash};
    p->answers |= UINT64_C(1) << p->answer_next++;
    return true;
}

bool pg_send(struct pg *pg, bool is_prepared, const char *sql, const struct pg_params *params)
{
    char name[NAME_BYTES];
    bool named = is_prepared && prepare(pg, sql, params, name);
    pg->prepared.answer_next++;
    if (named)
        return PQsendQueryPrepared(pg->conn, name, params->count, params->values, params->lengths,
                                   params->formats, 0) == 1;
    return PQsendQueryParams(pg->conn, sql, params->count, params->types, params->values,
                             params->lengths, params->formats, 0) == 1;
}

void pg_prepared_begin(struct pg_prepared *p)
{
    p->asked_count = p->answered = p->answer_next = 0;
    p->answers = 0;
}

void pg_prepared_read(struct pg_prepared *p)
{
    p->answer_next = 0;
}

bool pg_prepared_takes(struct pg_prepared *p, bool ok)
{
    size_t n = p->answer_next++;
    if (n >= ANSWERS_MAX || !(p->answers >> n & 1))
        return false;
    struct pg_prepared_name asked = p->asked[p->answered++];
    if (ok)
        p->known[p->known_count++] = asked;
    return true;
}

bool pg_prepared_lost(struct pg_prepared *p, const char *sqlstate)
{
    static const char *const STATES[] = {"26000", "42P05", "0A000"};
    if (p->never || p->known_count + p->asked_count == 0)
        return false;
    for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++)
        if (strcmp(sqlstate, STATES[i]) == 0) {
            log_info("prepared statements are not kept here: none is used on this connection",
                     LOG_S("sqlstate", sqlstate), LOG_END);
            p->never = true;
            return true;
        }
    return false;
}
