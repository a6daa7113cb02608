/* similar.c -- trigrams of words, padded as in pg_trgm: "cat" is "  c", " ca", "cat", "at ".
 *
 * Computed here and not by the extension: it may not be there, and a thousand titles take a
 * millisecond. */
#include "alerts/similar.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TRIGRAMS_MAX = 600, ALIKE_MIN = 45, SAME_PLACE = 100 };

struct trigrams {
    unsigned list[TRIGRAMS_MAX]; /* three bytes each; sorted, without repeats */
    size_t count;
};

static int by_value(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a;
    unsigned y = *(const unsigned *)b;
    return (x > y) - (x < y);
}

/* Bytes above 0x7f are letters here: Cyrillic words share trigrams of bytes as well. */
static bool is_letter(unsigned char c)
{
    return isalnum(c) || c >= 0x80;
}

static void add_word(struct trigrams *t, const unsigned char *word, size_t len)
{
    unsigned window = ' ' << 8 | ' ';
    for (size_t i = 0; i <= len && t->count < TRIGRAMS_MAX; i++) {
        unsigned c = i < len ? (unsigned)tolower(word[i]) : ' ';
        window = (window << 8 | c) & 0xffffff;
        t->list[t->count++] = window;
    }
}

static void read_trigrams(const char *text, struct trigrams *t)
{
    t->count = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t len = 0;
        while (is_letter(at[len]))
            len++;
        if (len > 0)
            add_word(t, at, len);
        at += len > 0 ? len : 1;
    }
    qsort(t->list, t->count, sizeof *t->list, by_value);
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++)
        if (kept == 0 || t->list[i] != t->list[kept - 1])
            t->list[kept++] = t->list[i];
    t->count = kept;
}

static int share(const struct trigrams *a, const struct trigrams *b)
{
    size_t common = 0;
    for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
        if (a->list[i] == b->list[j]) {
            common++;
            i++;
            j++;
        } else if (a->list[i] < b->list[j]) {
            i++;
        } else {
            j++;
        }
    }
    size_t all = a->count + b->count - common;
    return all ? (int)(100 * common / all) : 0;
}

int similar_titles(const char *a, const char *b)
{
    struct trigrams x;
    struct trigrams y;
    read_trigrams(a, &x);
    read_trigrams(b, &y);
    return share(&x, &y);
}

/* "ValueError" of "ValueError: bad text"; 0: the title begins with no type. */
static size_t type_len(const char *title)
{
    size_t len = 0;
    while (isalnum((unsigned char)title[len]) || strchr("._", title[len] ? title[len] : ' '))
        len++;
    return title[len] == ':' ? len : 0;
}

static bool same_place(const struct group *g, const struct group_brief *other)
{
    size_t len = type_len(g->title);
    return len > 0 && len == type_len(other->title) && strncmp(g->title, other->title, len) == 0 &&
           g->culprit && *g->culprit && other->culprit && strcmp(g->culprit, other->culprit) == 0;
}

size_t similar_pick(const struct group *group, const struct group_brief *others, size_t count,
                    size_t *picked, size_t max)
{
    struct trigrams mine;
    struct trigrams theirs;
    int scores[16];
    size_t n = 0;
    max = max < sizeof scores / sizeof *scores ? max : sizeof scores / sizeof *scores;
    read_trigrams(group->title, &mine);
    for (size_t i = 0; i < count; i++) {
        read_trigrams(others[i].title, &theirs);
        int score = same_place(group, &others[i]) ? SAME_PLACE : share(&mine, &theirs);
        size_t at = n;
        while (at > 0 && scores[at - 1] < score)
            at--;
        if (score < ALIKE_MIN || at >= max)
            continue;
        n += n < max;
        for (size_t k = n - 1; k > at; k--) {
            scores[k] = scores[k - 1];
            picked[k] = picked[k - 1];
        }
        scores[at] = score;
        picked[at] = i;
    }
    return n;
}
