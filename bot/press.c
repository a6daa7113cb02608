/* press.c -- a name, a number, a number. */
#include "bot/press.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Digits alone; *end is behind them. -1: there are none, or too many. */
static int64_t number_at(const char *text, const char **end)
{
    char *stop = NULL;
    *end = text;
    if (!isdigit((unsigned char)*text))
        return -1;
    errno = 0;
    long long n = strtoll(text, &stop, 10);
    *end = stop;
    return errno ? -1 : n;
}

struct press press_parse(const char *data)
{
    struct press p = {.name = data ? data : "", .person_id = -1};
    const char *end = NULL;
    p.name_len = strcspn(p.name, ":");
    p.arg = p.name + p.name_len + (p.name[p.name_len] == ':');
    int64_t group = number_at(p.arg, &end);
    p.has_person = *end == ':';
    if (group > 0 && (*end == '\0' || p.has_person))
        p.group_id = group;
    if (p.has_person) {
        int64_t person = number_at(end + 1, &end);
        p.person_id = *end == '\0' ? person : -1;
    }
    return p;
}

bool press_is(const struct press *p, const char *name)
{
    return strlen(name) == p->name_len && strncmp(name, p->name, p->name_len) == 0;
}
