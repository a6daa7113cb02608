/* mirror.c -- results as JSON, {"version": 1, "projects": [[["1", "key", null], …], …], …}, and back. */
#include "store/mirror.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"

#include <jansson.h>
#include <stdlib.h>

static const double WRITE_SECONDS = 2.0;
enum { MIRROR_VERSION = 1 };
static const char *const SET_NAMES[MIRROR_SETS] = {"projects", "known"};
static const size_t SET_RESULTS[MIRROR_SETS] = {1, MIRROR_KNOWN_RESULTS};

struct mirror {
    struct ev_loop *loop;
    struct spool *spool;
    json_t *sets[MIRROR_SETS]; /* NULL: not known */
    bool changed;
    ev_timer write;
};

static json_t *rows_of(const PGresult *result)
{
    json_t *rows = json_array();
    for (int row = 0; row < PQntuples(result); row++) {
        json_t *cells = json_array();
        for (int c = 0; c < PQnfields(result); c++) {
            const char *text = PQgetvalue(result, row, c);
            json_array_append_new(cells, PQgetisnull(result, row, c)
                                             ? json_null()
                                             : json_stringn_nocheck(text, strlen(text)));
        }
        json_array_append_new(rows, cells);
    }
    return rows;
}

/* libpq can make a result by hand: the decoders do not see the difference. */
static PGresult *result_of(const json_t *rows)
{
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc columns[40] = {{0}};
    size_t width = json_array_size(json_array_get(rows, 0));
    static char name[] = "";
    if (!result)
        mem_exhausted();
    if (width > sizeof columns / sizeof *columns)
        width = sizeof columns / sizeof *columns;
    for (size_t c = 0; c < width; c++)
        columns[c].name = name;
    if (width && !PQsetResultAttrs(result, (int)width, columns))
        mem_exhausted();
    for (size_t row = 0; row < json_array_size(rows); row++)
        for (size_t c = 0; c < width; c++) {
            const json_t *cell = json_array_get(json_array_get(rows, row), c);
            char *text = (char *)(uintptr_t)json_string_value(cell); /* it is only read */
            int len = text ? (int)json_string_length(cell) : -1;
            if (!PQsetvalue(result, (int)row, (int)c, text, len))
                mem_exhausted();
        }
    return result;
}

static void on_write(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct mirror *m = timer->data;
    bool due = m->changed || spool_mirror_is_stale(m->spool);
    if (!due || !spool_state(m->spool)->is_open)
        return;
    json_t *all = json_pack("{s:i}", "version", MIRROR_VERSION);
    for (size_t i = 0; i < MIRROR_SETS; i++)
        if (m->sets[i])
            json_object_set(all, SET_NAMES[i], m->sets[i]);
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    m->changed = !text || !spool_put_mirror(m->spool, text);
}

struct mirror *store_mirror_new(struct ev_loop *loop, struct spool *spool)
{
    struct mirror *m = mem_alloc(sizeof *m);
    m->loop = loop;
    m->spool = spool;
    ev_timer_init(&m->write, on_write, WRITE_SECONDS, WRITE_SECONDS);
    m->write.data = m;
    if (spool)
        ev_timer_start(loop, &m->write);
    return m;
}

void store_mirror_free(struct mirror *m)
{
    if (!m)
        return;
    ev_timer_stop(m->loop, &m->write);
    for (size_t i = 0; i < MIRROR_SETS; i++)
        json_decref(m->sets[i]);
    free(m);
}

void store_mirror_put(struct mirror *m, enum mirror_set set, PGresult *const *results)
{
    json_t *list = json_array();
    for (size_t i = 0; i < SET_RESULTS[set]; i++)
        json_array_append_new(list, rows_of(results[i]));
    if (m->sets[set] && json_equal(m->sets[set], list)) {
        json_decref(list);
        return;
    }
    json_decref(m->sets[set]);
    m->sets[set] = list;
    m->changed = true;
}

bool store_mirror_get(const struct mirror *m, enum mirror_set set,
                      PGresult *out[MIRROR_RESULTS_MAX])
{
    if (!m->sets[set] || json_array_size(m->sets[set]) != SET_RESULTS[set])
        return false;
    for (size_t i = 0; i < SET_RESULTS[set]; i++)
        out[i] = result_of(json_array_get(m->sets[set], i));
    return true;
}

bool store_mirror_read(struct mirror *m, const char *text)
{
    json_error_t why;
    json_t *all = json_loads(text, 0, &why);
    bool ok = json_integer_value(json_object_get(all, "version")) == MIRROR_VERSION;
    if (!ok)
        log_warn("the mirror beside the spool can't be read: it is made anew", LOG_END);
    for (size_t i = 0; ok && i < MIRROR_SETS; i++) {
        json_t *set = json_object_get(all, SET_NAMES[i]);
        if (!m->sets[i] && json_is_array(set))
            m->sets[i] = json_incref(set);
    }
    json_decref(all);
    return ok;
}
