/* scrub.c -- rules compiled once; values looked at once, and only by the rules they could matter to. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "ingest/scrub.h"

#include "core/buf.h"
#include "core/limits.h"
#include "core/mem.h"
#include "ingest/memo.h"
#include "ingest/pattern.h"
#include "ingest/scrub_rules.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    RULES_MAX = 32,
    KEY_PATTERN_BYTES_MAX = 16 * KIB,
    KEY_BYTES_MAX = 256,           /* of a key, what is looked at */
    MATCH_LIMIT = 2 * 1000 * 1000, /* of PCRE2: JIT counts blocks; reaching it filters the value */
    REPLACEMENTS_MAX = 10000,
    KNOWN_KEYS = 512,
    KNOWN_KEY_BYTES = 40,
    KEY_WITH_SECRET_BYTES = 20, /* shorter ones hold no token and no URL with a password */
};
static const char MARK[] = "[Filtered]";

struct scrub {
    pcre2_code *rules[RULES_MAX]; /* NULL: its class is off */
    bool any_rule;
    pcre2_code *keys; /* NULL: every class of keys is off */
    pcre2_match_data *match;
    pcre2_match_context *limits;
    struct memo *clean; /* long texts in which nothing was found; own */
    /* keys seen before and what they were: an event repeats its few keys a hundred times */
    struct known_key {
        char key[KNOWN_KEY_BYTES];
        uint8_t len; /* 0: free */
        bool secret;
    } known[KNOWN_KEYS];
};

/* ------------------------------------------------------------------------------------- compiling */

/* Whether `word` is one of the comma separated words of `list`. */
static bool listed(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',') {
        at += strspn(at, " ");
        size_t n = strcspn(at, ", ");
        if (n == len && strncasecmp(at, word, n) == 0)
            return true;
    }
    return false;
}

static bool check_off(const char *off, struct err *err)
{
    for (const char *at = off; at && *at; at += strcspn(at, ","), at += *at == ',') {
        at += strspn(at, " ");
        size_t n = strcspn(at, ", ");
        bool known = n == 0;
        for (size_t i = 0; SCRUB_CLASSES[i]; i++)
            known = known ||
                    (strlen(SCRUB_CLASSES[i]) == n && strncasecmp(at, SCRUB_CLASSES[i], n) == 0);
        if (!known)
            return err_set(err, ERR_INPUT, "SCRUB_OFF names \"%.*s\": it takes %s",
                           (int)(n < 40 ? n : 40), at, scrub_classes());
    }
    return true;
}

const char *scrub_classes(void)
{
    static char text[256];
    size_t n = 0;
    for (size_t i = 0; SCRUB_CLASSES[i] && n < sizeof text; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? " " : "", SCRUB_CLASSES[i]);
    return text;
}

static void add_keys(struct buf *pattern, const char *off, const char *class_name, const char *keys)
{
    if (listed(off, class_name))
        return;
    buf_addf(pattern, "%s(?:%s)", pattern->len ? "|" : "", keys);
}

/* Names given by the operator, taken literally. */
static void add_fields(struct buf *pattern, const char *fields)
{
    for (const char *at = fields; at && *at; at += strcspn(at, ","), at += *at == ',') {
        at += strspn(at, " ");
        size_t n = strcspn(at, ", ");
        if (n == 0)
            continue;
        buf_addf(pattern, "%s(?i:\\Q%.*s\\E)", pattern->len ? "|" : "", (int)n, at);
    }
}

struct scrub *scrub_new(const char *fields, const char *off, struct err *err)
{
    if (!check_off(off, err))
        return NULL;
    struct buf keys;
    buf_init(&keys, KEY_PATTERN_BYTES_MAX);
    add_keys(&keys, off, "password", SCRUB_KEYS);
    add_keys(&keys, off, "cookies", SCRUB_KEYS_COOKIE);
    add_keys(&keys, off, "phone", SCRUB_KEYS_PHONE);
    add_keys(&keys, off, "payment", SCRUB_KEYS_PAYMENT);
    add_keys(&keys, off, "init_data", SCRUB_KEYS_INIT_DATA);
    add_fields(&keys, fields);
    bool too_long = keys.full || (fields && strstr(fields, "\\E"));
    if (too_long) {
        buf_fini(&keys);
        err_set(err, ERR_INPUT, "SCRUB_FIELDS is too long or holds \\E: it takes names of fields");
        return NULL;
    }
    struct scrub *s = mem_alloc(sizeof *s);
    s->clean = memo_new(MEMO_SLOTS, MEMO_BYTES_MAX);
    if (keys.len)
        s->keys = pattern_compile(keys.data, 0);
    buf_fini(&keys);
    for (size_t i = 0; i < SCRUB_RULES_COUNT; i++)
        if (!listed(off, SCRUB_RULES[i].class_name))
            s->rules[i] = pattern_compile(SCRUB_RULES[i].pattern, 0);
    for (size_t i = 0; i < RULES_MAX; i++)
        s->any_rule = s->any_rule || s->rules[i];
    s->match = pcre2_match_data_create(4, NULL);
    s->limits = pcre2_match_context_create(NULL);
    if (!s->match || !s->limits)
        mem_exhausted();
    pcre2_set_match_limit(s->limits, MATCH_LIMIT);
    return s;
}

