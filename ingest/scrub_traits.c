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

enum {
    SHORT_BYTES_MAX = 10, /* "otp" and "two-factor" count only as the whole text */
    ASSIGNED_BYTES = 24,
    TOKEN_BYTES = 205,
    CARD_DIGITS = 15,
    BOT_DIGITS = 6
};

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
    size_t at;       /* of the pair's first byte */
    size_t digit_at; /* of the last digit, +1; 0: none yet */
    size_t run;      /* digits in a row up to there */
    size_t grouped;  /* the same, with single blanks or hyphens between them */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* `word` (in small letters) begins `back` bytes before the place; any case. */
static inline bool stands_n(const struct place *p, const char *word, size_t n, size_t back)
{
    if (p->at < back || p->len - (p->at - back) < n)
        return false;
    const char *at = p->text + p->at - back;
    for (size_t i = 0; i < n; i++)
        if (upper((unsigned char)at[i]) != upper((unsigned char)word[i]))
            return false;
    return true;
}
#define stands(p, word, back) stands_n(p, word, sizeof(word) - 1, back)

/* The byte `by` places on; NUL beyond the ends. */
static char near(const struct place *p, ptrdiff_t by)
{
    size_t i = p->at + (size_t)by;
    return i < p->len ? p->text[i] : '\0';
}

static void count_digit(struct place *p)
{
    bool follows = p->digit_at && p->at == p->digit_at;
    char before = near(p, -1);
    bool separated = p->digit_at && p->at == p->digit_at + 1 &&
                     (before == '-' || before == ' ' || (before >= '\t' && before <= '\r'));
    p->run = follows ? p->run + 1 : 1;
    p->grouped = follows || separated ? p->grouped + 1 : 1;
    p->digit_at = p->at + 1;
}

static unsigned at_digit(struct place *p)
{
    unsigned has = 0;
    count_digit(p);
    if (p->grouped >= CARD_DIGITS)
        has |= NEED_DIGITS_15;
    if (p->run >= BOT_DIGITS && near(p, 1) == ':')
        has |= NEED_BOT;
    if (p->run >= BOT_DIGITS && near(p, 1) == '%' && near(p, 2) == '3' &&
        (near(p, 3) | 0x20) == 'a')
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

/* The longest name is "authorization"; then a quote, a bracket and two blanks at most. */
static unsigned assigned(const struct place *p)
{
    size_t left = p->len - p->at;
    size_t n = left < ASSIGNED_BYTES ? left : ASSIGNED_BYTES;
    const char *at = p->text + p->at;
    return memchr(at, '=', n) || memchr(at, ':', n) ? NEED_ASSIGNED : 0;
}

/* "token" alone says nothing: parsers and models talk of tokens. It counts with '=' or ':' behind it, or,
 * for the rule about whole texts, in the same word. */
static unsigned token_at(const struct place *p)
{
    size_t left = p->len - p->at;
    size_t n = left < TOKEN_BYTES ? left : TOKEN_BYTES;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p->text[p->at + i];
        if (c == '=' || c == ':')
            return NEED_WORD | NEED_ASSIGNED;
        if (c == ' ' || (c >= '\t' && c <= '\r'))
            break;
    }
    return assigned(p);
}

static unsigned word_at(const struct place *p)
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
        if (stands(p, "token", 2))
            return token_at(p);
        return stands(p, "key", 0) ? NEED_WORD : 0;
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

static unsigned at_letter(const struct place *p)
{
    unsigned has = word_at(p);
    return has & NEED_WORD ? has | assigned(p) : has;
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

/* 1 if something may begin here, else 0: a number, so that four are asked without a branch between. */
static unsigned is_pair(const char *at)
{
    unsigned char a = (unsigned char)at[0];
    unsigned char b = (unsigned char)at[1];
    return pairs[pair_of(a, b) / 8] >> (b % 8) & 1;
}

static unsigned look(struct place *p, size_t *ampersands)
{
    char c = p->text[p->at];
    if (is_digit(c))
        return at_digit(p);
    if (c == '&') {
        ++*ampersands;
        return 0;
    }
    return (unsigned char)c >= 'A' ? at_letter(p) : at_sign(p);
}

unsigned scrub_traits(const char *text, size_t len)
{
    struct place p = {.text = text, .len = len};
    unsigned has = len <= SHORT_BYTES_MAX ? NEED_WORD : 0;
    size_t ampersands = 0;
    if (!pairs[pair_of('@', 0) / 8])
        make_pairs();
    while (p.at + 1 < len) {
        /* most places are none: four of them are passed at once */
        if (p.at + 4 < len && !(is_pair(text + p.at) | is_pair(text + p.at + 1) |
                                is_pair(text + p.at + 2) | is_pair(text + p.at + 3))) {
            p.at += 4;
            continue;
        }
        if (is_pair(text + p.at))
            has |= look(&p, &ampersands);
        p.at++;
    }
    if (p.at < len && (is_digit(text[p.at]) || text[p.at] == '@' || text[p.at] == '&'))
        has |= look(&p, &ampersands); /* the last byte, which begins no pair */
    return has | (ampersands >= 2 ? NEED_QUERY : 0);
}
