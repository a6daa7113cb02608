/* fuzz_update.c -- Telegram updates, what people type and press, and stacks on cards: read without harm, and what
 * is shown of them is always a message that Telegram takes. */
#include "alerts/card.h"
#include "alerts/frames.h"
#include "alerts/html.h"
#include "alerts/similar.h"
#include "bot/command.h"
#include "bot/update.h"
#include "bot/webhook_info.h"
#include "core/limits.h"
#include "core/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_typed(const char *text)
{
    char name[40];
    const char *args = "";
    const char *rest = NULL;
    int64_t a = 0;
    int64_t b = 0;
    command_parse(text, "NabatBot", name, sizeof name, &args);
    command_meant(name);
    command_parse_mute(text, &a, &b);
    command_parse_page(text, &a);
    if (command_parse_number(text, &a, &rest) && a <= 0)
        abort();
    if (card_group_of_text(text) < 0)
        abort();
    struct group_filter filter;
    struct asker me = {"@me", 1};
    char *words = strdup(text);
    command_parse_filter(words, &me, &filter);
    free(words);
}

static void show(const char *text)
{
    struct frames top = frames_top(text, 5, 1200);
    char source[FRAMES_SOURCE_BYTES];
    struct group group = {.id = 1,
                          .title = *text ? text : "t",
                          .origin = text,
                          .culprit = text,
                          .stack_part = text,
                          .tags = text,
                          .note = text,
                          .user_id = text};
    struct look look = {.language = LANG_RU};
    struct card card = {.group = &group, .look = &look};
    struct chat_keyboard keyboard;
    struct buf html;
    if (top.len > 0 && (top.at < text || top.at + top.len > text + strlen(text)))
        abort();
    frames_source(text, source);
    similar_titles(text, "ValueError: bad text");
    buf_init(&html, TG_TEXT_BYTES_MAX);
    card_render(&card, &html, &keyboard);
    if (html.full || html_units(html.data) > TG_TEXT_UNITS_MAX ||
        !utf8_is_clean(html.data, html.len))
        abort();
    buf_fini(&html);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct update update;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    if (update_decode(text, &update))
        update_fini(&update);
    read_typed(text);
    show(text);
    json_error_t why;
    json_t *info = json_loads(text, JSON_ALLOW_NUL, &why);
    struct webhook_memory memory = {0};
    webhook_info_read(&memory, info, 1000);
    json_decref(info);
    update_json_clean(text);
    if (strlen(text) != strnlen((const char *)data, size))
        abort();
    free(text);
    return 0;
}
