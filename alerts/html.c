/* html.c -- escaping, cutting and un-marking of Telegram's HTML. */
#include "alerts/html.h"

#include "core/utf8.h"

#include <string.h>

void html_add(struct buf *out, const char *text, size_t len)
{
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        const char *as = c == '<'   ? "&lt;"
                         : c == '>' ? "&gt;"
                         : c == '&' ? "&amp;"
                         : c == '"' ? "&quot;"
                                    : NULL;
        bool drop = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
        if (!as && !drop)
            continue;
        buf_add(out, text + start, i - start);
        start = i + 1;
        if (as)
            buf_add_str(out, as);
    }
    buf_add(out, text + start, len - start);
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

bool html_add_cut(struct buf *out, const char *text, size_t len, size_t units_max)
{
    size_t cut = utf8_cut_units(text, len, units_max);
    if (cut == len) {
        html_add(out, text, len);
        return false;
    }
    cut = utf8_cut_units(text, len, units_max - 1);
    html_add(out, text, nice_cut(text, cut));
    buf_add_str(out, "…");
    return true;
}

static const struct {
    const char *entity;
    char c;
} ENTITIES[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}};

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
