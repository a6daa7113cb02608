/* test_lane.c -- what one chat is sent next: rows of what waits, one act out. */
#include "tests/unit/rows.h"

#include "alerts/lane.h"
#include "core/limits.h"

#include <string.h>

enum { NOW = 1000000000, GROUP = -7 };

struct row {
    const char *name;
    int used; /* messages that went to the chat 30 s ago */
    struct chat_view view;
    enum lane_act act;
    enum digest_reason reason;
    int64_t wait_ms;
};

#define STORM(...) .digest = {.id = 1, .reason = DIGEST_STORM, __VA_ARGS__}
#define NOTHING_ELSE .next_ms = -1

static const struct row ROWS[] = {
    {"a lost answer is no storm", 0, {.again_due = 30, NOTHING_ELSE}, LANE_CARD, 0, 0},
    {"nor part of one", 0, {.again_due = 1, STORM(.is_sent = true), NOTHING_ELSE}, LANE_CARD, 0, 0},
    {"nothing waits", 0, {NOTHING_ELSE}, LANE_WAIT, 0, -1},
    {"something is due later", 0, {.next_ms = 4000}, LANE_WAIT, 0, 4000},
    {"one alert is a card", 0, {.due = 1, NOTHING_ELSE}, LANE_CARD, 0, 0},
    {"as many as the minute takes are cards", 0, {.due = 15, NOTHING_ELSE}, LANE_CARD, 0, 0},
    {"one more is a storm", 0, {.due = 16, NOTHING_ELSE}, LANE_FOLD, DIGEST_STORM, 0},
    {"a few wait for the minute", 15, {.due = 5, NOTHING_ELSE}, LANE_WAIT, 0, 30000},
    {"more than a few are a storm", 15, {.due = 6, NOTHING_ELSE}, LANE_FOLD, DIGEST_STORM, 0},
    {"a storm takes what comes",
     0,
     {.due = 1, STORM(.is_sent = true), NOTHING_ELSE},
     LANE_FOLD,
     DIGEST_STORM,
     0},
    {"a storm that is too long goes on in a new message",
     0,
     {.due = 20, STORM(.is_sent = true, .opened_ago_ms = 1800 * 1000), NOTHING_ELSE},
     LANE_FOLD,
     DIGEST_STORM,
     0},
    {"its message is sent first",
     0,
     {.changes = 3, STORM(.rows = 20), NOTHING_ELSE},
     LANE_DIGEST,
     0,
     0},
    {"but not before its time",
     0,
     {STORM(.rows = 20, .next_try_ms = 700), NOTHING_ELSE},
     LANE_WAIT,
     0,
     700},
    {"one that rests lets new alerts pass", 0, {.due = 1, STORM(.rows = 20, .next_try_ms = 9000), NOTHING_ELSE}, LANE_CARD, 0, 0},
    {"and repeats", 0, {.again_due = 1, STORM(.rows = 20, .next_try_ms = 9000), NOTHING_ELSE}, LANE_CARD, 0, 0},
    {"but for so many that they are a storm", 0, {.due = 16, STORM(.rows = 20, .next_try_ms = 9000), NOTHING_ELSE}, LANE_FOLD,
     DIGEST_STORM, 0},
    {"one that goes in a moment does not", 0, {.again_due = 1, STORM(.rows = 20, .next_try_ms = 4000), NOTHING_ELSE}, LANE_WAIT, 0,
     4000},
    {"a change on a card goes before the digest's numbers",
     0,
     {.changes = 1,
      STORM(.is_sent = true, .rows = 9, .shown_rows = 8, .shown_ago_ms = 11000),
      NOTHING_ELSE},
     LANE_EDIT,
     0,
     0},
    {"the digest grows",
     0,
     {STORM(.is_sent = true, .rows = 9, .shown_rows = 8, .shown_ago_ms = 11000), NOTHING_ELSE},
     LANE_DIGEST,
     0,
     0},
    {"at most once in ten seconds",
     0,
     {STORM(.is_sent = true, .rows = 9, .shown_rows = 8, .shown_ago_ms = 4000), NOTHING_ELSE},
     LANE_WAIT,
     0,
     6000},
    {"what it names was changed",
     0,
     {STORM(.is_sent = true, .rows = 9, .shown_rows = 9, .is_stale = true, .shown_ago_ms = 11000),
      NOTHING_ELSE},
     LANE_DIGEST,
     0,
     0},
    {"the list follows after half a minute",
     0,
     {STORM(.is_sent = true, .rows = 500, .shown_rows = 500, .opened_ago_ms = 30000), NOTHING_ELSE},
     LANE_LIST,
     0,
     0},
    {"not before",
     0,
     {STORM(.is_sent = true, .rows = 500, .shown_rows = 500, .opened_ago_ms = 29000), NOTHING_ELSE},
     LANE_WAIT,
     0,
     1000},
    {"no file for what one page names",
     0,
     {STORM(.is_sent = true, .rows = 15, .shown_rows = 15, .opened_ago_ms = 59000,
            .added_ago_ms = 59000),
      NOTHING_ELSE},
     LANE_WAIT,
     0,
     1000},
    {"a list that grew comes again at the end",
     0,
     {STORM(.is_sent = true, .rows = 501, .shown_rows = 501, .listed_rows = 500,
            .opened_ago_ms = 90000, .added_ago_ms = 60000),
      NOTHING_ELSE},
     LANE_LIST,
     0,
     0},
    {"not in the middle",
     0,
     {STORM(.is_sent = true, .rows = 501, .shown_rows = 501, .listed_rows = 500,
            .opened_ago_ms = 90000, .added_ago_ms = 50000),
      NOTHING_ELSE},
     LANE_WAIT,
     0,
     10000},
    {"a minute without a new one ends it",
     0,
     {STORM(.is_sent = true, .rows = 9, .shown_rows = 9, .added_ago_ms = 60000), NOTHING_ELSE},
     LANE_CLOSE,
     0,
     0},
    {"closed, nothing more",
     0,
     {STORM(.is_sent = true, .is_closed = true, .rows = 9, .shown_rows = 9, .added_ago_ms = 60000),
      NOTHING_ELSE},
     LANE_WAIT,
     0,
     -1},
    {"waited too long: said together",
     0,
     {.due = 2, .late = 1, NOTHING_ELSE},
     LANE_FOLD,
     DIGEST_LATE,
     0},
    {"waited too long, in a storm",
     0,
     {.due = 2, .late = 1, STORM(.is_sent = true), NOTHING_ELSE},
     LANE_FOLD,
     DIGEST_STORM,
     0},
    {"one held back comes as a card",
     0,
     {.held_due = 1, .held_reason = DIGEST_QUIET, NOTHING_ELSE},
     LANE_CARD,
     0,
     0},
    {"several come together",
     0,
     {.held_due = 2, .held_reason = DIGEST_QUIET, NOTHING_ELSE},
     LANE_FOLD,
     DIGEST_QUIET,
     0},
    {"what another channel rang is always said as such",
     0,
     {.held_due = 1, .held_reason = DIGEST_FALLBACK, NOTHING_ELSE},
     LANE_FOLD,
     DIGEST_FALLBACK,
     0},
    {"out of reach: nothing is folded, one alert asks whether it is back", 0, {.due = 90, .is_out = true, NOTHING_ELSE},
     LANE_CARD, 0, 0},
    {"out of reach: what rang elsewhere waits as one", 0,
     {.held_due = 1, .held_reason = DIGEST_FALLBACK, .is_out = true, NOTHING_ELSE}, LANE_FOLD, DIGEST_FALLBACK, 0},
    {"words under cards", 0, {.notes_due = 1, NOTHING_ELSE}, LANE_CARD, 0, 0},
    {"counts come last", 0, {.counts = 1, NOTHING_ELSE}, LANE_EDIT_COUNTS, 0, 0},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    static struct pacer pacer;
    struct chat_view view = row->view;
    memset(&pacer, 0, sizeof pacer);
    view.chat_id = GROUP;
    for (int i = 0; i < row->used; i++)
        pacer_take(&pacer, GROUP, PACE_ALERT, NOW - 30000);
    struct lane_step step = lane_next(&view, &pacer, NOW);
    assert_int_equal(step.act, row->act);
    if (row->act == LANE_FOLD)
        assert_int_equal(step.reason, row->reason);
    if (row->act == LANE_WAIT)
        assert_int_equal(step.wait_ms, row->wait_ms);
}

static const char *name_of_row(const void *row)
{
    return ((const struct row *)row)->name;
}

int main(void)
{
    return ROWS_RUN("lane", ROWS, check_row, name_of_row);
}
