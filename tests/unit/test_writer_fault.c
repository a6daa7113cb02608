/* test_writer_fault.c -- which error concerns whom: rows of what the server said. */
#include "tests/unit/rows.h"

#include "store/writer_fault.h"

#include <string.h>

struct row {
    const char *name;
    const char *sqlstate;
    enum err_kind kind;
    bool has_constraint;
    bool is_direct;
    bool lost_statement;
    enum writer_fault fault;
    bool passes;
};

static const struct row ROWS[] = {
    {"the connection broke", "", ERR_RETRY, false, false, false, FAULT_AWAY, false},
    {"the connection broke under a direct batch", "", ERR_RETRY, false, true, false, FAULT_AWAY,
     false},
    {"the server stops", "57P01", ERR_RETRY, false, false, false, FAULT_AWAY, false},
    {"the disk is full", "53100", ERR_RETRY, false, false, false, FAULT_AWAY, false},
    {"read-only", "25006", ERR_RETRY, false, false, false, FAULT_AWAY, false},
    {"a repeat under a direct batch", "23505", ERR_INPUT, true, true, false, FAULT_MEMORY, true},
    {"a row is held under a direct batch", "55P03", ERR_RETRY, false, true, false, FAULT_MEMORY,
     true},
    {"a value is refused under a direct batch", "22P05", ERR_BUG, false, true, false, FAULT_MEMORY,
     true},
    {"memory is wrong", "NB409", ERR_INPUT, false, true, false, FAULT_MEMORY, true},
    {"a statement is lost", "26000", ERR_RETRY, false, false, true, FAULT_MEMORY, true},
    {"a statement's name is taken", "42P05", ERR_RETRY, false, false, true, FAULT_MEMORY, true},
    {"what was looked up changed", "NB409", ERR_INPUT, false, false, false, FAULT_STALE, true},
    {"another instance was first", "23505", ERR_INPUT, true, false, false, FAULT_RACE, true},
    {"deadlock", "40P01", ERR_RETRY, false, false, false, FAULT_RACE, true},
    {"serialization", "40001", ERR_RETRY, false, false, false, FAULT_RACE, true},
    {"no leaf", "23514", ERR_INPUT, false, false, false, FAULT_DAY, true},
    {"no leaf under a direct batch", "23514", ERR_INPUT, false, true, false, FAULT_DAY, true},
    {"a check of ours", "23514", ERR_INPUT, true, false, false, FAULT_EVENTS, false},
    {"no such table", "42P01", ERR_BUG, false, false, false, FAULT_SCHEMA, false},
    {"no right", "42501", ERR_BUG, false, false, false, FAULT_SCHEMA, false},
    {"no such schema", "3F000", ERR_BUG, false, false, false, FAULT_SCHEMA, false},
    {"a value is refused", "22P05", ERR_BUG, false, false, false, FAULT_EVENTS, false},
    {"too large for the server", "54000", ERR_BUG, false, false, false, FAULT_EVENTS, false},
};

static void check(void **state)
{
    const struct row *row = *state;
    struct err err = {.kind = row->kind};
    struct pg_reply reply = {
        .err = &err, .has_constraint = row->has_constraint, .lost_statement = row->lost_statement};
    memcpy(reply.sqlstate, row->sqlstate, strlen(row->sqlstate) + 1);
    enum writer_fault fault = writer_fault(&reply, row->is_direct);
    assert_int_equal(fault, row->fault);
    assert_int_equal(writer_fault_passes(fault), row->passes);
}

static const char *name_of(const void *row)
{
    return ((const struct row *)row)->name;
}

int main(void)
{
    return ROWS_RUN("writer fault", ROWS, check, name_of);
}
