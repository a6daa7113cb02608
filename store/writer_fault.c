/* writer_fault.c -- SQLSTATEs (PostgreSQL, appendix A) into what the writer does. */
#include "store/writer_fault.h"

#include <string.h>

static bool is_of(const char *sqlstate, const char *class_or_state)
{
    return strncmp(sqlstate, class_or_state, strlen(class_or_state)) == 0;
}

enum writer_fault writer_fault(const struct pg_reply *reply, bool is_direct)
{
    const char *state = reply->sqlstate;
    bool no_leaf = is_of(state, "23514") && !reply->has_constraint;
    if (no_leaf)
        return FAULT_DAY;
    if (state[0] && (is_direct || reply->lost_statement))
        return FAULT_MEMORY;
    if (is_of(state, "NB409")) /* nabat_stale, sql/010_writer.sql */
        return FAULT_STALE;
    if (is_of(state, "23505") || is_of(state, "40"))
        return FAULT_RACE;
    if (is_of(state, "42") || is_of(state, "3F"))
        return FAULT_SCHEMA;
    return reply->err->kind == ERR_RETRY ? FAULT_AWAY : FAULT_EVENTS;
}

bool writer_fault_passes(enum writer_fault fault)
{
    return fault == FAULT_MEMORY || fault == FAULT_STALE || fault == FAULT_RACE ||
           fault == FAULT_DAY;
}
