/* stack_lines.c -- one reader of one stack line for each language, and what counts as a library. */
#include "ingest/stack.h"

#include "core/utf8.h"

#include <ctype.h>
#include <string.h>

struct part {
    const char *at;
    size_t len;
};

static struct part trim(struct part p)
{
    while (p.len && isspace((unsigned char)*p.at)) {
        p.at++;
        p.len--;
    }
    while (p.len && isspace((unsigned char)p.at[p.len - 1]))
        p.len--;
    return p;
}

static const char *find(struct part p, const char *text)
{
    return memmem(p.at, p.len, text, strlen(text));
}

static bool starts(struct part p, const char *text)
{
    size_t n = strlen(text);
    return p.len >= n && memcmp(p.at, text, n) == 0;
}

static bool ends(struct part p, const char *text)
{
    size_t n = strlen(text);
    return p.len >= n && memcmp(p.at + p.len - n, text, n) == 0;
}

static struct part skip(struct part p, size_t n)
{
    return n < p.len ? (struct part){p.at + n, p.len - n} : (struct part){p.at + p.len, 0};
}

static struct part until(struct part p, const char *stop)
{
    return (struct part){p.at, (size_t)(stop - p.at)};
}

static const char *find_last(struct part p, char c)
{
    return memrchr(p.at, c, p.len);
}

static bool contains_any(struct part p, const char *const *words)
{
    for (; *words; words++)
        if (find(p, *words))
            return true;
    return false;
}

static void put(char out[FRAME_TEXT_BYTES], struct part p)
{
    size_t n = utf8_cut(p.at, p.len, FRAME_TEXT_BYTES - 1);
    memcpy(out, p.at, n);
    out[n] = '\0';
}

/* Ends a text that was copied byte by byte: a code point cut in two goes. */
static void end_text(char out[FRAME_TEXT_BYTES], size_t n)
{
    size_t whole = n;
    if (n == FRAME_TEXT_BYTES - 1) {
        while (whole > 0 && ((unsigned char)out[whole - 1] & 0xC0) == 0x80)
            whole--;
        if (whole > 0 && (unsigned char)out[whole - 1] >= 0xC0)
            whole--;
    }
    out[whole] = '\0';
}

/* At a border: "-8f3e2c1d" of hex with a digit, or "-Bx3kQ9aZ" (base64url of bundlers) before the
 * extension. Returns its length with the border, or 0. */
static size_t content_hash(struct part path, size_t i)
{
    enum { HASH_MIN = 6, HASH_MAX = 64, BASE64_HASH = 8 };
    size_t n = 0;
    bool hex = true;
    bool digit = false;
    bool upper = false;
    bool lower = false;
    if (path.at[i] != '-' && path.at[i] != '.' && path.at[i] != '_')
        return 0;
    for (; n < HASH_MAX && i + 1 + n < path.len; n++) {
        unsigned char c = (unsigned char)path.at[i + 1 + n];
        if (!isalnum(c))
            break;
        hex = hex && isxdigit(c);
        digit = digit || isdigit(c);
        upper = upper || isupper(c);
        lower = lower || islower(c);
    }
    bool ends = i + 1 + n < path.len && strchr(".-_", path.at[i + 1 + n]);
    bool is_hex = hex && digit && n >= HASH_MIN;
    bool is_base64 = n == BASE64_HASH && upper && lower && digit;
    return ends && (is_hex || is_base64) ? n + 1 : 0;
}

/* Base name without directories, query, and content hashes ("app-8f3e2c1d.js" -> "app.js"). */
static void put_file(char out[FRAME_TEXT_BYTES], struct part path)
{
    const char *query = memchr(path.at, '?', path.len);
    if (query)
        path = until(path, query);
    for (const char *p = path.at + path.len; p > path.at; p--)
        if (p[-1] == '/' || p[-1] == '\\') {
            path = skip(path, (size_t)(p - path.at));
            break;
        }
    size_t n = 0;
    for (size_t i = 0; i < path.len && n < FRAME_TEXT_BYTES - 1;) {
        size_t hash = content_hash(path, i);
        if (hash) {
            i += hash;
            continue;
        }
        out[n++] = path.at[i++];
    }
    end_text(out, n);
}

/* A function's name without runs of digits of two and more behind '$' or '#' or at its end after
 * "Accessor": counters of generated code. */
static void put_generated(char out[FRAME_TEXT_BYTES], struct part name)
{
    size_t n = 0;
    for (size_t i = 0; i < name.len && n < FRAME_TEXT_BYTES - 1; i++) {
        char c = name.at[i];
        if (isdigit((unsigned char)c) && n &&
            (strchr("$#_", out[n - 1]) || (n >= 8 && memcmp(out + n - 8, "Accessor", 8) == 0))) {
            while (i + 1 < name.len && isxdigit((unsigned char)name.at[i + 1]))
                i++;
            continue;
        }
        out[n++] = c;
    }
    while (n > 1 && strchr("$#", out[n - 1]))
        n--;
    end_text(out, n);
}

