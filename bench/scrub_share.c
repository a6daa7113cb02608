/* scrub_share.c -- what scrubbing costs of reading one Sentry event: with all rules, and with all off.
 *
 *     scrub_share [FILE …]     each holds one event as JSON; without one, an event of 20 frames
 *
 * Both are measured in turns in one run; the median of nine rounds counts. CPU time, one thread. */
#include "core/limits.h"
#include "ingest/sentry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9, EVENT_FRAMES = 20, CRUMBS = 20, FILE_BYTES_MAX = 16 * MIB };

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_event(struct buf *out)
{
    buf_add_str(out, "{\"platform\":\"python\",\"level\":\"error\",\"exception\":{\"values\":[{\"type\":"
                     "\"KeyError\",\"value\":\"'total'\",\"stacktrace\":{\"frames\":[");
    for (int i = 0; i < EVENT_FRAMES; i++)
        buf_addf(out,
                 "%s{\"filename\":\"app/handlers/pay%d.py\",\"abs_path\":\"/srv/bot/app/handlers/pay%d.py\","
                 "\"module\":\"app.handlers.pay%d\",\"function\":\"handle_%d\",\"lineno\":%d,\"in_app\":true,"
                 "\"pre_context\":[\"async def handle(message: Message) -> None:\",\"    prices = await load(message)\","
                 "\"    if not prices:\",\"        return\",\"\"],\"context_line\":\"    await message.answer(str(prices['total']))\","
                 "\"post_context\":[\"\",\"\",\"async def load(message: Message) -> dict:\",\"    return {}\",\"\"],"
                 "\"vars\":{\"message\":\"Message(message_id=%d, date=datetime.datetime(2026, 11, 21, 12, 0), "
                 "chat=Chat(id=-100123456, type='supergroup'), from_user=User(id=4242, is_bot=False))\","
                 "\"prices\":{},\"self\":\"<app.bot.Bot object at 0x7f8cd10100d0>\",\"n\":%d}}",
                 i ? "," : "", i, i, i, i, i + 10, i, i);
    buf_add_str(out, "]}}]},\"breadcrumbs\":{\"values\":[");
    for (int i = 0; i < CRUMBS; i++)
        buf_addf(out, "%s{\"category\":\"httplib\",\"data\":{\"url\":\"https://api.example/v1/items/%d\",\"method\":\"GET\","
                      "\"status_code\":200},\"timestamp\":1763700000.%d}", i ? "," : "", i, i);
    buf_add_str(out, "]},\"request\":{\"url\":\"https://bot.example/telegram/webhook\",\"headers\":{\"User-Agent\":\"x\","
                     "\"Content-Type\":\"application/json\"}},\"tags\":{\"plan\":\"pro\"},\"user\":{\"id\":4242},"
                     "\"extra\":{\"sys.argv\":[\"bot.py\"]},\"contexts\":{\"runtime\":{\"name\":\"CPython\"}}}");
}

/* Microseconds of CPU an event. */
static double measure(const struct scrub *scrub, const struct buf *json, int times)
{
    struct sentry_config config = {scrub, SEV_CRITICAL, 1, 1763700000000, NULL, false};
    double start = cpu_seconds();
    for (int i = 0; i < times; i++) {
        struct sentry_batch batch;
        struct err err = {0};
        struct arena *arena = arena_new(64 * MIB);
        if (!sentry_read_event(json->data, json->len, &config, arena, &batch, &err)) {
            fprintf(stderr, "scrub_share: %s\n", err.text);
            exit(1);
        }
        arena_free(arena);
    }
    return (cpu_seconds() - start) * 1e6 / times;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void report(const char *name, const struct buf *json, const struct scrub *on,
                   const struct scrub *off)
{
    double with[ROUNDS];
    double without[ROUNDS];
    int times = (int)(20 * MIB / (json->len + 1)) + 10;
    for (int i = 0; i < ROUNDS; i++) {
        with[i] = measure(on, json, times);
        without[i] = measure(off, json, times);
    }
    qsort(with, ROUNDS, sizeof *with, compare);
    qsort(without, ROUNDS, sizeof *without, compare);
    double a = with[ROUNDS / 2];
    double b = without[ROUNDS / 2];
    printf("%-40.40s %8zu bytes  %8.1f us with (%.1f..%.1f), %8.1f without: scrubbing is %.0f %%\n", name,
           json->len, a, with[0], with[ROUNDS - 1], b, 100 * (a - b) / a);
}

int main(int argc, char **argv)
{
    static const char ALL[] = "password,creditcard,iban,pem,urlauth,userpath,ssn,bearer,email,cookies,"
                              "bot_token,init_data,phone,payment";
    struct err err = {0};
    struct scrub *on = scrub_new(NULL, NULL, &err);
    struct scrub *off = scrub_new(NULL, ALL, &err);
    for (int i = 1; i < argc || i == 1; i++) {
        struct buf json;
        buf_init(&json, FILE_BYTES_MAX);
        FILE *file = i < argc ? fopen(argv[i], "rb") : NULL;
        if (i < argc && !file) {
            perror(argv[i]);
            return 1;
        }
        char chunk[16 * KIB];
        for (size_t n; file && (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
            buf_add(&json, chunk, n);
        if (file)
            fclose(file);
        else
            make_event(&json);
        report(file ? strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i] : "made here", &json, on, off);
        buf_fini(&json);
    }
    scrub_free(on);
    scrub_free(off);
    return 0;
}
