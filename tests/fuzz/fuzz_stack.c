/* fuzz_stack.c -- stack texts and messages: frames, keys and cutting without harm. */
#include "alerts/html.h"
#include "core/utf8.h"
#include "ingest/fingerprint.h"
#include "ingest/parametrize.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char culprit[400];
    if (size == 0)
        return 0;
    char *text = malloc(3 * size + 1);
    size_t len = utf8_clean((const char *)data, size, text);
    struct event event = {.project_id = 1, .origin = "o", .message = text, .stacktrace = text};
    struct fingerprint_parts none = {0};
    fingerprint_event(&event, text, &none, culprit, sizeof culprit);
    if (!utf8_is_clean(culprit, strlen(culprit)))
        abort();
    struct buf out;
    struct buf plain;
    buf_init(&out, 8 * len + 64);
    buf_init(&plain, 8 * len + 64);
    html_add_cut(&out, text, len, data[0] + 2);
    html_to_plain(buf_text(&out), &plain);
    if (utf8_utf16_units(buf_text(&plain), plain.len) > (size_t)data[0] + 2 ||
        !utf8_is_clean(buf_text(&plain), plain.len))
        abort();
    buf_fini(&out);
    buf_fini(&plain);
    free(text);
    return 0;
}