/* --- Python:   File "/app/bot.py", line 12, in handler */
static bool python_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = trim((struct part){line, len});
    while (p.len && (*p.at == '|' || *p.at == ' ')) /* exception groups */
        p = skip(p, 1);
    if (!starts(p, "File \""))
        return false;
    p = skip(p, 6);
    const char *close = memchr(p.at, '"', p.len);
    if (!close)
        return false;
    put_file(f->file, until(p, close));
    struct part rest = skip(p, (size_t)(close - p.at) + 1);
    const char *in = find(rest, ", in ");
    if (!starts(rest, ", line "))
        return false;
    put(f->function, in ? skip(rest, (size_t)(in - rest.at) + 5) : (struct part){"", 0});
    return true;
}

static bool python_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {"site-packages", "dist-packages", "/lib/python", "<frozen",
                                        "\\Lib\\",       "importlib",     NULL};
    (void)f;
    return contains_any((struct part){line, len}, WORDS);
}

/* --- JavaScript:   at fn (file.js:1:2) | at file.js:1:2 | fn@https://host/file.js:1:2 */
static struct part strip_position(struct part p)
{
    for (int i = 0; i < 2; i++) {
        const char *colon = find_last(p, ':');
        if (!colon || colon + 1 == p.at + p.len)
            break;
        bool digits = true;
        for (const char *c = colon + 1; c < p.at + p.len; c++)
            digits = digits && isdigit((unsigned char)*c);
        if (!digits)
            break;
        p = until(p, colon);
    }
    return p;
}

static void put_js_function(char out[FRAME_TEXT_BYTES], struct part name)
{
    static const char *const PREFIXES[] = {"async ", "new ", "Object.", "Module.", "Function."};
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
        if (starts(name, PREFIXES[i]))
            name = skip(name, strlen(PREFIXES[i]));
    const char *alias = find(name, " [as ");
    if (alias)
        name = until(name, alias);
    if (ends(name, "<anonymous>") || starts(name, "?"))
        name = (struct part){"", 0};
    put(out, name);
}

static bool js_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = trim((struct part){line, len});
    if (starts(p, "at ")) {
        p = skip(p, 3);
        const char *open = ends(p, ")") ? find(p, " (") : NULL;
        if (open)
            open++;
        else if (ends(p, ")"))
            open = memchr(p.at, '(', p.len);
        struct part where = open ? until(skip(p, (size_t)(open - p.at) + 1), p.at + p.len - 1) : p;
        struct part file = strip_position(where);
        bool native =
            starts(where, "native") || starts(where, "<anonymous>") || starts(where, "node:");
        if (file.len == where.len && !native)
            return false;
        if (find(file, ".java") || ends(file, ".rs") || find(file, ".kt"))
            return false;
        put_file(f->file, file);
        put_js_function(f->function, open ? trim(until(p, open)) : (struct part){"", 0});
        return true;
    }
    const char *at = memchr(p.at, '@', p.len);
    if (!at || memchr(p.at, ' ', p.len))
        return false;
    struct part where = skip(p, (size_t)(at - p.at) + 1);
    struct part file = strip_position(where);
    if (file.len == where.len || !(find(file, "/") || find(file, ".js")))
        return false;
    put_file(f->file, file);
    put_js_function(f->function, until(p, at));
    return true;
}

static bool js_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {
        "node_modules",      "node:", "(internal/", "at internal/", "(native)",
        "webpack/bootstrap", NULL};
    (void)f;
    return contains_any((struct part){line, len}, WORDS);
}

/* --- Java:   at pkg.Class.method(File.java:12) */
static bool java_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = trim((struct part){line, len});
    if (!starts(p, "at "))
        return false;
    p = skip(p, 3);
    const char *open = memchr(p.at, '(', p.len);
    if (!open || memchr(p.at, ' ', (size_t)(open - p.at)))
        return false;
    struct part where = skip(p, (size_t)(open - p.at) + 1);
    bool jvm = find(where, ".java") || find(where, ".kt") || find(where, ".scala") ||
               find(where, ".groovy") || starts(where, "Unknown Source") ||
               starts(where, "Native Method");
    struct part name = until(p, open);
    const char *enhanced = find(name, "$$");
    struct part klass = enhanced ? until(name, enhanced) : name;
    const char *module = find_last(klass, '/'); /* "java.base/", never a lambda's address */
    if (module)
        name = skip(name, (size_t)(module - name.at) + 1);
    const char *dot = find_last(name, '.');
    if (!jvm || !dot)
        return false;
    put_generated(f->file, until(name, enhanced ? enhanced : dot));
    put_generated(f->function, skip(name, (size_t)(dot - name.at) + 1));
    return true;
}