void scrub_free(struct scrub *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < RULES_MAX; i++)
        pcre2_code_free(s->rules[i]);
    pcre2_code_free(s->keys);
    pcre2_match_data_free(s->match);
    pcre2_match_context_free(s->limits);
    memo_free(s->clean);
    free(s);
}

/* -------------------------------------------------------------------------------------- matching */

/* Above 0: matched, and how many groups (the whole is one); 0: not; -1: a limit was reached, so that nobody knows. Text is clean UTF-8, looked at
 * as bytes: every rule is about ASCII. */
static int match(const struct scrub *s, const pcre2_code *re, const char *text, size_t len,
                 size_t from)
{
    int rc = pcre2_match(re, (PCRE2_SPTR)text, len, from, 0, s->match, s->limits);
    return rc > 0 ? rc : rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

static bool match_key(const struct scrub *s, const char *key, size_t len)
{
    return match(s, s->keys, key, len < KEY_BYTES_MAX ? len : KEY_BYTES_MAX, 0) != 0;
}

/* The table of known keys is a memory, not a part of the rules: that it changes is nobody's business. */
bool scrub_key_is_secret(const struct scrub *s, const char *key, size_t len)
{
    uint32_t hash = 2166136261u;
    if (!s->keys || len == 0)
        return false;
    if (len >= KNOWN_KEY_BYTES)
        return match_key(s, key, len);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)key[i]) * 16777619u;
    struct known_key *known = (struct known_key *)(uintptr_t)&s->known[hash % KNOWN_KEYS];
    if (known->len != len || memcmp(known->key, key, len) != 0) {
        memcpy(known->key, key, len);
        known->len = (uint8_t)len;
        known->secret = match_key(s, key, len);
    }
    return known->secret;
}

static int filter_whole(struct json_value *v)
{
    v->kind = JSON_STRING_V;
    v->text = MARK;
    v->len = sizeof MARK - 1;
    v->first = v->last = NULL;
    return 1;
}

/* initData is signed: a query string without its hash or date is an ordinary one. */
static bool is_meant(const struct scrub_rule *rule, const char *text, size_t len)
{
    if (strcmp(rule->class_name, "init_data") != 0 || rule->pattern[0] == 't')
        return true;
    return memmem(text, len, "hash=", 5) || memmem(text, len, "auth_date=", 10);
}

/* Replaces every match of one rule. -1: the whole value has to go. */
static int replace_all(const struct scrub *s, size_t rule, struct json_value *v,
                       struct arena *arena)
{
    const pcre2_code *re = s->rules[rule];
    struct buf out;
    int count = 0;
    size_t from = 0;
    size_t kept = 0;
    buf_init(&out, v->len + (size_t)REPLACEMENTS_MAX * sizeof MARK);
    for (;;) {
        int rc = from <= v->len ? match(s, re, v->text, v->len, from) : 0;
        if (rc < 0 || count == REPLACEMENTS_MAX) {
            count = -1;
            break;
        }
        if (rc == 0)
            break;
        const PCRE2_SIZE *o = pcre2_get_ovector_pointer(s->match);
        bool group = rc > 1 && o[2] != PCRE2_UNSET && o[3] > o[2];
        size_t start = group ? o[2] : o[0];
        size_t stop = group ? o[3] : o[1];
        while (stop < v->len && ((unsigned char)v->text[stop] & 0xC0) == 0x80)
            stop++; /* rules count bytes: a code point that one cut goes whole */
        from = o[1] > from ? o[1] : from + 1;
        from = from > stop ? from : stop;
        if (!is_meant(&SCRUB_RULES[rule], v->text + start, stop - start) ||
            (stop - start == sizeof MARK - 1 && memcmp(v->text + start, MARK, stop - start) == 0))
            continue;
        buf_add(&out, v->text + kept, start - kept);
        buf_add(&out, MARK, sizeof MARK - 1);
        kept = stop;
        count++;
    }
    if (count > 0) {
        buf_add(&out, v->text + kept, v->len - kept);
        char *copy = out.full ? NULL : arena_str_dup_n(arena, out.data, out.len);
        count = copy ? count : -1;
        v->text = copy ? copy : v->text;
        v->len = out.len;
    }
    buf_fini(&out);
    return count;
}

