/* test_spool.c -- records of the spool: what is written is read, and what is damaged is said to be. */
#include "tests/unit/rows.h"

#include "spool/record.h"

#include "core/limits.h"

#include <string.h>

enum { SALT = 0x12345678 };
enum { FILE_BYTES_MAX = 1 * MIB, ARENA_BYTES = 4 * MIB };

static const struct event FULL = {
    .event_id = "0123456789abcdef0123456789abcdef",
    .fingerprint = "fedcba9876543210fedcba9876543210",
    .id = 77,
    .occurred_ms = 1700000000123,
    .received_ms = 1700000000456,
    .project_id = 3,
    .severity = SEV_CRITICAL,
    .status = STATUS_RESOLVED,
    .is_import = true,
    .has_chat_id = true,
    .chat_id = -1001234567890,
    .origin = "aiogram_handler",
    .title = "ValueError: плохо 💥",
    .culprit = "a.b",
    .handler = "start",
    .message = "плохо 💥",
    .exception_type = "ValueError",
    .stacktrace = "Traceback\n  File \"x\"",
    .user_id = "5",
    .gen_request_id = "g",
    .request_id = "r",
    .session_id = "s",
    .trace_id = "t",
    .environment = "prod",
    .release = "1.0",
    .server_name = "host",
    .payload = "{\"a\":1}",
    .tags = "{}",
    .breadcrumbs = "[]",
};
static const struct event SMALL = {
    .event_id = "00000000000000000000000000000001",
    .fingerprint = "00000000000000000000000000000002",
    .received_ms = 1,
    .project_id = 1,
    .severity = SEV_ERROR,
    .origin = "other",
    .title = "x",
};

static void assert_same_text(const char *a, const char *b)
{
    if (a && b)
        assert_string_equal(a, b);
    else
        assert_ptr_equal(a, b);
}

static void assert_same(const struct event *a, const struct event *b)
{
    assert_string_equal(a->event_id, b->event_id);
    assert_string_equal(a->fingerprint, b->fingerprint);
    assert_true(a->id == b->id && a->occurred_ms == b->occurred_ms && a->received_ms == b->received_ms);
    assert_true(a->project_id == b->project_id && a->severity == b->severity && a->status == b->status);
    assert_true(a->is_import == b->is_import && a->has_chat_id == b->has_chat_id && a->chat_id == b->chat_id);
    const char *const x[] = {a->origin, a->title, a->culprit, a->handler, a->message, a->exception_type,
                             a->stacktrace, a->user_id, a->gen_request_id, a->request_id, a->session_id,
                             a->trace_id, a->environment, a->release, a->server_name, a->payload, a->tags,
                             a->breadcrumbs};
    const char *const y[] = {b->origin, b->title, b->culprit, b->handler, b->message, b->exception_type,
                             b->stacktrace, b->user_id, b->gen_request_id, b->request_id, b->session_id,
                             b->trace_id, b->environment, b->release, b->server_name, b->payload, b->tags,
                             b->breadcrumbs};
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        assert_same_text(x[i], y[i]);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct attachment second = {.name = "b.bin", .data = "\0\1\2", .len = 3, .bytes = 3};
    struct attachment first = {.name = "a.txt", .content_type = "text/plain", .bytes = 9000000, .next = &second};
    struct event with_files = FULL;
    struct buf file;
    struct record record;
    size_t at = 0;
    size_t skipped = 0;
    with_files.attachments = &first;
    with_files.detail = "de\0tail";
    with_files.detail_len = 7;
    buf_init(&file, FILE_BYTES_MAX);
    assert_true(record_add_event(&file, SALT, &FULL) && record_add_event(&file, SALT, &SMALL));
    assert_true(record_add_event(&file, SALT, &with_files));
    struct arena *arena = arena_new(ARENA_BYTES);
    struct event e;
    assert_int_equal(record_next(file.data, file.len, SALT, &at, &record, &skipped), RECORD_FOUND);
    assert_true(record_read_event(&record, arena, &e));
    assert_same(&e, &FULL);
    assert_int_equal(record_next(file.data, file.len, SALT, &at, &record, &skipped), RECORD_FOUND);
    assert_true(record_read_event(&record, arena, &e));
    assert_same(&e, &SMALL);
    assert_int_equal(record_next(file.data, file.len, SALT, &at, &record, &skipped), RECORD_FOUND);
    assert_true(record_read_event(&record, arena, &e));
    assert_memory_equal(e.detail, "de\0tail", 7);
    assert_string_equal(e.attachments->name, "a.txt");
    assert_null(e.attachments->data);
    assert_int_equal(e.attachments->bytes, 9000000);
    assert_memory_equal(e.attachments->next->data, "\0\1\2", 3);
    assert_null(e.attachments->next->content_type);
    assert_null(e.attachments->next->next);
    assert_int_equal(record_next(file.data, file.len, SALT, &at, &record, &skipped), RECORD_END);
    arena_free(arena);
    buf_fini(&file);
}

