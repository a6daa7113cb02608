/* fuzz_html.c -- text from outside in Telegram's HTML: no tag and no entity of it is ever cut in two, nothing of it
 * is a tag, and what is visible is a beginning of the text. */
#include "alerts/html.h"
#include "core/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entities(const char *html)
{
    static const char *const ENTITIES[] = {"&lt;", "&gt;", "&amp;", "&quot;"};
    for (const char *p = html; *p; p++) {
        bool known = *p != '&';
        for (size_t i = 0; !known && i < sizeof ENTITIES / sizeof *ENTITIES; i++)
            known = strncmp(p, ENTITIES[i], strlen(ENTITIES[i])) == 0;
        if (!known || *p == '<' || *p == '>')
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf cut;
    struct buf whole;
    struct buf seen;
    struct buf all;
    if (size < 2)
        return 0;
    size_t units = (size_t)data[0] * (data[1] % 4 + 1);
    const char *text = (const char *)data + 2;
    buf_init(&cut, 16 * size + 64);
    buf_init(&whole, 16 * size + 64);
    buf_init(&seen, 16 * size + 64);
    buf_init(&all, 16 * size + 64);
    html_add(&whole, text, size - 2);
    bool was_cut = html_add_cut(&cut, text, size - 2, units);
    check_entities(buf_text(&whole));
    check_entities(buf_text(&cut));
    html_to_plain(buf_text(&whole), &all);
    html_to_plain(buf_text(&cut), &seen);
    if (!utf8_is_clean(buf_text(&seen), seen.len) || !utf8_is_clean(buf_text(&all), all.len))
        abort();
    if (html_units(buf_text(&cut)) != utf8_utf16_units(buf_text(&seen), seen.len))
        abort();
    if (was_cut && utf8_utf16_units(buf_text(&seen), seen.len) > units)
        abort();
    if (!was_cut && strcmp(buf_text(&seen), buf_text(&all)) != 0)
        abort();
    size_t same = seen.len;
    if (was_cut && same >= 3 && memcmp(seen.data + same - 3, "…", 3) == 0)
        same -= 3;
    if (same > all.len || memcmp(buf_text(&seen), buf_text(&all), same) != 0)
        abort();
    buf_fini(&cut);
    buf_fini(&whole);
    buf_fini(&seen);
    buf_fini(&all);
    return 0;
}
