/* rows.h -- tests as rows: each row of a table becomes a cmocka test of its own name. */
#ifndef NABAT_TESTS_ROWS_H
#define NABAT_TESTS_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Runs `check(row)` for each of `count` rows of `size` bytes; `name_of` names a row. */
static inline int rows_run(const char *group, const void *rows, size_t count, size_t size,
                           CMUnitTestFunction check, const char *(*name_of)(const void *row))
{
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    char(*names)[120] = calloc(count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        const char *row = (const char *)rows + i * size;
        snprintf(names[i], sizeof names[i], "%s[%zu] %.90s", group, i, name_of(row));
        for (char *p = names[i]; *p; p++)
            *p = (unsigned char)*p < 0x20 || *p == 0x7f ? '.' : *p;
        tests[i].name = names[i];
        tests[i].test_func = check;
        tests[i].initial_state = (void *)(uintptr_t)row;
    }
    int failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    free(tests);
    free(names);
    return failed;
}
#define ROWS_RUN(group, rows, check, name_of)                                                      \
    rows_run((group), (rows), sizeof(rows) / sizeof *(rows), sizeof *(rows), (check), (name_of))

#endif
