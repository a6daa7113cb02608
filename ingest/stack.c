/* stack.c -- which language a stack text is in, its frames in one order, its exception's type. */
#include "ingest/stack.h"

#include "ingest/memo.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { FRAMES_TELLING = 5 }; /* enough to tell the language: the first that has so many is it */

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
    if (stack->count == STACK_FRAMES_READ_MAX) {  /* Python: keep the innermost, which come last */
        stack->count = STACK_FRAMES_READ_MAX / 2; /* half at once, or each costs a move of all */
        memmove(stack->frames, stack->frames + STACK_FRAMES_READ_MAX - stack->count,
                stack->count * sizeof *stack->frames);
    }
    stack->frames[stack->count++] = *frame;
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
        struct stack_frame frame; /* large: only its beginnings are set */
        frame.file[0] = frame.function[0] = '\0';
        if (stack && restarts(lang, at, len))
            stack->count = 0;
        if (lang->frame(at, len, next, &frame) && (frame.file[0] || frame.function[0])) {
            seen++;
            if (stack && (lang->innermost_last || stack->count < STACK_FRAMES_READ_MAX)) {
                frame.in_app = !lang->library(at, len, &frame);
                add_frame(stack, &frame);
            }
        }
        if (!stack && seen >= FRAMES_TELLING)
            break;
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

static void skip(const char **line, size_t *len, size_t n)
{
    *line += n;
    *len -= n;
}

/* Exception in thread "worker-3" java.lang… */
static void skip_thread(const char **line, size_t *len)
{
    static const char START[] = "Exception in thread \"";
    size_t n = sizeof START - 1;
    if (*len <= n || memcmp(*line, START, n) != 0)
        return;
    const char *close = memchr(*line + n, '"', *len - n);
    if (close && close + 2 < *line + *len)
        skip(line, len, (size_t)(close - *line) + 2);
}

/* "package.Type: message" or "Type" alone on a line: its type. */
static bool read_type(const char *line, size_t len, char out[FRAME_TEXT_BYTES])
{
    static const char *const PREFIXES[] = {"Caused by: ", "PHP Fatal error:  Uncaught ",
                                           "Fatal error: Uncaught ", "Uncaught "};
    skip_thread(&line, &len);
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++) {
        size_t n = strlen(PREFIXES[i]);
        if (len > n && memcmp(line, PREFIXES[i], n) == 0)
            skip(&line, &len, n);
    }
    size_t n = 0;
    while (n < len && n < FRAME_TEXT_BYTES - 1 && line[n] && is_type_char(line[n]))
        n++;
    while (n > 0 && line[n - 1] == ':')
        n--;
    bool ends = n == len || line[n] == ':' || line[n] == '\r';
    if (n == 0 || !ends || !isalpha((unsigned char)line[0]))
        return false;
    memcpy(out, line, n);
    out[n] = '\0';
    return true;
}

/* Ruby ends its first line with the type: "bot.rb:1:in `f': message (RuntimeError)". */
static void read_ruby_type(const char *text, char out[FRAME_TEXT_BYTES])
{
    const char *end = line_end(text);
    if (end == text || end[-1] != ')')
        return;
    const char *open = memrchr(text, '(', (size_t)(end - text));
    if (open && end - open > 2)
        read_type(open + 1, (size_t)(end - open) - 2, out);
}

/* The first line behind the last frame that starts like a type: what follows is its message. */
static void find_python_type(const char *text, const struct stack_language *lang,
                             struct stack *stack)
{
    bool frames_seen = false;
    for (const char *at = text; *at;) {
        const char *end = line_end(at);
        const char *next = *end ? end + 1 : end;
        size_t len = (size_t)(end - at);
        struct stack_frame frame;
        const char *line = at;
        if (lang->frame(at, len, next, &frame)) {
            frames_seen = true;
            stack->type[0] = '\0';
        } else if (frames_seen && !stack->type[0]) {
            bool in_group = len && (*line == '|' || memchr(line, '|', len < 8 ? len : 8));
            while (in_group && len && (*line == ' ' || *line == '|'))
                skip(&line, &len, 1);
            read_type(line, len, stack->type);
        }
        at = next;
    }
}

/* Everybody else names the type before the frames; Rust has none. */
static void find_type(const char *text, const struct stack_language *lang, struct stack *stack)
{
    stack->type[0] = '\0';
    if (strcmp(lang->name, "rust") == 0)
        return;
    if (strcmp(lang->name, "ruby") == 0) {
        read_ruby_type(text, stack->type);
        return;
    }
    if (lang->innermost_last) {
        find_python_type(text, lang, stack);
        return;
    }
    for (const char *at = text; *at;) {
        const char *end = line_end(at);
        const char *next = *end ? end + 1 : end;
        struct stack_frame frame;
        if (lang->frame(at, (size_t)(end - at), next, &frame) ||
            read_type(at, (size_t)(end - at), stack->type))
            return;
        at = next;
    }
}

static bool parse(const char *text, struct stack *stack)
{
    const struct stack_language *best = NULL;
    size_t best_seen = 0;
    for (size_t i = 0; i < STACK_LANGUAGES_COUNT && best_seen < FRAMES_TELLING; i++) {
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

/* What is remembered of a text: this, and its frames behind it. */
struct parsed {
    size_t count;
    char type[FRAME_TEXT_BYTES];
};
enum { REMEMBERED_FRAMES_MAX = 40 };

static void remember(struct memo *memo, const char *text, size_t len, const struct stack *stack)
{
    char value[sizeof(struct parsed) + REMEMBERED_FRAMES_MAX * sizeof(struct stack_frame)];
    struct parsed head = {.count = stack->count};
    size_t frames = stack->count * sizeof *stack->frames;
    if (stack->count > REMEMBERED_FRAMES_MAX)
        return;
    memcpy(head.type, stack->type, sizeof head.type);
    memcpy(value, &head, sizeof head);
    memcpy(value + sizeof head, stack->frames, frames);
    memo_put(memo, text, len, value, sizeof head + frames);
}

bool stack_parse(const char *text, struct stack *stack)
{
    static struct memo *memo; /* one thread */
    size_t len = strlen(text);
    size_t value_len = 0;
    if (len < MEMO_TEXT_BYTES_MIN || len > MEMO_TEXT_BYTES_MAX)
        return parse(text, stack);
    if (!memo)
        memo = memo_new(MEMO_SLOTS, MEMO_BYTES_MAX);
    const char *value = memo_get(memo, text, len, &value_len);
    if (value) {
        struct parsed head;
        memcpy(&head, value, sizeof head);
        stack->count = head.count;
        memcpy(stack->type, head.type, sizeof stack->type);
        memcpy(stack->frames, value + sizeof head, value_len - sizeof head);
    } else {
        parse(text, stack);
        remember(memo, text, len, stack);
    }
    return stack->count > 0;
}