static bool java_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const PREFIXES[] = {"java.",         "javax.",    "jdk.",
                                           "sun.",          "com.sun.",  "kotlin.",
                                           "kotlinx.",      "scala.",    "org.springframework.",
                                           "org.apache.",   "io.netty.", "jakarta.",
                                           "org.hibernate."};
    (void)line;
    (void)len;
    struct part file = {f->file, strlen(f->file)};
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
        if (starts(file, PREFIXES[i]))
            return true;
    return false;
}

/* --- Go:   main.(*Bot).handle(0xc000…, 0x1) on a line, \t/app/bot.go:12 +0x1d on the next */
static bool go_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    struct part p = {line, len};
    const char *next_end = strchr(next, '\n');
    struct part where = {next, next_end ? (size_t)(next_end - next) : strlen(next)};
    if (p.len == 0 || isspace((unsigned char)*p.at) || where.len == 0 || *where.at != '\t' ||
        !find(where, ".go:"))
        return false;
    if (starts(p, "created by "))
        p = skip(p, 11);
    const char *open = find_last(p, '(');
    const char *in = find(p, " in goroutine");
    if (in)
        p = until(p, in);
    else if (open && ends(p, ")") && open > p.at)
        p = until(p, open);
    const char *go = find(where, ".go:");
    put_file(f->file, until(skip(where, 1), go + 3));
    const char *slash = find_last(p, '/');
    struct part name = slash ? skip(p, (size_t)(slash - p.at) + 1) : p;
    const char *closure = find(name, ".func");
    put(f->function, closure ? until(name, closure) : name);
    return true;
}

static bool go_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const PREFIXES[] = {"runtime.", "panic", "net/http.", "testing.",  "sync.",
                                           "reflect.", "os.",   "syscall.",  "internal/", "log."};
    (void)f;
    struct part p = {line, len};
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
        if (starts(p, PREFIXES[i]))
            return true;
    return false;
}

/* --- Rust:   3: app::bot::handle::h0123456789abcdef on a line, at src/bot.rs:12 on the next */
static bool rust_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    struct part p = trim((struct part){line, len});
    size_t digits = 0;
    while (digits < p.len && isdigit((unsigned char)p.at[digits]))
        digits++;
    if (digits == 0 || !starts(skip(p, digits), ": "))
        return false;
    p = trim(skip(p, digits + 2));
    if (starts(p, "0x")) {
        const char *dash = find(p, " - ");
        if (!dash)
            return false;
        p = skip(p, (size_t)(dash - p.at) + 3);
    }
    const char *next_end = strchr(next, '\n');
    struct part where =
        trim((struct part){next, next_end ? (size_t)(next_end - next) : strlen(next)});
    if (!find(p, "::") && !find(where, ".rs"))
        return false;
    for (const char *closure = find(p, "::{{closure}}"); closure;
         closure = find(p, "::{{closure}}"))
        p = until(p, closure);
    const char *hash = p.len > 19 ? p.at + p.len - 19 : NULL;
    if (hash && memcmp(hash, "::h", 3) == 0)
        p = until(p, hash);
    put(f->function, p);
    const char *rs = starts(where, "at ") ? find(where, ".rs") : NULL;
    put_file(f->file, rs ? until(skip(where, 3), rs + 3) : (struct part){"", 0});
    return true;
}

static bool rust_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {
        "std::",          "core::",      "alloc::", "rust_begin_unwind", "rust_panic", "__rust_",
        "tokio::runtime", "backtrace::", NULL};
    (void)line;
    (void)len;
    return contains_any((struct part){f->function, strlen(f->function)}, WORDS);
}

/* --- PHP:   #0 /app/src/Bot.php(12): App\Bot->handle(Object(Update)) */
static bool php_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = trim((struct part){line, len});
    size_t n = 1;
    while (n < p.len && isdigit((unsigned char)p.at[n]))
        n++;
    if (!starts(p, "#") || n < 2 || n >= p.len || p.at[n] != ' ')
        return false;
    p = skip(p, n + 1);
    if (starts(p, "{main}")) {
        put(f->function, (struct part){"{main}", 6});
        return true;
    }
    const char *colon = find(p, "): ");
    bool internal = starts(p, "[internal function]: ");
    if (!colon && !internal)
        return false;
    struct part where = internal ? (struct part){"", 0} : until(p, colon);
    const char *open = where.len ? find_last(where, '(') : NULL;
    if (!internal && !open)
        return false;
    put_file(f->file, open ? until(where, open) : where);
    struct part call = internal ? skip(p, 21) : skip(p, (size_t)(colon - p.at) + 3);
    const char *args = memchr(call.at, '(', call.len);
    struct part name = args ? until(call, args) : call;
    const char *anonymous = find(name, "@anonymous");
    put(f->function, anonymous ? until(name, anonymous + 10) : name);
    return true;
}

