/* stack.c -- which language a stack text is in, its frames in one order, its exception's type. */
#include "ingest/stack.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *line_end(const char *at)
{
    const char *end = strchr(at, '\n');
    return end ? end : at + strlen(at);
}

/* A new section: Python's chained exceptions restart the list, the last section is what was
 * raised. Java's "Caused by" adds to it: the first section is what was raised. */
static bool restarts(const struct stack_language *lang, const char *line, size_t len)
{
    static const char *const STARTS[] = {"During handling of the above", "The above exception was",
                                         "Traceback (most recent"};
    if (!lang->innermost_last)
        return false;
    while (len && (*line == ' ' || *line == '|')) {
        line++;
        len--;
    }
    for (size_t i = 0; i < sizeof STARTS / sizeof *STARTS; i++)
        if (len >= strlen(STARTS[i]) && memcmp(line, STARTS[i], strlen(STARTS[i])) == 0)
            return true;
    return false;
}

static void add_frame(struct stack *stack, const struct stack_frame *frame)
{
    if (stack->count == STACK_FRAMES_READ_MAX) /* Python: keep the innermost, which come last */
        memmove(stack->frames, stack->frames + 1,
                (STACK_FRAMES_READ_MAX - 1) * sizeof *stack->frames);
    else
        stack->count++;
    stack->frames[stack->count - 1] = *frame;
}

static size_t read_frames(const char *text, const struct stack_language *lang, struct stack *stack)
{
    size_t seen = 0;
    if (stack)
        stack->count = 0;
    for (const char *at = text; *at;) {
        const char *end = line_end(at);
        const char *next = *end ? end + 1 : end;
        size_t len = (size_t)(end - at);
        struct stack_frame frame = {.in_app = true};
        if (stack && restarts(lang, at, len))
            stack->count = 0;
        if (lang->frame(at, len, next, &frame) && (frame.file[0] || frame.function[0])) {
            seen++;
            frame.in_app = !lang->library(at, len, &frame);
            if (stack && (lang->innermost_last || stack->count < STACK_FRAMES_READ_MAX))
                add_frame(stack, &frame);
        }
        if (!stack && seen >= 5)
            break; /* enough to tell the language */
        at = next;
    }
    return seen;
}

static void reverse(struct stack *stack)
{
    for (size_t i = 0, j = stack->count; i + 1 < j; i++) {
        struct stack_frame swap = stack->frames[i];
        stack->frames[i] = stack->frames[--j];
        stack->frames[j] = swap;
    }
}

static bool is_type_char(char c)
{
    return isalnum((unsigned char)c) || strchr("._:$\\", c);
}

/* "package.Type: message" or "Type" alone on a line: its type. */
static bool read_type(const char *line, size_t len, char out[FRAME_TEXT_BYTES])
{
    static const char *const PREFIXES[] = {"Exception in thread \"main\" ",
                                           "Caused by: ", "PHP Fatal error:  Uncaught ",
                                           "Fatal error: Uncaught ", "Uncaught "};
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++) {
        size_t n = strlen(PREFIXES[i]);
        if (len > n && memcmp(line, PREFIXES[i], n) == 0) {
            line += n;
            len -= n;
        }
    }
    size_t n = 0;
    while (n < len && n < FRAME_TEXT_BYTES - 1 && line[n] && is_type_char(line[n]))
        n++;
    while (n > 0 && line[n - 1] == ':')
        n--;
    bool ends = n == len || line[n] == ':';
    if (n == 0 || !ends || !isalpha((unsigned char)line[0]))
        return false;
    memcpy(out, line, n);
    out[n] = '\0';
    return true;
}

/* Python names the type behind the frames, the others before them. */
static void find_type(const char *text, const struct stack_language *lang, struct stack *stack)
{
    stack->type[0] = '\0';
    bool frames_seen = false;
    for (const char *at = text; *at;) {
        const char *end = line_end(at);
        size_t len = (size_t)(end - at);
        const char *next = *end ? end + 1 : end;
        struct stack_frame frame;
        if (lang->frame(at, len, next, &frame))
            frames_seen = true;
        else if (lang->innermost_last ? frames_seen && len > 0 && !isspace((unsigned char)*at)
                                      : !frames_seen) {
            if (read_type(at, len, stack->type) && !lang->innermost_last)
                return;
        }
        at = next;
    }
}

bool stack_parse(const char *text, struct stack *stack)
{
    const struct stack_language *best = NULL;
    size_t best_seen = 0;
    for (size_t i = 0; i < STACK_LANGUAGES_COUNT; i++) {
        size_t seen = read_frames(text, &STACK_LANGUAGES[i], NULL);
        if (seen > best_seen) {
            best = &STACK_LANGUAGES[i];
            best_seen = seen;
        }
    }
    stack->count = 0;
    stack->type[0] = '\0';
    if (!best)
        return false;
    read_frames(text, best, stack);
    find_type(text, best, stack);
    if (best->innermost_last)
        reverse(stack);
    return stack->count > 0;
}
