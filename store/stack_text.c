/* stack_text.c -- where the message stands in a stack text. */
#include "store/stack_text.h"

#include <string.h>

static const char *line_after(const char *at)
{
    const char *end = strchr(at, '\n');
    return end ? end + 1 : at + strlen(at);
}

/* Behind the last frame and its lines of source: the first line that is not indented, to the end. An exception group has
 * messages in the middle, behind bars: it is stored whole. */
static struct stack_text split_python(const char *text)
{
    static const char FRAME[] = "\n  File \"";
    const char *last = NULL;
    if (strstr(text, "+-+---"))
        return (struct stack_text){0};
    for (const char *at = text; (at = strstr(at, FRAME)); at++)
        last = at + 1;
    if (!last)
        return (struct stack_text){0};
    const char *said = line_after(last);
    while (*said == ' ' || *said == '\n')
        said = line_after(said);
    size_t len = strlen(said);
    return (struct stack_text){len ? said : NULL, len, false};
}

/* Between the type and the first frame: "java.lang.IllegalStateException: user 17 is away". */
static struct stack_text split_others(const char *text)
{
    static const char *const FRAMES[] = {"\n    at ", "\n\tat ", "\n  at "};
    const char *frame = NULL;
    for (size_t i = 0; i < sizeof FRAMES / sizeof *FRAMES; i++) {
        const char *found = strstr(text, FRAMES[i]);
        if (found && (!frame || found < frame))
            frame = found;
    }
    const char *colon = frame ? strstr(text, ": ") : NULL;
    if (!colon || colon + 2 >= frame)
        return (struct stack_text){0};
    return (struct stack_text){colon + 2, (size_t)(frame - colon) - 2, false};
}

static bool is_in_columns(const struct stack_text *t, const char *type, const char *message)
{
    size_t type_len = type ? strlen(type) : 0;
    size_t message_len = message ? strlen(message) : 0;
    return type && message && t->said && t->said_len == type_len + 2 + message_len &&
           memcmp(t->said, type, type_len) == 0 && memcmp(t->said + type_len, ": ", 2) == 0 &&
           memcmp(t->said + type_len + 2, message, message_len) == 0;
}

struct stack_text stack_text_split(const char *text, const char *type, const char *message)
{
    if (strchr(text, STACK_TEXT_MARK))
        return (struct stack_text){0};
    bool python = strstr(text, "Traceback (most recent call last)");
    struct stack_text split = python ? split_python(text) : split_others(text);
    split.in_columns = is_in_columns(&split, type, message);
    return split;
}
