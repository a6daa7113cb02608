/* scrub_traits.c -- one pass over a text that says which rules could match in it.
 *
 * A pattern tried on each place of each text would cost more than all the rest of reading an event. So
 * each rule names what it can't do without, and that is looked for here. Two neighbouring bytes are
 * looked up in a set of pairs that begin something (8 KiB of bits); one place in twenty passes, and
 * only there is anything compared. */
#include "ingest/scrub_rules.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { SHORT_BYTES_MAX = 10 }; /* "otp" and "two-factor" count only as the whole text */

static uint8_t pairs[65536 / 8];

static size_t pair_of(unsigned char a, unsigned char b)
{
    return (size_t)a << 8 | b;
}

static void add_pair(unsigned char a, unsigned char b)
{
    pairs[pair_of(a, b) / 8] |= (uint8_t)(1u << (b % 8));
}

static unsigned char upper(unsigned char c)
{
    return c >= 'a' && c <= 'z' ? (unsigned char)(c - 32) : c;
}

static void make_pairs(void)
{
    static const char *const WORDS[] = {"sw", "wd", "ke",  "ki",  "ut",  "cr",  "hr",
                                        "ph", "ba", "e_",  "r ",  "r\t", "r\n", "r\r",
                                        "e/", "s/", "e\\", "s\\", "//",  "--"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        unsigned char a = (unsigned char)WORDS[i][0];
        unsigned char b = (unsigned char)WORDS[i][1];
        add_pair(a, b);
        add_pair(upper(a), b);
        add_pair(a, upper(b));
        add_pair(upper(a), upper(b));
    }
    for (unsigned any = 0; any < 256; any++) {
        for (unsigned digit = '0'; digit <= '9'; digit++)
            add_pair((unsigned char)digit, (unsigned char)any);
        add_pair('@', (unsigned char)any);
        add_pair('&', (unsigned char)any);
    }
}

struct place {
    const char *text;
    size_t len;
    size_t at; /* of the pair's first byte */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* `word` begins `back` bytes before the place; any case. */
static bool stands(const struct place *p, const char *word, size_t back)
{
    size_t n = strlen(word);
    return p->at >= back && p->len - (p->at - back) >= n &&
           strncasecmp(p->text + p->at - back, word, n) == 0;
}

/* The byte `by` places on; NUL beyond the ends. */
static char near(const struct place *p, ptrdiff_t by)
{
    size_t i = p->at + (size_t)by;
    return i < p->len ? p->text[i] : '\0';
}

static unsigned at_digit(const struct place *p)
{
    unsigned has = 0;
    if (near(p, 1) == ':')
        has |= NEED_BOT;
    if (near(p, 1) == '%' && near(p, 2) == '3' && (near(p, 3) | 0x20) == 'a')
        has |= NEED_BOT;
    if (is_digit(near(p, 1)) && is_capital(near(p, -1)) && is_capital(near(p, -2)))
        has |= NEED_IBAN;
    if (near(p, 1) == '-' && is_digit(near(p, -1)) && near(p, -2) == '-' && is_digit(near(p, -3)))
        has |= NEED_SSN;
    return has;
}

static unsigned before_slash(const struct place *p)
{
    bool named = stands(p, "home", 3) || stands(p, "users", 4) || stands(p, "settings", 7) ||
                 stands(p, "profiles", 7);
    return named ? NEED_PLACE : 0;
}

static unsigned at_letter(const struct place *p)
{
    switch (near(p, 0) | 0x20) {
    case 's':
        if (near(p, 1) == '/' || near(p, 1) == '\\')
            return before_slash(p);
        return stands(p, "ssw", 1) ? NEED_WORD : 0; /* password, passwd */
    case 'w':
        return stands(p, "pwd", 1) ? NEED_WORD : 0;
    case 'k': /* token; api_key and its kin */
        if (stands(p, "cookie", 3))
            return NEED_COOKIE;
        return stands(p, "token", 2) || stands(p, "key", 0) ? NEED_WORD : 0;
    case 'u':
        return stands(p, "auth", 1) ? NEED_WORD : 0;
    case 'c':
        return stands(p, "secret", 2) || stands(p, "credential", 0) ? NEED_WORD : 0;
    case 'h':
        return stands(p, "passphrase", 5) ? NEED_WORD : 0;
    case 'p':
        return stands(p, "phone", 0) ? NEED_PHONE : 0;
    case 'b':
        return stands(p, "weba", 2) ? NEED_WEB_APP : 0;
    case 'r':
        return stands(p, "bearer", 5) ? NEED_BEARER : 0;
    default: /* e */
        if (near(p, 1) == '_')
            return stands(p, "charge_", 5) || stands(p, "invoice_", 6) ? NEED_PAYMENT : 0;
        return before_slash(p);
    }
}

static unsigned at_sign(const struct place *p)
{
    switch (near(p, 0)) {
    case '@':
        return NEED_AT;
    case '/':
        return NEED_SLASHES;
    default:
        return stands(p, "-----", 0) ? NEED_DASHES : 0;
    }
}

unsigned scrub_traits(const char *text, size_t len)
{
    struct place p = {text, len, 0};
    unsigned has = len <= SHORT_BYTES_MAX ? NEED_WORD : 0;
    size_t digits = 0;
    size_t ampersands = 0;
    if (!pairs[pair_of('@', 0) / 8])
        make_pairs();
    for (; p.at < len; p.at++) {
        unsigned char a = (unsigned char)text[p.at];
        unsigned char b = p.at + 1 < len ? (unsigned char)text[p.at + 1] : 0;
        if (!(pairs[pair_of(a, b) / 8] >> (b % 8) & 1))
            continue;
        if (a >= '0' && a <= '9') {
            digits++;
            has |= at_digit(&p);
        } else if (a == '&') {
            ampersands++;
        } else {
            has |= a >= 'A' ? at_letter(&p) : at_sign(&p);
        }
    }
    return has | (digits >= 15 ? NEED_DIGITS_15 : 0) | (ampersands >= 2 ? NEED_QUERY : 0);
}
