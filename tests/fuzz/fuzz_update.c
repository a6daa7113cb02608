/* fuzz_update.c -- Telegram updates and what people type: decoded without harm. */
#include "bot/command.h"
#include "bot/update.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct update update;
    char name[40];
    const char *args = "";
    int64_t seconds = 0;
    int64_t count = 0;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    if (update_decode(text, &update))
        update_fini(&update);
    command_parse(text, "NabatBot", name, sizeof name, &args);
    command_parse_mute(text, &seconds, &count);
    free(text);
    return 0;
}