static bool php_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {"/vendor/", "\\vendor\\", "[internal function]", NULL};
    (void)f;
    return contains_any((struct part){line, len}, WORDS);
}

/* --- Ruby:   from /app/bot.rb:12:in `block in handle' */
static bool ruby_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = trim((struct part){line, len});
    if (starts(p, "from "))
        p = skip(p, 5);
    const char *in = find(p, ":in `");
    if (!in)
        in = find(p, ":in '");
    if (!in)
        return false;
    struct part file = strip_position(until(p, in));
    if (file.len == (size_t)(in - p.at))
        return false;
    put_file(f->file, file);
    struct part name = skip(p, (size_t)(in - p.at) + 5);
    const char *close = memchr(name.at, '\'', name.len);
    if (close)
        name = until(name, close);
    const char *of = NULL;
    while ((starts(name, "block ") || starts(name, "rescue in ") || starts(name, "ensure in ")) &&
           (of = find(name, "in ")))
        name = skip(name, (size_t)(of - name.at) + 3);
    put(f->function, name);
    return true;
}

static bool ruby_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {"/gems/", "/lib/ruby/", "<internal:", NULL};
    (void)f;
    return contains_any((struct part){line, len}, WORDS);
}

/* --- native:   #1 0x55… in handle bot.c:12 | #1 handle (x=1) at bot.c:12 | bot(handle+0x1d) [0x…] */
static void put_native(char out[FRAME_TEXT_BYTES], struct part name)
{
    const char *plus = find(name, "+0x");
    if (plus)
        name = until(name, plus);
    const char *args = memchr(name.at, '(', name.len);
    if (args && args > name.at)
        name = until(name, args);
    put(out, trim(name));
}

static bool native_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = trim((struct part){line, len});
    size_t n = 1;
    while (n < p.len && isdigit((unsigned char)p.at[n]))
        n++;
    if (starts(p, "#") && n >= 2 && n < p.len && p.at[n] == ' ') {
        p = trim(skip(p, n));
        if (starts(p, "0x")) {
            const char *in = find(p, " in ");
            if (!in)
                return false;
            p = skip(p, (size_t)(in - p.at) + 4);
        }
        const char *php = find(p, "): ");
        if (php || starts(p, "{main}") || starts(p, "["))
            return false;
        const char *at = find(p, ") at ");
        const char *blank = memchr(p.at, ' ', p.len);
        struct part file =
            at ? skip(p, (size_t)(at - p.at) + 5)
               : (blank ? trim(skip(p, (size_t)(blank - p.at))) : (struct part){"", 0});
        if (!at && file.len && *file.at == '(') /* "(/usr/bin/bot+0x12)" of sanitizers: a module */
            file = (struct part){"", 0};
        put_file(f->file, strip_position(file));
        put_native(f->function, blank ? until(p, blank) : p);
        return f->function[0] != '\0';
    }
    const char *open = memchr(p.at, '(', p.len);
    if (!open || open == p.at)
        return false;
    struct part inside = skip(p, (size_t)(open - p.at) + 1);
    const char *close = find(inside, ") [0x"); /* behind the bracket, not before it */
    if (!close)
        return false;
    put_file(f->file, until(p, open));
    put_native(f->function, until(inside, close));
    return true;
}

static bool native_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {"libc.so", "libpthread", "ld-linux", "libstdc++", NULL};
    static const char *const NAMES[] = {"raise",  "abort",         "__libc_start_main",
                                        "_start", "__assert_fail", "__libc_start_call_main",
                                        "gsignal"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(f->function, NAMES[i]) == 0)
            return true;
    return contains_any((struct part){line, len}, WORDS);
}

const struct stack_language STACK_LANGUAGES[] = {
    {"python", true, python_frame, python_library}, {"java", false, java_frame, java_library},
    {"javascript", false, js_frame, js_library},    {"go", false, go_frame, go_library},
    {"rust", false, rust_frame, rust_library},      {"php", false, php_frame, php_library},
    {"ruby", false, ruby_frame, ruby_library},      {"native", false, native_frame, native_library},
};
const size_t STACK_LANGUAGES_COUNT = sizeof STACK_LANGUAGES / sizeof *STACK_LANGUAGES;
