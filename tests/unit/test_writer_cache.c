/* test_writer_cache.c -- what the writer remembers: found again, forgotten with the epoch, bounded. */
#include "tests/unit/rows.h"

#include "core/limits.h"
#include "store/writer_cache.h"

#include <stdio.h>
#include <string.h>

static void fingerprint(unsigned n, char out[FINGERPRINT_BYTES])
{
    snprintf(out, FINGERPRINT_BYTES, "%08x%08x%08x%08x", n * 2654435761u, n, n ^ 0x5bd1e995u, 7u);
}

static struct writer_cache *with_group(const char *key, int64_t id)
{
    struct writer_cache *cache = writer_cache_new();
    writer_cache_set_epoch(cache, "1", -1);
    writer_cache_put_group(cache, 1, key, &(struct cached_group){id, false});
    return cache;
}

static void finds_what_was_put(void **state)
{
    (void)state;
    char key[FINGERPRINT_BYTES];
    struct cached_group found;
    fingerprint(1, key);
    struct writer_cache *cache = with_group(key, 42);
    assert_true(writer_cache_find_group(cache, 1, key, &found));
    assert_int_equal(found.id, 42);
    assert_false(found.noisy);
    assert_false(writer_cache_find_group(cache, 2, key, &found)); /* another project's */
    writer_cache_put_group(cache, 1, key, &(struct cached_group){42, true});
    assert_true(writer_cache_find_group(cache, 1, key, &found));
    assert_true(found.noisy);
    writer_cache_free(cache);
}

static void forgets_with_the_epoch(void **state)
{
    (void)state;
    char key[FINGERPRINT_BYTES];
    unsigned char hash[STACK_HASH_BYTES] = {1, 2, 3};
    struct cached_group found;
    fingerprint(1, key);
    struct writer_cache *cache = with_group(key, 42);
    writer_cache_put_stack(cache, 20000, hash);
    writer_cache_set_epoch(cache, "1", SEV_INFO); /* the same: only the rules' severity is new */
    assert_true(writer_cache_find_group(cache, 1, key, &found));
    assert_int_equal(writer_cache_rule_min(cache), SEV_INFO);
    assert_true(writer_cache_has_stack(cache, 20000, hash));
    assert_false(writer_cache_has_stack(cache, 20001, hash)); /* another day's table */
    writer_cache_set_epoch(cache, "2", -1);
    assert_false(writer_cache_find_group(cache, 1, key, &found));
    assert_false(writer_cache_has_stack(cache, 20000, hash));
    assert_string_equal(writer_cache_epoch(cache), "2");
    writer_cache_free(cache);
}

static void keeps_no_odd_keys(void **state)
{
    (void)state;
    static const char *const ODD[] = {"", "abc", "0123456789abcdef0123456789abcdeg",
                                      "0123456789ABCDEF0123456789ABCDEF"};
    struct cached_group found;
    for (size_t i = 0; i < sizeof ODD / sizeof *ODD; i++) {
        struct writer_cache *cache = with_group(ODD[i], 42);
        assert_false(writer_cache_find_group(cache, 1, ODD[i], &found));
        writer_cache_free(cache);
    }
}

/* Twice as many as it holds: the newer half of its bound is there, and what was asked for stays. */
static void is_bounded_and_keeps_what_is_used(void **state)
{
    (void)state;
    char used[FINGERPRINT_BYTES];
    char key[FINGERPRINT_BYTES];
    struct cached_group found;
    unsigned kept = 0;
    fingerprint(0, used);
    struct writer_cache *cache = with_group(used, 1);
    for (unsigned n = 1; n < 2 * WRITER_CACHE_GROUPS_MAX; n++) {
        fingerprint(n, key);
        writer_cache_put_group(cache, 1, key, &(struct cached_group){n + 1, false});
        if (n % 1000 == 0)
            assert_true(writer_cache_find_group(cache, 1, used, &found));
    }
    for (unsigned n = 0; n < 2 * WRITER_CACHE_GROUPS_MAX; n++) {
        fingerprint(n, key);
        bool is_there = writer_cache_find_group(cache, 1, key, &found);
        assert_true(!is_there || found.id == n + 1);
        kept += is_there;
    }
    assert_in_range(kept, WRITER_CACHE_GROUPS_MAX / 2 - 1, WRITER_CACHE_GROUPS_MAX);
    writer_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(forgets_with_the_epoch),
        cmocka_unit_test(keeps_no_odd_keys),
        cmocka_unit_test(is_bounded_and_keeps_what_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