static int apply_rules(const struct scrub *s, enum scrub_reach reach, struct json_value *v,
                       struct arena *arena)
{
    int count = 0;
    unsigned has = scrub_traits(v->text, v->len);
    for (size_t i = 0; i < SCRUB_RULES_COUNT; i++) {
        const struct scrub_rule *rule = &SCRUB_RULES[i];
        if (!s->rules[i] || reach < rule->reach || (rule->only_text && reach == SCRUB_ALL) ||
            (has & rule->needs) != rule->needs)
            continue;
        if (rule->whole) {
            if (match(s, s->rules[i], v->text, v->len, 0) != 0)
                return filter_whole(v);
            continue;
        }
        int n = replace_all(s, i, v, arena);
        if (n < 0)
            return count + filter_whole(v);
        if (n > 0) {
            v->kind = JSON_STRING_V;
            has |= scrub_traits(v->text, v->len); /* what is gone may have stood between */
        }
        count += n;
    }
    return count;
}

int scrub_value(const struct scrub *s, enum scrub_reach reach, struct json_value *v,
                struct arena *arena)
{
    if ((v->kind != JSON_STRING_V && v->kind != JSON_NUMBER_V) || v->len < 3)
        return 0;
    if (v->kind == JSON_NUMBER_V && v->len < 15)
        return 0;
    if (!s->any_rule)
        return 0;
    bool long_text = reach == SCRUB_TEXT && v->len >= MEMO_TEXT_BYTES_MIN &&
                     v->len <= MEMO_TEXT_BYTES_MAX; /* a stack, mostly */
    size_t ignored = 0;
    if (long_text && memo_get(s->clean, v->text, v->len, &ignored))
        return 0;
    const struct json_value before = *v;
    int count = apply_rules(s, reach, v, arena);
    if (long_text && count == 0)
        memo_put(s->clean, before.text, before.len, "", 0);
    return count;
}

/* ----------------------------------------------------------------------------------------- trees */

/* Generation bots count tokens: {"max_tokens": 400} is no secret. */
static bool is_count(const struct json_value *v)
{
    char key[64] = {0};
    if (v->kind != JSON_NUMBER_V || v->len >= 12 || v->key_len >= sizeof key)
        return false;
    memcpy(key, v->key, v->key_len);
    return strcasestr(key, "tokens") || strcasestr(key, "token_count");
}

static bool is_string(const struct json_value *v)
{
    return v && v->kind == JSON_STRING_V;
}

/* The value of a pair whose name is a secret's: [name, value] or {"key": name, "value": …}. */
static struct json_value *secret_of_pair(const struct scrub *s, struct json_value *v,
                                         struct json_value **pair_name)
{
    struct json_value *name = NULL;
    struct json_value *value = NULL;
    if (v->kind == JSON_ARRAY_V && v->first && v->first->next && !v->first->next->next) {
        name = v->first;
        value = name->next;
    } else if (v->kind == JSON_OBJECT_V && v->first && v->first->next) {
        name = json_find(v, "key");
        value = json_find(v, "value");
    }
    if (!value || !is_string(name) || value->kind == JSON_NULL_V)
        return NULL;
    *pair_name = name;
    return scrub_key_is_secret(s, name->text, name->len) ? value : NULL;
}

/* {"123456789:AA…": "running"}: what is a secret by its own looks is one as a name, too. */
static int scrub_key(const struct scrub *s, struct json_value *v, struct arena *arena)
{
    struct json_value key = {.kind = JSON_STRING_V, .text = v->key, .len = v->key_len};
    int count = scrub_value(s, SCRUB_NAMES, &key, arena);
    v->key = key.text;
    v->key_len = key.len;
    return count;
}

static bool key_equals(const struct json_value *v, const char *name)
{
    return v->key_len == strlen(name) && strncasecmp(v->key, name, v->key_len) == 0;
}

/* Depth is bounded by the reader (JSON_DEPTH_MAX), so recursion is too. */
// NOLINTNEXTLINE(misc-no-recursion)
int scrub_tree(const struct scrub *s, enum scrub_reach reach, struct json_value *value,
               struct arena *arena)
{
    if (value->kind != JSON_ARRAY_V && value->kind != JSON_OBJECT_V)
        return scrub_value(s, reach, value, arena);
    struct json_value *name = NULL;
    struct json_value *secret = reach == SCRUB_NAMES ? NULL : secret_of_pair(s, value, &name);
    int count = secret ? filter_whole(secret) : 0;
    for (struct json_value *v = value->first; v; v = v->next) {
        bool keyed = value->kind == JSON_OBJECT_V && reach != SCRUB_NAMES;
        if (v->key_len >= KEY_WITH_SECRET_BYTES)
            count += scrub_key(s, v, arena);
        if (keyed && v->kind != JSON_NULL_V && !is_count(v) &&
            scrub_key_is_secret(s, v->key, v->key_len))
            count += filter_whole(v);
        else if ((keyed && key_equals(v, "user-agent")) || (secret && v == name))
            count += scrub_tree(s, SCRUB_NAMES, v, arena);
        else
            count += scrub_tree(s, reach, v, arena);
    }
    return count;
}
