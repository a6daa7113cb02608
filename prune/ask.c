/* ask.c -- one statement at a time, and figures for people. */
#include "prune/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

PGresult *prune_ask_all(struct pruning *p, const char *sql, size_t count, const char *const *params)
{
    return session_run(p->session, sql, count, params, p->err);
}

/* Text rows of a query; NULL on error. */
PGresult *prune_ask(struct pruning *p, const char *sql, const char *param)
{
    const char *params[] = {param};
    return session_run(p->session, sql, param ? 1 : 0, params, p->err);
}

bool prune_do(struct pruning *p, const char *sql, const char *param)
{
    PGresult *result = prune_ask(p, sql, param);
    PQclear(result);
    return result != NULL;
}

int64_t prune_number(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

/* "12,345"-free plain text of bytes for people. */
const char *prune_size_text(int64_t bytes, char out[SIZE_TEXT_BYTES])
{
    static const char *const UNITS[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit++;
    }
    snprintf(out, SIZE_TEXT_BYTES, unit ? "%.1f %s" : "%.0f %s", value, UNITS[unit]);
    return out;
}
