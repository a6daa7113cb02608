/* fuzz_env.c -- a .env file, and each value by the table of settings: read without harm, refused in words. */
#include "core/settings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct settings settings;
    size_t pairs;
};

/* What was refused says which setting it is about, and never what a secret one held. */
static void take(void *ctx, const char *name, const char *value)
{
    struct seen *seen = ctx;
    struct err err = {0};
    seen->pairs++;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *s = &SETTINGS[i];
        if (strcmp(s->name, name) != 0 && (seen->pairs + i) % SETTINGS_COUNT != 0)
            continue;
        err.text[0] = '\0';
        if (settings_parse_value(s, value, &seen->settings, &err))
            continue;
        if (!strstr(err.text, s->name))
            abort();
        if (s->secret && strlen(value) > 12 && strstr(err.text, value) && !strstr(s->help, value))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {.pairs = 0};
    struct err err = {0};
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    if (!settings_parse_env(text, take, &seen, &err) && !err.text[0])
        abort();
    settings_fini(&seen.settings);
    free(text);
    return 0;
}
