/* html.c -- escaping, cutting and un-marking of Telegram's HTML. */
#include "alerts/html.h"

#include "core/mem.h"
#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

/* U+202A to U+202E and U+2066 to U+2069 turn the direction of what follows, and with it the card's own
 * words; letters of right-to-left scripts need none of them. Bytes, or 0. */
static size_t bidi_control(const unsigned char *at, size_t len)
{
    if (len < 3 || at[0] != 0xE2)
        return 0;
    bool embeds = at[1] == 0x80 && at[2] >= 0xAA && at[2] <= 0xAE;
    bool isolates = at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9;
    return embeds || isolates ? 3 : 0;
}

static void add_clean(struct buf *out, const char *text, size_t len)
{
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        const char *as = c == '<'   ? "&lt;"
                         : c == '>' ? "&gt;"
                         : c == '&' ? "&amp;"
                         : c == '"' ? "&quot;"
                                    : NULL;
        size_t turns = bidi_control((const unsigned char *)text + i, len - i);
        bool drop = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f || turns > 0;
        if (!as && !drop)
            continue;
        buf_add(out, text + start, i - start);
        i += turns ? turns - 1 : 0;
        start = i + 1;
        if (as)
            buf_add_str(out, as);
    }
    buf_add(out, text + start, len - start);
}

/* What is not UTF-8 would make Telegram refuse the whole message. The caller frees. */
static char *cleaned(const char *text, size_t *len)
{
    char *clean = mem_alloc(3 * *len + 1);
    *len = utf8_clean(text, *len, clean);
    return clean;
}

void html_add(struct buf *out, const char *text, size_t len)
{
    if (utf8_is_clean(text, len)) {
        add_clean(out, text, len);
        return;
    }
    char *clean = cleaned(text, &len);
    add_clean(out, clean, len);
    free(clean);
}

void html_add_str(struct buf *out, const char *text)
{
    if (text)
        html_add(out, text, strlen(text));
}

/* Back to the last line when that costs no more than a fifth, else to the last word when that costs
 * no more than half. */
static size_t nice_cut(const char *text, size_t cut)
{
    for (size_t n = cut; n > cut - cut / 5; n--)
        if (text[n] == '\n')
            return n;
    for (size_t n = cut; n > cut / 2; n--)
        if (text[n] == ' ')
            return n;
    return cut;
}

static bool add_cut_clean(struct buf *out, const char *text, size_t len, size_t units_max)
{
    size_t cut = utf8_cut_units(text, len, units_max);
    if (units_max == 0) /* no room even for the mark of a cut */
        return len > 0;
    if (cut == len) {
        add_clean(out, text, len);
        return false;
    }
    cut = utf8_cut_units(text, len, units_max - 1);
    add_clean(out, text, nice_cut(text, cut));
    buf_add_str(out, "…");
    return true;
}

bool html_add_cut(struct buf *out, const char *text, size_t len, size_t units_max)
{
    if (utf8_is_clean(text, len))
        return add_cut_clean(out, text, len, units_max);
    char *clean = cleaned(text, &len);
    bool cut = add_cut_clean(out, clean, len, units_max);
    free(clean);
    return cut;
}

static const struct {
    const char *entity;
    char c;
} ENTITIES[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}};

void html_fill(struct buf *out, const char *form, const char *const *values, size_t count,
               size_t units_max)
{
    const char *at = form;
    for (const char *open = strchr(at, '{'); open; open = strchr(at, '{')) {
        size_t place = (size_t)(open[1] - '0');
        buf_add(out, at, (size_t)(open - at));
        if (place < count && values[place] && *values[place])
            html_add_cut(out, values[place], strlen(values[place]), units_max);
        else
            buf_add_str(out, "—"); /* an empty message would be refused */
        at = open + 3;             /* {N} */
    }
    buf_add_str(out, at);
}

void html_to_plain(const char *html, struct buf *out)
{
    for (const char *at = html; *at;) {
        const char *end = *at == '<' ? strchr(at, '>') : NULL;
        if (end) {
            at = end + 1;
            continue;
        }
        size_t taken = 0;
        for (size_t i = 0; *at == '&' && i < sizeof ENTITIES / sizeof *ENTITIES; i++)
            if (strncmp(at, ENTITIES[i].entity, strlen(ENTITIES[i].entity)) == 0) {
                buf_add_char(out, ENTITIES[i].c);
                taken = strlen(ENTITIES[i].entity);
            }
        if (!taken) {
            buf_add_char(out, *at);
            taken = 1;
        }
        at += taken;
    }
}

size_t html_units(const char *html)
{
    struct buf plain;
    buf_init(&plain, strlen(html) + 1);
    html_to_plain(html, &plain);
    size_t units = utf8_utf16_units(buf_text(&plain), plain.len);
    buf_fini(&plain);
    return units;
}
