/* tg_html.h -- Telegram's own rules for a message in HTML (Bot API: formatting options, limits), as strict
 * as the server: what it would refuse fails the test. */
#ifndef NABAT_TESTS_TG_HTML_H
#define NABAT_TESTS_TG_HTML_H

#include "core/limits.h"
#include "core/utf8.h"

#include <ctype.h>

enum { TG_TAGS_DEEP = 8 };

static inline size_t tg_tag_name(const char *at, char out[24])
{
    size_t n = 0;
    while (n < 23 && (isalpha((unsigned char)at[n]) || at[n] == '-')) {
        out[n] = at[n];
        n++;
    }
    out[n] = '\0';
    return n;
}

/* "" or what is wrong with it; `units` gets the visible UTF-16 units. */
static inline const char *tg_html_fault(const char *html, size_t *units)
{
    static const char *const TAGS[] = {"b", "i", "u", "s", "a", "code", "pre", "blockquote"};
    char stack[TG_TAGS_DEEP][24];
    size_t depth = 0;
    size_t visible = 0;
    *units = 0;
    if (!utf8_is_clean(html, strlen(html)))
        return "not UTF-8";
    if (strlen(html) > TG_TEXT_BYTES_MAX)
        return "over 32 KiB of raw text";
    for (const char *at = html; *at;) {
        if (*at == '&') {
            static const char *const KNOWN[] = {"&lt;", "&gt;", "&amp;", "&quot;"};
            size_t len = 0;
            for (size_t i = 0; i < 4; i++)
                if (strncmp(at, KNOWN[i], strlen(KNOWN[i])) == 0)
                    len = strlen(KNOWN[i]);
            if (!len)
                return "an ampersand that is not escaped";
            at += len;
            *units += 1;
            visible++;
            continue;
        }
        if (*at != '<') {
            uint32_t code = 0;
            size_t n = utf8_decode((const unsigned char *)at, (const unsigned char *)at + 4, &code);
            if (code < 0x20 && code != '\n' && code != '\t')
                return "a control character";
            if ((code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069))
                return "a character that turns the writing direction";
            *units += code > 0xFFFF ? 2 : 1;
            visible += code != ' ' && code != '\n';
            at += n;
            continue;
        }
        const char *end = strchr(at, '>');
        char name[24];
        if (!end)
            return "unclosed tag";
        bool closes = at[1] == '/';
        size_t len = tg_tag_name(at + 1 + closes, name);
        const char *rest = at + 1 + closes + len;
        bool known = false;
        for (size_t i = 0; i < sizeof TAGS / sizeof *TAGS; i++)
            known = known || strcmp(TAGS[i], name) == 0;
        if (!known)
            return "unsupported tag";
        if (closes) {
            if (depth == 0 || strcmp(stack[depth - 1], name) != 0)
                return "unmatched end tag";
            depth--;
        } else {
            bool plain = rest == end;
            bool link = strcmp(name, "a") == 0 && strncmp(rest, " href=\"", 7) == 0 &&
                        strchr(rest + 7, '"') == end - 1;
            bool quote = strcmp(name, "blockquote") == 0 &&
                         (size_t)(end - rest) == 11 && strncmp(rest, " expandable", 11) == 0;
            if (!plain && !link && !quote)
                return "attributes";
            for (size_t i = 0; i < depth; i++) {
                if (strcmp(stack[i], "code") == 0 || strcmp(stack[i], "pre") == 0)
                    return "a tag inside code";
                if (strcmp(stack[i], name) == 0)
                    return "a tag inside itself";
            }
            if (depth == TG_TAGS_DEEP)
                return "too deep";
            memcpy(stack[depth++], name, sizeof name);
        }
        at = end + 1;
    }
    if (depth)
        return "no end tag";
    if (!visible)
        return "empty";
    return *units > TG_TEXT_UNITS_MAX ? "too long" : "";
}

static inline void assert_tg_html(const char *html)
{
    size_t units = 0;
    const char *fault = tg_html_fault(html, &units);
    if (*fault)
        print_error("%s (%zu units): %.2000s\n", fault, units, html);
    assert_string_equal(fault, "");
}

#endif
