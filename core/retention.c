/* retention.c -- a list of name=days. Names are slugs, as origins are: an array's literal needs no quotes for them. */
#include "core/retention.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool add_class(const char **at, const char *separator, struct buf *names, struct buf *days)
{
    const char *name = *at;
    char *end = NULL;
    size_t len = 0;
    while (islower((unsigned char)name[len]) || isdigit((unsigned char)name[len]) ||
           (name[len] && strchr("_.-", name[len])))
        len++;
    if (len == 0 || len > 64 || name[len] != '=' || !isdigit((unsigned char)name[len + 1]))
        return false;
    long n = strtol(name + len + 1, &end, 10);
    if (n < 1 || n > RETENTION_DAYS_MAX)
        return false;
    buf_addf(names, "%s%.*s", separator, (int)len, name);
    buf_addf(days, "%s%ld", separator, n);
    *at = end + strspn(end, " ");
    return **at == '\0' || **at == ',';
}

bool retention_parse(const char *text, struct buf *names, struct buf *days)
{
    int count = 0;
    const char *at = text ? text : "";
    buf_add_char(names, '{');
    buf_add_char(days, '{');
    at += strspn(at, " ");
    while (*at) {
        if (++count > RETENTION_CLASSES_MAX || !add_class(&at, count > 1 ? "," : "", names, days))
            return false;
        if (*at == ',') {
            at++;
            at += strspn(at, " ");
            if (!*at)
                return false;
        }
    }
    return buf_add_char(names, '}') && buf_add_char(days, '}');
}
