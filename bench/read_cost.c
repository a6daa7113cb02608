/* read_cost.c -- CPU of reading one native event, beside jansson's json_loadb of the same bytes; a line of JSON.
 *
 *     read_cost FILE      a JSON object
 *
 * All are measured in turns in one run; the median of nine rounds counts. CPU time, one thread. */
#include "core/limits.h"
#include "ingest/fingerprint.h"
#include "ingest/json_reader.h"
#include "ingest/native.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9 };
enum { JANSSON, PARSE, KEY, READ, SCRUBBED, KINDS };
static const char *const NAMES[KINDS] = {"jansson_us", "parse_us", "key_us", "read_us", "read_and_scrub_us"};

static struct scrub *scrub;
static struct scrub *no_scrub;

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void fail(const char *what)
{
    fprintf(stderr, "read_cost: %s\n", what);
    exit(1);
}

static void by_jansson(const char *text, size_t len)
{
    json_error_t error;
    json_t *root = json_loadb(text, len, 0, &error);
    if (!root)
        fail(error.text);
    json_decref(root);
}

static void parse(const char *text, size_t len)
{
    struct err err = {0};
    struct arena *arena = arena_new(64 * MIB);
    const char *at = text;
    if (!json_read(text, &at, text + len, arena, &err))
        fail(err.text);
    arena_free(arena);
}

static void read_event(const char *text, size_t len, const struct scrub *how)
{
    struct err err = {0};
    struct native_batch batch;
    struct native_config config = {how, 1, 1763700000000};
    struct arena *arena = arena_new(64 * MIB);
    if (!native_read(text, len, &config, arena, &batch, &err))
        fail(err.text);
    arena_free(arena);
}

/* The grouping key alone, of an event that was read before. */
static void key(const struct event *read)
{
    static const struct fingerprint_parts NONE;
    struct event event = *read;
    char frame[1024];
    fingerprint_event(&event, event.message, &NONE, frame, sizeof frame);
}

static double measure(int kind, const char *text, size_t len, int times)
{
    struct err err = {0};
    struct native_batch batch;
    struct native_config config = {no_scrub, 1, 1763700000000};
    struct arena *arena = arena_new(64 * MIB);
    if (!native_read(text, len, &config, arena, &batch, &err))
        fail(err.text);
    double start = cpu_us();
    for (int i = 0; i < times; i++) {
        if (kind == JANSSON)
            by_jansson(text, len);
        else if (kind == PARSE)
            parse(text, len);
        else if (kind == KEY)
            key(&batch.events[0]);
        else
            read_event(text, len, kind == READ ? no_scrub : scrub);
    }
    double took = (cpu_us() - start) / times;
    arena_free(arena);
    return took;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    static char text[4 * MIB];
    static double took[KINDS][ROUNDS];
    struct err err = {0};
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file)
        fail("read_cost FILE: an event as JSON");
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    scrub = scrub_new(NULL, NULL, &err);
    no_scrub = scrub_new(NULL, "password,creditcard,iban,pem,urlauth,userpath,ssn,bearer,email,cookies,"
                               "bot_token,init_data,phone,payment", &err);
    if (!scrub || !no_scrub)
        fail(err.text);
    int times = (int)(4 * MIB / (len + 1)) + 10;
    for (int round = 0; round < ROUNDS; round++)
        for (int kind = 0; kind < KINDS; kind++)
            took[kind][round] = measure(kind, text, len, times);
    printf("{\"bytes\": %zu", len);
    for (int kind = 0; kind < KINDS; kind++) {
        qsort(took[kind], ROUNDS, sizeof **took, compare);
        printf(", \"%s\": [%.3f, %.3f, %.3f]", NAMES[kind], took[kind][ROUNDS / 2], took[kind][0],
               took[kind][ROUNDS - 1]);
    }
    printf(", \"extract_us\": [%.3f]}\n", took[READ][ROUNDS / 2] - took[KEY][ROUNDS / 2]);
    scrub_free(scrub);
    scrub_free(no_scrub);
    return 0;
}