static void a_rang_is_read_back(void **state)
{
    (void)state;
    struct rang in = {.project_id = 2, .fingerprint = "fedcba9876543210fedcba9876543210", .chat_id = -100,
                      .thread_id = 4, .message_id = 99, .at_ms = 1700000000000, .is_card = true};
    struct rang out;
    struct record record;
    struct buf file;
    size_t at = 0;
    size_t skipped = 0;
    buf_init(&file, FILE_BYTES_MAX);
    assert_true(record_add_rang(&file, SALT, &in));
    assert_int_equal(record_next(file.data, file.len, SALT, &at, &record, &skipped), RECORD_FOUND);
    assert_true(record_read_rang(&record, &out));
    assert_true(out.chat_id == in.chat_id && out.thread_id == 4 && out.message_id == 99 && out.is_card);
    assert_string_equal(out.fingerprint, in.fingerprint);
    buf_fini(&file);
}

/* How many of the three events of the file are found, and whether anything was said of the rest. */
static int read_all(const char *data, size_t len, bool *said)
{
    size_t at = 0;
    int found = 0;
    *said = false;
    for (int calls = 0; calls < 100; calls++) {
        struct record record;
        struct event e;
        size_t skipped = 0;
        enum record_find f = record_next(data, len, SALT, &at, &record, &skipped);
        assert_true(at <= len);
        if (f == RECORD_END)
            return found;
        if (f != RECORD_FOUND) {
            assert_true(skipped > 0);
            *said = true;
            continue;
        }
        struct arena *arena = arena_new(ARENA_BYTES);
        found += record_read_event(&record, arena, &e);
        arena_free(arena);
    }
    fail_msg("it does not end");
    return 0;
}

static void fill(struct buf *file)
{
    buf_init(file, FILE_BYTES_MAX);
    assert_true(record_add_event(file, SALT, &SMALL) && record_add_event(file, SALT, &FULL) && record_add_event(file, SALT, &SMALL));
}

static void one_bit_costs_one_event_and_is_said(void **state)
{
    (void)state;
    struct buf file;
    fill(&file);
    for (size_t byte = 0; byte < file.len; byte++)
        for (int bit = 0; bit < 8; bit++) {
            bool said = false;
            file.data[byte] = (char)(file.data[byte] ^ 1 << bit);
            assert_int_equal(read_all(file.data, file.len, &said), 2);
            assert_true(said);
            file.data[byte] = (char)(file.data[byte] ^ 1 << bit);
        }
    buf_fini(&file);
}

static void a_torn_end_costs_only_what_was_torn(void **state)
{
    (void)state;
    struct buf file;
    fill(&file);
    size_t whole = 0;
    for (size_t len = 0; len <= file.len; len++) {
        bool said = false;
        char *copy = malloc(len ? len : 1); /* exact: reading beyond it is seen */
        memcpy(copy, file.data, len);
        int found = read_all(copy, len, &said);
        free(copy);
        assert_true(found >= (int)whole);
        whole = (size_t)found;
    }
    assert_int_equal(whole, 3);
    buf_fini(&file);
}

