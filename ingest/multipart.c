/* multipart.c -- a part is headers, an empty line, and bytes up to the next delimiter. */
#include "ingest/multipart.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { BOUNDARY_BYTES_MAX = 70, HEADER_LINES_MAX = 20 };

static bool starts(const char *at, size_t len, const char *word)
{
    size_t n = strlen(word);
    return len >= n && strncasecmp(at, word, n) == 0;
}

/* The value of `name=` among ";"-separated parameters, without its quotes. */
static struct multipart_text parameter(const char *line, size_t len, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + n + 1 <= len; i++) {
        bool border = i == 0 || line[i - 1] == ';' || line[i - 1] == ' ';
        if (!border || strncasecmp(line + i, name, n) != 0 || line[i + n] != '=')
            continue;
        const char *from = line + i + n + 1;
        const char *end = line + len;
        if (from < end && *from == '"') {
            const char *close = memchr(from + 1, '"', (size_t)(end - from - 1));
            return close ? (struct multipart_text){from + 1, (size_t)(close - from - 1)}
                         : (struct multipart_text){0};
        }
        const char *stop = from;
        while (stop < end && *stop != ';' && !isspace((unsigned char)*stop))
            stop++;
        return (struct multipart_text){from, (size_t)(stop - from)};
    }
    return (struct multipart_text){0};
}

bool multipart_open(struct multipart *m, const char *content_type, size_t type_len,
                    const char *body, size_t len)
{
    struct multipart_text boundary = {0};
    if (content_type && starts(content_type, type_len, "multipart/"))
        boundary = parameter(content_type, type_len, "boundary");
    if (!boundary.at || boundary.len == 0 || boundary.len > BOUNDARY_BYTES_MAX)
        return false;
    m->delimiter_len = (size_t)snprintf(m->delimiter, sizeof m->delimiter, "\r\n--%.*s",
                                        (int)boundary.len, boundary.at);
    m->end = body + len;
    /* the first delimiter has no line before it; a preamble may stand there */
    const char *bare = m->delimiter + 2;
    size_t bare_len = m->delimiter_len - 2;
    if (len >= bare_len && memcmp(body, bare, bare_len) == 0) {
        m->at = body + bare_len;
        return true;
    }
    const char *first = memmem(body, len, m->delimiter, m->delimiter_len);
    m->at = first ? first + m->delimiter_len : NULL;
    return first != NULL;
}

/* Header lines up to the empty one; false: there is none. */
static bool read_headers(struct multipart *m, struct multipart_part *part)
{
    static const char DISPOSITION[] = "content-disposition:";
    static const char TYPE[] = "content-type:";
    for (int i = 0; i < HEADER_LINES_MAX; i++) {
        const char *line = m->at;
        const char *stop = memmem(line, (size_t)(m->end - line), "\r\n", 2);
        if (!stop)
            return false;
        size_t len = (size_t)(stop - line);
        m->at = stop + 2;
        if (len == 0)
            return true;
        if (starts(line, len, DISPOSITION)) {
            part->name =
                parameter(line + sizeof DISPOSITION - 1, len - (sizeof DISPOSITION - 1), "name");
            part->file_name = parameter(line + sizeof DISPOSITION - 1,
                                        len - (sizeof DISPOSITION - 1), "filename");
        } else if (starts(line, len, TYPE)) {
            size_t skip = sizeof TYPE - 1;
            while (skip < len && line[skip] == ' ')
                skip++;
            part->content_type = (struct multipart_text){line + skip, len - skip};
        }
    }
    return false;
}

bool multipart_next(struct multipart *m, struct multipart_part *part)
{
    *part = (struct multipart_part){0};
    if (!m->at)
        return false;
    while (m->at < m->end && (*m->at == ' ' || *m->at == '\t'))
        m->at++;
    if (m->end - m->at < 2 || memcmp(m->at, "\r\n", 2) != 0)
        return false; /* "--" behind the last delimiter, or nothing */
    m->at += 2;
    if (!read_headers(m, part))
        return false;
    part->data = m->at;
    /* an empty part: its delimiter's line break is that of the empty line */
    const char *from = m->at - 2;
    const char *stop = memmem(from, (size_t)(m->end - from), m->delimiter, m->delimiter_len);
    if (!stop)
        return false;
    part->len = stop > m->at ? (size_t)(stop - m->at) : 0;
    m->at = stop + m->delimiter_len;
    return true;
}
