/* frames.c -- lines of a stack are told apart once, then whole frames are picked.
 *
 *     Traceback (most recent call last):      head
 *       File "/app/a.py", line 41, in start   frame
 *         await answer(text)                  more (of that frame)
 *     ValueError: bad text                    head (the exception itself) */
#include "alerts/frames.h"

#include "core/utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum line_kind { LINE_HEAD, LINE_FRAME, LINE_MORE };
enum { LINES_READ_MAX = 400 };

struct line {
    const char *at;
    size_t len;
    enum line_kind kind;
};

struct lines {
    struct line list[LINES_READ_MAX];
    size_t count;
    bool is_python;
    bool is_cut; /* there are more lines than are read */
};

static bool starts(const struct line *line, const char *mark)
{
    size_t skip = 0;
    while (skip < line->len && isspace((unsigned char)line->at[skip]))
        skip++;
    size_t len = strlen(mark);
    return line->len - skip >= len && memcmp(line->at + skip, mark, len) == 0;
}

static bool is_indented(const struct line *line)
{
    return line->len > 0 && isspace((unsigned char)line->at[0]);
}

static enum line_kind kind_of(const struct lines *l, size_t i)
{
    const struct line *line = &l->list[i];
    bool named = starts(line, "at ") || starts(line, "from ") || starts(line, "#");
    if (l->is_python)
        return starts(line, "File \"") ? LINE_FRAME : is_indented(line) ? LINE_MORE : LINE_HEAD;
    if (is_indented(line) && !named && i > 0 && l->list[i - 1].kind == LINE_FRAME &&
        !is_indented(&l->list[i - 1]))
        return LINE_MORE; /* Go: the place stands below its function */
    if (is_indented(line) || named)
        return LINE_FRAME;
    bool go = i + 1 < l->count && l->list[i + 1].len > 0 && l->list[i + 1].at[0] == '\t' &&
              !starts(&l->list[i + 1], "at ") && !starts(&l->list[i + 1], "from ");
    return go ? LINE_FRAME : LINE_HEAD;
}

/* Of a long text the lines that matter: the last ones of Python, else the first. */
static void read_lines(const char *text, struct lines *l)
{
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    l->count = 0;
    l->is_cut = false;
    l->is_python =
        strstr(text, "Traceback (most recent") != NULL || strstr(text, "  File \"") != NULL;
    size_t total = 1;
    for (size_t i = 0; i < len; i++)
        total += text[i] == '\n';
    size_t skip = l->is_python && total > LINES_READ_MAX ? total - LINES_READ_MAX : 0;
    l->is_cut = total > LINES_READ_MAX;
    for (size_t at = 0; at < len && l->count < LINES_READ_MAX;) {
        size_t end = at;
        while (end < len && text[end] != '\n')
            end++;
        if (skip > 0)
            skip--;
        else
            l->list[l->count++] = (struct line){text + at, end - at, LINE_HEAD};
        at = end + 1;
    }
    for (size_t i = 0; i < l->count; i++)
        l->list[i].kind = kind_of(l, i);
}

static size_t units(const struct lines *l, size_t from, size_t to)
{
    const char *at = l->list[from].at;
    const struct line *last = &l->list[to - 1];
    return utf8_utf16_units(at, (size_t)(last->at + last->len - at));
}

/* Python: back from the end, frame by frame. */
static size_t first_of_last(const struct lines *l, size_t frames_max, size_t units_max)
{
    size_t from = l->count;
    size_t frames = 0;
    for (size_t i = l->count; i-- > 0;) {
        if (l->list[i].kind == LINE_MORE && i > 0)
            continue;
        if (from < l->count && units(l, i, l->count) > units_max)
            break;
        if (l->list[i].kind == LINE_FRAME && frames++ == frames_max)
            break;
        from = i;
    }
    return from < l->count ? from : l->count - 1;
}

static size_t end_of_first(const struct lines *l, size_t frames_max, size_t units_max)
{
    size_t frames = 0;
    size_t to = 0;
    while (to < l->count) {
        size_t next = to + 1;
        while (next < l->count && l->list[next].kind == LINE_MORE)
            next++;
        if (l->list[to].kind == LINE_FRAME && frames++ == frames_max)
            break;
        if (to > 0 && units(l, 0, next) > units_max)
            break;
        to = next;
    }
    return to;
}

struct frames frames_top(const char *text, size_t frames_max, size_t units_max)
{
    struct lines l;
    read_lines(text, &l);
    if (l.count == 0)
        return (struct frames){text, 0, false};
    size_t from = l.is_python ? first_of_last(&l, frames_max, units_max) : 0;
    size_t to = l.is_python ? l.count : end_of_first(&l, frames_max, units_max);
    const char *at = l.list[from].at;
    const struct line *last = &l.list[to - 1];
    return (struct frames){at, (size_t)(last->at + last->len - at),
                           l.is_cut || from > 0 || to < l.count};
}

/* `File "/app/bot/render.py", line 7, in render` */
static bool python_source(const struct line *line, char out[FRAMES_SOURCE_BYTES])
{
    const char *open = memchr(line->at, '"', line->len);
    const char *end = line->at + line->len;
    const char *close = open ? memchr(open + 1, '"', (size_t)(end - open - 1)) : NULL;
    if (!close)
        return false;
    static const char MARK[] = ", line ";
    int number = 0;
    const char *at = close + 1;
    if ((size_t)(end - at) > sizeof MARK - 1 && memcmp(at, MARK, sizeof MARK - 1) == 0)
        for (at += sizeof MARK - 1; at < end && isdigit((unsigned char)*at) && number < 10000000;
             at++)
            number = number * 10 + (*at - '0');
    static const char IN[] = ", in ";
    const char *name = (size_t)(end - at) > sizeof IN - 1 && memcmp(at, IN, sizeof IN - 1) == 0
                           ? at + sizeof IN - 1
                           : NULL;
    size_t path_len = utf8_cut(open + 1, (size_t)(close - open - 1), FRAMES_SOURCE_BYTES / 2);
    size_t name_len = name ? utf8_cut(name, (size_t)(end - name), FRAMES_SOURCE_BYTES / 4) : 0;
    snprintf(out, FRAMES_SOURCE_BYTES, "%.*s:%d%s%.*s", (int)path_len, open + 1, number,
             name ? " in " : "", (int)name_len, name ? name : "");
    return true;
}

bool frames_source(const char *text, char out[FRAMES_SOURCE_BYTES])
{
    struct lines l;
    const struct line *found = NULL;
    read_lines(text, &l);
    for (size_t i = 0; i < l.count; i++)
        if (l.list[i].kind == LINE_FRAME && (l.is_python || !found))
            found = &l.list[i];
    if (!found)
        return false;
    if (l.is_python)
        return python_source(found, out);
    size_t skip = 0;
    while (skip < found->len && isspace((unsigned char)found->at[skip]))
        skip++;
    if (found->len - skip > 3 && memcmp(found->at + skip, "at ", 3) == 0)
        skip += 3;
    size_t len = utf8_cut(found->at + skip, found->len - skip, FRAMES_SOURCE_BYTES - 1);
    snprintf(out, FRAMES_SOURCE_BYTES, "%.*s", (int)len, found->at + skip);
    return true;
}
