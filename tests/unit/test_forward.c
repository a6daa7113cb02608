/* test_forward.c -- where a DSN leads, and what the other side's answers mean. */
#include "tests/unit/rows.h"

#include "forward/judge.h"

struct target_row {
    const char *dsn;
    const char *url; /* NULL: it is no DSN */
    const char *key;
};
static const struct target_row TARGETS[] = {
    {"https://abc@sentry.example.org/1", "https://sentry.example.org/api/1/envelope/", "abc"},
    {"http://abc:def@127.0.0.1:8080/42", "http://127.0.0.1:8080/api/42/envelope/", "abc"},
    {"https://abc@example.org/sub/path/7", "https://example.org/sub/path/api/7/envelope/", "abc"},
    {"https://abc@example.org/one", NULL, NULL},
    {"https://abc@example.org/", NULL, NULL},
    {"https://abc@/1", NULL, NULL},
    {"https://@example.org/1", NULL, NULL},
    {"https://example.org/1", NULL, NULL},
    {"ftp://abc@example.org/1", NULL, NULL},
    {"https://a\"b@example.org/1", NULL, NULL},
    {"", NULL, NULL},
};

static void check_target(void **state)
{
    const struct target_row *row = *state;
    struct forward_target target;
    assert_int_equal(forward_target_parse(row->dsn, &target), row->url != NULL);
    if (!row->url)
        return;
    assert_string_equal(target.url, row->url);
    assert_string_equal(target.key, row->key);
    assert_non_null(strstr(target.auth, "sentry_key=abc"));
    assert_int_equal(strstr(target.auth, "sentry_secret=def") != NULL, strstr(row->dsn, "def") != NULL);
}

static const char *name_of_target(const void *row)
{
    return ((const struct target_row *)row)->dsn;
}

struct judge_row {
    int status;
    int retry_after_s;
    const char *limits;
    enum forward_verdict verdict;
    int wait_s;
};
static const struct judge_row JUDGEMENTS[] = {
    {200, 0, "", FORWARD_TAKEN, 0},
    {200, 0, "60:error:organization", FORWARD_TAKEN, 60},
    {200, 0, "60:transaction:key, 2700:default;error;security:organization:quota", FORWARD_TAKEN, 2700},
    {200, 0, "60:transaction;attachment:key", FORWARD_TAKEN, 0},
    {200, 0, "30::organization", FORWARD_TAKEN, 30},
    {200, 0, "30:", FORWARD_TAKEN, 30},
    {200, 0, "99999999::key", FORWARD_TAKEN, 3600},
    {200, 0, "nonsense, -5::key,,", FORWARD_TAKEN, 0},
    {429, 17, "", FORWARD_LATER, 17},
    {429, 0, "", FORWARD_LATER, 60},
    {429, 17, "120:error:key", FORWARD_LATER, 120},
    {0, 0, "", FORWARD_LATER, 0},
    {500, 0, "", FORWARD_LATER, 0},
    {503, 20, "", FORWARD_LATER, 20},
    {401, 0, "", FORWARD_LATER, 0},
    {403, 0, "", FORWARD_LATER, 0},
    {400, 0, "", FORWARD_REFUSED, 0},
    {413, 0, "", FORWARD_REFUSED, 0},
};

static void check_judgement(void **state)
{
    const struct judge_row *row = *state;
    struct forward_judgement j = forward_judge(row->status, row->retry_after_s, row->limits);
    assert_int_equal(j.verdict, row->verdict);
    assert_int_equal(j.wait_s, row->wait_s);
}

static const char *name_of_judgement(const void *row)
{
    static char name[100];
    const struct judge_row *r = row;
    snprintf(name, sizeof name, "%d %s", r->status, r->limits);
    return name;
}

int main(void)
{
    return rows_run("target", TARGETS, sizeof TARGETS / sizeof *TARGETS, sizeof *TARGETS, check_target,
                    name_of_target) +
           rows_run("judge", JUDGEMENTS, sizeof JUDGEMENTS / sizeof *JUDGEMENTS, sizeof *JUDGEMENTS,
                    check_judgement, name_of_judgement);
}
