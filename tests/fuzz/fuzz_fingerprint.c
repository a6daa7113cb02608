/* fuzz_fingerprint.c -- the grouping key: the same twice, 32 hex digits, and the same whatever environment, release
 * and severity say. Lines of the input are the parts of a chain. */
#include "core/utf8.h"
#include "ingest/fingerprint.h"
#include "ingest/parametrize.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 12 };

static void make(struct event *e, char **lines, size_t count, unsigned how)
{
    char culprit[400];
    const char *parts[LINES_MAX];
    struct stack_frame frames[LINES_MAX];
    struct fingerprint_link links[2];
    struct fingerprint_input in = {.value = count > 0 ? lines[0] : NULL};
    memset(frames, 0, sizeof frames);
    for (size_t i = 0; i < count; i++)
        parts[i] = lines[i];
    links[0] = (struct fingerprint_link){count > 1 ? lines[1] : NULL, count > 2 ? lines[2] : NULL,
                                         NULL, 0};
    links[1] = (struct fingerprint_link){count > 3 ? lines[3] : NULL, NULL, NULL, 0};
    if (how & 1) {
        in.links = links;
        in.links_count = 2;
    }
    in.is_group = how & 2;
    in.message_counts = how & 4;
    if (how & 8)
        in.given = (struct fingerprint_parts){parts, count};
    fingerprint_make(e, &in, culprit, sizeof culprit);
    if (strlen(e->fingerprint) != 32 || strspn(e->fingerprint, "0123456789abcdef") != 32 ||
        !utf8_is_clean(culprit, strlen(culprit)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *lines[LINES_MAX];
    size_t count = 0;
    if (size == 0)
        return 0;
    char *text = malloc(3 * size + 1);
    size_t len = utf8_clean((const char *)data + 1, size - 1, text);
    text[len] = '\0';
    for (char *at = text; *at && count < LINES_MAX;) {
        char *end = at + strcspn(at, "\n");
        bool last = *end == '\0';
        *end = '\0';
        lines[count++] = at;
        at = last ? end : end + 1;
    }
    struct event a = {.project_id = 1,
                      .origin = "o",
                      .severity = SEV_ERROR,
                      .environment = "prod",
                      .release = "1"};
    struct event b = {.project_id = 1,
                      .origin = "o",
                      .severity = SEV_CRITICAL,
                      .environment = "dev",
                      .release = "2"};
    make(&a, lines, count, data[0]);
    make(&b, lines, count, data[0]);
    if (strcmp(a.fingerprint, b.fingerprint) != 0)
        abort();
    struct event other = {.project_id = 2, .origin = "o"};
    make(&other, lines, count, data[0]);
    if (strcmp(a.fingerprint, other.fingerprint) == 0)
        abort();
    free(text);
    return 0;
}
