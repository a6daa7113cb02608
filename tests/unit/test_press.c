/* test_press.c -- callback_data: rows of bytes, what is read of them. */
#include "tests/unit/rows.h"

#include "bot/press.h"

#include <string.h>

struct row {
    const char *data;
    const char *name;
    int64_t group_id;
    bool has_person;
    int64_t person_id;
};
static const struct row ROWS[] = {
    {"take:7", "take", 7, false, -1},
    {"to:12:345", "to", 12, true, 345},
    {"to:12:0", "to", 12, true, 0},
    {"to:12:", "to", 12, true, -1},
    {"to:12:3x", "to", 12, true, -1},
    {"take", "take", 0, false, -1},
    {"take:", "take", 0, false, -1},
    {"take:0", "take", 0, false, -1},
    {"take:-7", "take", 0, false, -1},
    {"take: 7", "take", 0, false, -1},
    {"take:7 ", "take", 0, false, -1},
    {"take:99999999999999999999", "take", 0, false, -1},
    {"", "", 0, false, -1},
    {":7", "", 7, false, -1},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct press p = press_parse(row->data);
    assert_true(press_is(&p, row->name));
    assert_int_equal(p.group_id, row->group_id);
    assert_int_equal(p.has_person, row->has_person);
    assert_int_equal(p.person_id, row->person_id);
}

static const char *name_of_row(const void *row)
{
    return ((const struct row *)row)->data;
}

int main(void)
{
    struct press none = press_parse(NULL);
    return !press_is(&none, "") + ROWS_RUN("press", ROWS, check_row, name_of_row);
}