static void zeros_at_the_end_are_torn_not_damaged(void **state)
{
    (void)state;
    struct buf file;
    struct record record;
    size_t at = 0;
    size_t skipped = 0;
    char zeros[100] = {0};
    buf_init(&file, FILE_BYTES_MAX);
    assert_true(record_add_event(&file, SALT, &SMALL) && buf_add(&file, zeros, sizeof zeros));
    assert_int_equal(record_next(file.data, file.len, SALT, &at, &record, &skipped), RECORD_FOUND);
    assert_int_equal(record_next(file.data, file.len, SALT, &at, &record, &skipped), RECORD_TORN);
    assert_int_equal(skipped, sizeof zeros);
    buf_fini(&file);
}

static void a_full_buffer_keeps_what_it_had(void **state)
{
    (void)state;
    struct buf file;
    bool said = false;
    buf_init(&file, 900);
    assert_true(record_add_event(&file, SALT, &SMALL));
    size_t len = file.len;
    struct event big = FULL;
    char stack[2000];
    memset(stack, 'x', sizeof stack - 1);
    stack[sizeof stack - 1] = '\0';
    big.stacktrace = stack;
    assert_false(record_add_event(&file, SALT, &big));
    assert_int_equal(file.len, len);
    assert_true(record_add_event(&file, SALT, &SMALL));
    assert_int_equal(read_all(file.data, file.len, &said), 2);
    assert_false(said);
    buf_fini(&file);
}

static void heads_say_whose_and_which(void **state)
{
    (void)state;
    char head[RECORD_FILE_HEAD_BYTES];
    uint32_t version = 9;
    uint32_t salt = 0;
    record_file_head(SALT, head);
    assert_true(record_file_is_ours(head, sizeof head, &version, &salt));
    assert_int_equal(version, RECORD_FORMAT_VERSION);
    assert_int_equal(salt, SALT);
    assert_false(record_file_is_ours(head, sizeof head - 1, &version, &salt));
    head[8] = 2;
    assert_false(record_file_is_ours(head, sizeof head, &version, &salt));
    assert_int_equal(version, 2);
    head[0] = 'X';
    assert_false(record_file_is_ours(head, sizeof head, &version, &salt));
    assert_int_equal(version, 0);
}

/* A record in an attachment is not believed, and many that seem to begin cost no more than one. */
static void nobody_can_forge_a_record(void **state)
{
    (void)state;
    struct buf forged;
    struct buf file;
    struct record record;
    bool said = false;
    size_t at = 0;
    size_t skipped = 0;
    buf_init(&forged, FILE_BYTES_MAX);
    buf_init(&file, FILE_BYTES_MAX);
    assert_true(record_add_event(&forged, 1, &SMALL));
    for (int i = 0; i < 10000; i++)
        assert_true(buf_add(&forged, "NBR1\0\0\4\0", 8));
    struct attachment a = {.name = "evil.bin", .data = forged.data, .len = forged.len, .bytes = forged.len};
    struct event e = SMALL;
    e.attachments = &a;
    assert_true(record_add_event(&file, SALT, &e));
    file.data[30] ^= 1;
    assert_int_equal(read_all(file.data, file.len, &said), 0);
    assert_int_equal(record_next(file.data, file.len, SALT, &at, &record, &skipped), RECORD_DAMAGED);
    assert_int_equal(at, file.len);
    buf_fini(&forged);
    buf_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_rang_is_read_back),
        cmocka_unit_test(one_bit_costs_one_event_and_is_said),
        cmocka_unit_test(a_torn_end_costs_only_what_was_torn),
        cmocka_unit_test(zeros_at_the_end_are_torn_not_damaged),
        cmocka_unit_test(a_full_buffer_keeps_what_it_had),
        cmocka_unit_test(heads_say_whose_and_which),
        cmocka_unit_test(nobody_can_forge_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
