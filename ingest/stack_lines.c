/* stack_lines.c -- stack lines of Python, JavaScript, PHP and Ruby, and the table of all languages. */
#include "ingest/stack_part.h"

#include <ctype.h>
#include <string.h>

/* --- Python:   File "/app/bot.py", line 12, in handler */
static bool python_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = part_trim((struct part){line, len});
    while (p.len && (*p.at == '|' || *p.at == ' ')) /* exception groups */
        p = part_skip(p, 1);
    if (!part_starts(p, "File \""))
        return false;
    p = part_skip(p, 6);
    const char *close = memchr(p.at, '"', p.len);
    if (!close)
        return false;
    part_put_file(f->file, part_until(p, close));
    struct part rest = part_skip(p, (size_t)(close - p.at) + 1);
    const char *in = part_find(rest, ", in ");
    if (!part_starts(rest, ", line "))
        return false;
    part_put(f->function, in ? part_skip(rest, (size_t)(in - rest.at) + 5) : (struct part){"", 0});
    return true;
}

static bool python_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {"site-packages", "dist-packages", "/lib/python", "<frozen",
                                        "\\Lib\\",       "importlib",     NULL};
    (void)f;
    return part_contains_any((struct part){line, len}, WORDS);
}

/* --- JavaScript:   at fn (file.js:1:2) | at file.js:1:2 | fn@https://host/file.js:1:2 */
static void put_js_function(char out[FRAME_TEXT_BYTES], struct part name)
{
    static const char *const PREFIXES[] = {"async ", "new ", "Object.", "Module.", "Function."};
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
        if (part_starts(name, PREFIXES[i]))
            name = part_skip(name, strlen(PREFIXES[i]));
    const char *alias = part_find(name, " [as ");
    if (alias)
        name = part_until(name, alias);
    if (part_ends(name, "<anonymous>") || part_starts(name, "?"))
        name = (struct part){"", 0};
    part_put(out, name);
}

static bool js_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = part_trim((struct part){line, len});
    if (part_starts(p, "at ")) {
        p = part_skip(p, 3);
        const char *open = part_ends(p, ")") ? part_find(p, " (") : NULL;
        if (open)
            open++;
        else if (part_ends(p, ")"))
            open = memchr(p.at, '(', p.len);
        struct part where =
            open ? part_until(part_skip(p, (size_t)(open - p.at) + 1), p.at + p.len - 1) : p;
        struct part file = part_strip_position(where);
        bool native = part_starts(where, "native") || part_starts(where, "<anonymous>") ||
                      part_starts(where, "node:");
        if (file.len == where.len && !native)
            return false;
        if (part_find(file, ".java") || part_ends(file, ".rs") || part_find(file, ".kt"))
            return false;
        part_put_file(f->file, file);
        put_js_function(f->function, open ? part_trim(part_until(p, open)) : (struct part){"", 0});
        return true;
    }
    const char *at = memchr(p.at, '@', p.len);
    if (!at || memchr(p.at, ' ', p.len))
        return false;
    struct part where = part_skip(p, (size_t)(at - p.at) + 1);
    struct part file = part_strip_position(where);
    if (file.len == where.len || !(part_find(file, "/") || part_find(file, ".js")))
        return false;
    part_put_file(f->file, file);
    put_js_function(f->function, part_until(p, at));
    return true;
}

static bool js_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {
        "node_modules",      "node:", "(internal/", "at internal/", "(native)",
        "webpack/bootstrap", NULL};
    (void)f;
    return part_contains_any((struct part){line, len}, WORDS);
}

/* --- PHP:   #0 /app/src/Bot.php(12): App\Bot->handle(Object(Update)) */
static bool php_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = part_trim((struct part){line, len});
    size_t n = 1;
    while (n < p.len && isdigit((unsigned char)p.at[n]))
        n++;
    if (!part_starts(p, "#") || n < 2 || n >= p.len || p.at[n] != ' ')
        return false;
    p = part_skip(p, n + 1);
    if (part_starts(p, "{main}")) {
        part_put(f->function, (struct part){"{main}", 6});
        return true;
    }
    const char *colon = part_find(p, "): ");
    bool internal = part_starts(p, "[internal function]: ");
    if (!colon && !internal)
        return false;
    struct part where = internal ? (struct part){"", 0} : part_until(p, colon);
    const char *open = where.len ? part_find_last(where, '(') : NULL;
    if (!internal && !open)
        return false;
    part_put_file(f->file, open ? part_until(where, open) : where);
    struct part call = internal ? part_skip(p, 21) : part_skip(p, (size_t)(colon - p.at) + 3);
    const char *args = memchr(call.at, '(', call.len);
    struct part name = args ? part_until(call, args) : call;
    const char *anonymous = part_find(name, "@anonymous");
    part_put(f->function, anonymous ? part_until(name, anonymous + 10) : name);
    return true;
}

static bool php_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {"/vendor/", "\\vendor\\", "[internal function]", NULL};
    (void)f;
    return part_contains_any((struct part){line, len}, WORDS);
}

/* --- Ruby:   from /app/bot.rb:12:in `block in handle' */
static bool ruby_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = part_trim((struct part){line, len});
    if (part_starts(p, "from "))
        p = part_skip(p, 5);
    const char *in = part_find(p, ":in `");
    if (!in)
        in = part_find(p, ":in '");
    if (!in)
        return false;
    struct part file = part_strip_position(part_until(p, in));
    if (file.len == (size_t)(in - p.at))
        return false;
    part_put_file(f->file, file);
    struct part name = part_skip(p, (size_t)(in - p.at) + 5);
    const char *close = memchr(name.at, '\'', name.len);
    if (close)
        name = part_until(name, close);
    const char *of = NULL;
    while ((part_starts(name, "block ") || part_starts(name, "rescue in ") ||
            part_starts(name, "ensure in ")) &&
           (of = part_find(name, "in ")))
        name = part_skip(name, (size_t)(of - name.at) + 3);
    part_put(f->function, name);
    return true;
}

static bool ruby_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {"/gems/", "/lib/ruby/", "<internal:", NULL};
    (void)f;
    return part_contains_any((struct part){line, len}, WORDS);
}

const struct stack_language STACK_LANGUAGES[] = {
    {"python", true, python_frame, python_library},
    {"java", false, stack_java_frame, stack_java_library},
    {"javascript", false, js_frame, js_library},
    {"go", false, stack_go_frame, stack_go_library},
    {"rust", false, stack_rust_frame, stack_rust_library},
    {"php", false, php_frame, php_library},
    {"ruby", false, ruby_frame, ruby_library},
    {"native", false, stack_native_frame, stack_native_library},
};
const size_t STACK_LANGUAGES_COUNT = sizeof STACK_LANGUAGES / sizeof *STACK_LANGUAGES;
