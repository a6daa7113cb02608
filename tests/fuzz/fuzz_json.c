/* fuzz_json.c -- the tolerant reader: all that jansson takes, ours takes with the same meaning; what
 * ours writes, jansson takes. */
#include "core/limits.h"
#include "ingest/json_reader.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool deeper_than(const char *text, size_t len, int max)
{
    int depth = 0;
    for (size_t i = 0; i < len; i++) {
        depth += (text[i] == '[' || text[i] == '{') - (text[i] == ']' || text[i] == '}');
        if (depth > max)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *at = text;
    struct err err = {0};
    json_error_t why;
    struct arena *arena = arena_new(4 << 20);
    struct json_value *value = json_read(text, &at, text + size, arena, &err);
    bool whole = value && json_skip_blanks(at, text + size) == text + size;
    /* jansson takes a NUL for the end of input */
    json_t *theirs = memchr(text, 0, size) ? NULL : json_loadb(text, size, JSON_DECODE_ANY, &why);
    if (theirs && !whole)
        abort();
    if (value) {
        struct buf out;
        buf_init(&out, 16 << 20);
        json_write(value, &out);
        json_t *again = json_loadb(out.data, out.len, JSON_DECODE_ANY, &why);
        bool number_too_big = !again && strstr(why.text, "too big");
        bool empty_key = !again && strstr(why.text, "NUL byte");
        if (!again && !number_too_big && !empty_key)
            abort();
        bool comparable = theirs && again && !deeper_than(text, size, JSON_DEPTH_MAX - 1) &&
                          !memmem(text, size, "e", 1) && !memmem(text, size, "E", 1) && size < 300;
        if (comparable && !json_equal(theirs, again))
            abort();
        json_decref(again);
        buf_fini(&out);
    }
    json_decref(theirs);
    arena_free(arena);
    return 0;
}
