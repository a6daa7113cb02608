/* scrub.c -- key names and token shapes that mean a secret. */
#include "ingest/scrub.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Matched anywhere in a key, lower-cased, with '-', ' ' and '.' read as '_'. */
static const char *const PARTS[] = {
    "password",      "passwd",      "passphrase",  "secret",        "api_key",    "apikey",
    "authorization", "credential",  "private_key", "privatekey",    "access_key", "access_token",
    "refresh_token", "bot_token",   "auth_token",  "session_token", "csrf",       "init_data",
    "initdata",      "card_number", "mysql_pwd",
};
static const char *const WHOLES[] = {"token", "auth", "cookie", "cookies", "set_cookie", "otp",
                                     "pwd",   "pass", "cvv",    "cvc",     "x_api_key",  "pin"};

enum { KEY_BYTES_MAX = 128, BOT_ID_DIGITS_MIN = 6, BOT_ID_DIGITS_MAX = 12, BOT_SECRET_MIN = 30 };
static const char MARK[] = "[Filtered]";

bool scrub_key_is_secret(const char *key, size_t len)
{
    char low[KEY_BYTES_MAX + 1];
    if (len > KEY_BYTES_MAX)
        len = KEY_BYTES_MAX;
    for (size_t i = 0; i < len; i++) {
        char c = (char)tolower((unsigned char)key[i]);
        low[i] = c == '-' || c == ' ' || c == '.' ? '_' : c;
    }
    low[len] = '\0';
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
        if (strstr(low, PARTS[i]))
            return true;
    for (size_t i = 0; i < sizeof WHOLES / sizeof *WHOLES; i++)
        if (strcmp(low, WHOLES[i]) == 0)
            return true;
    return false;
}

static bool is_token_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* At a ':' : digits before it and a long secret behind it make a bot token. Returns its length
 * behind the colon, or 0. */
static size_t bot_secret_at(const char *text, size_t len, size_t colon)
{
    size_t digits = 0;
    while (digits < colon && digits <= BOT_ID_DIGITS_MAX &&
           isdigit((unsigned char)text[colon - digits - 1]))
        digits++;
    if (digits < BOT_ID_DIGITS_MIN || digits > BOT_ID_DIGITS_MAX)
        return 0;
    size_t n = 0;
    while (colon + 1 + n < len && is_token_char(text[colon + 1 + n]))
        n++;
    return n >= BOT_SECRET_MIN ? n : 0;
}

/* At a 'b' or 'B': "Bearer " and what follows. Returns where the token starts, or 0. */
static size_t bearer_token_at(const char *text, size_t len, size_t at)
{
    static const char WORD[] = "bearer ";
    size_t n = sizeof WORD - 1;
    if (len - at <= n || strncasecmp(text + at, WORD, n) != 0 ||
        (at > 0 && isalnum((unsigned char)text[at - 1])))
        return 0;
    return at + n;
}

/* How many bytes of `text` from `from` on are a token that ends at a blank, quote or bracket. */
static size_t token_len(const char *text, size_t len, size_t from)
{
    size_t n = 0;
    while (from + n < len && !isspace((unsigned char)text[from + n]) &&
           !strchr("\"',;)}]<", text[from + n]))
        n++;
    return n;
}

int scrub_text(char *text, size_t *len)
{
    int count = 0;
    size_t to = 0;
    size_t n = *len;
    for (size_t i = 0; i < n;) {
        size_t secret = 0;
        size_t start = i;
        if (text[i] == ':') {
            secret = bot_secret_at(text, n, i);
            start = i + 1;
        } else if (text[i] == 'b' || text[i] == 'B') {
            start = bearer_token_at(text, n, i);
            secret = start ? token_len(text, n, start) : 0;
        }
        if (secret < sizeof MARK - 1) {
            text[to++] = text[i++];
            continue;
        }
        memmove(text + to, text + i, start - i);
        to += start - i;
        memcpy(text + to, MARK, sizeof MARK - 1);
        to += sizeof MARK - 1;
        i = start + secret;
        count++;
    }
    text[to] = '\0';
    *len = to;
    return count;
}
