/* stack_compiled.c -- stack lines of Java, Go, Rust and native programs. */
#include "ingest/stack_part.h"

#include <ctype.h>
#include <string.h>

/* --- Java:   at pkg.Class.method(File.java:12) */
bool stack_java_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = part_trim((struct part){line, len});
    if (!part_starts(p, "at "))
        return false;
    p = part_skip(p, 3);
    const char *open = memchr(p.at, '(', p.len);
    if (!open || memchr(p.at, ' ', (size_t)(open - p.at)))
        return false;
    struct part where = part_skip(p, (size_t)(open - p.at) + 1);
    bool jvm = part_find(where, ".java") || part_find(where, ".kt") || part_find(where, ".scala") ||
               part_find(where, ".groovy") || part_starts(where, "Unknown Source") ||
               part_starts(where, "Native Method");
    struct part name = part_until(p, open);
    const char *enhanced = part_find(name, "$$");
    struct part klass = enhanced ? part_until(name, enhanced) : name;
    const char *module = part_find_last(klass, '/'); /* "java.base/", never a lambda's address */
    if (module)
        name = part_skip(name, (size_t)(module - name.at) + 1);
    const char *dot = part_find_last(name, '.');
    if (!jvm || !dot)
        return false;
    part_put_generated(f->file, part_until(name, enhanced ? enhanced : dot));
    part_put_generated(f->function, part_skip(name, (size_t)(dot - name.at) + 1));
    return true;
}

bool stack_java_library(const char *line, size_t len, const struct stack_frame *f)
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
        if (part_starts(file, PREFIXES[i]))
            return true;
    return false;
}

/* --- Go:   main.(*Bot).handle(0xc000…, 0x1) on a line, \t/app/bot.go:12 +0x1d on the next */
bool stack_go_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    struct part p = {line, len};
    const char *next_end = strchr(next, '\n');
    struct part where = {next, next_end ? (size_t)(next_end - next) : strlen(next)};
    if (p.len == 0 || isspace((unsigned char)*p.at) || where.len == 0 || *where.at != '\t' ||
        !part_find(where, ".go:"))
        return false;
    if (part_starts(p, "created by "))
        p = part_skip(p, 11);
    const char *open = part_find_last(p, '(');
    const char *in = part_find(p, " in goroutine");
    if (in)
        p = part_until(p, in);
    else if (open && part_ends(p, ")") && open > p.at)
        p = part_until(p, open);
    const char *go = part_find(where, ".go:");
    part_put_file(f->file, part_until(part_skip(where, 1), go + 3));
    const char *slash = part_find_last(p, '/');
    struct part name = slash ? part_skip(p, (size_t)(slash - p.at) + 1) : p;
    const char *closure = part_find(name, ".func");
    part_put(f->function, closure ? part_until(name, closure) : name);
    return true;
}

bool stack_go_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const PREFIXES[] = {"runtime.", "panic", "net/http.", "testing.",  "sync.",
                                           "reflect.", "os.",   "syscall.",  "internal/", "log."};
    (void)f;
    struct part p = {line, len};
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
        if (part_starts(p, PREFIXES[i]))
            return true;
    return false;
}

/* --- Rust:   3: app::bot::handle::h0123456789abcdef on a line, at src/bot.rs:12 on the next */
bool stack_rust_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    struct part p = part_trim((struct part){line, len});
    size_t digits = 0;
    while (digits < p.len && isdigit((unsigned char)p.at[digits]))
        digits++;
    if (digits == 0 || !part_starts(part_skip(p, digits), ": "))
        return false;
    p = part_trim(part_skip(p, digits + 2));
    if (part_starts(p, "0x")) {
        const char *dash = part_find(p, " - ");
        if (!dash)
            return false;
        p = part_skip(p, (size_t)(dash - p.at) + 3);
    }
    const char *next_end = strchr(next, '\n');
    struct part where =
        part_trim((struct part){next, next_end ? (size_t)(next_end - next) : strlen(next)});
    if (!part_find(p, "::") && !part_find(where, ".rs"))
        return false;
    for (const char *closure = part_find(p, "::{{closure}}"); closure;
         closure = part_find(p, "::{{closure}}"))
        p = part_until(p, closure);
    const char *hash = p.len > 19 ? p.at + p.len - 19 : NULL;
    if (hash && memcmp(hash, "::h", 3) == 0)
        p = part_until(p, hash);
    part_put(f->function, p);
    const char *rs = part_starts(where, "at ") ? part_find(where, ".rs") : NULL;
    part_put_file(f->file, rs ? part_until(part_skip(where, 3), rs + 3) : (struct part){"", 0});
    return true;
}

bool stack_rust_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {
        "std::",          "core::",      "alloc::", "rust_begin_unwind", "rust_panic", "__rust_",
        "tokio::runtime", "backtrace::", NULL};
    (void)line;
    (void)len;
    return part_contains_any((struct part){f->function, strlen(f->function)}, WORDS);
}

/* --- native:   #1 0x55… in handle bot.c:12 | #1 handle (x=1) at bot.c:12 | bot(handle+0x1d) [0x…] */
static void put_native(char out[FRAME_TEXT_BYTES], struct part name)
{
    const char *plus = part_find(name, "+0x");
    if (plus)
        name = part_until(name, plus);
    const char *args = memchr(name.at, '(', name.len);
    if (args && args > name.at)
        name = part_until(name, args);
    part_put(out, part_trim(name));
}

bool stack_native_frame(const char *line, size_t len, const char *next, struct stack_frame *f)
{
    (void)next;
    struct part p = part_trim((struct part){line, len});
    size_t n = 1;
    while (n < p.len && isdigit((unsigned char)p.at[n]))
        n++;
    if (part_starts(p, "#") && n >= 2 && n < p.len && p.at[n] == ' ') {
        p = part_trim(part_skip(p, n));
        if (part_starts(p, "0x")) {
            const char *in = part_find(p, " in ");
            if (!in)
                return false;
            p = part_skip(p, (size_t)(in - p.at) + 4);
        }
        const char *php = part_find(p, "): ");
        if (php || part_starts(p, "{main}") || part_starts(p, "["))
            return false;
        const char *at = part_find(p, ") at ");
        const char *blank = memchr(p.at, ' ', p.len);
        struct part file =
            at ? part_skip(p, (size_t)(at - p.at) + 5)
               : (blank ? part_trim(part_skip(p, (size_t)(blank - p.at))) : (struct part){"", 0});
        if (!at && file.len && *file.at == '(') /* "(/usr/bin/bot+0x12)" of sanitizers: a module */
            file = (struct part){"", 0};
        part_put_file(f->file, part_strip_position(file));
        put_native(f->function, blank ? part_until(p, blank) : p);
        return f->function[0] != '\0';
    }
    const char *open = memchr(p.at, '(', p.len);
    if (!open || open == p.at)
        return false;
    struct part inside = part_skip(p, (size_t)(open - p.at) + 1);
    const char *close = part_find(inside, ") [0x"); /* behind the bracket, not before it */
    if (!close)
        return false;
    part_put_file(f->file, part_until(p, open));
    put_native(f->function, part_until(inside, close));
    return true;
}

bool stack_native_library(const char *line, size_t len, const struct stack_frame *f)
{
    static const char *const WORDS[] = {"libc.so", "libpthread", "ld-linux", "libstdc++", NULL};
    static const char *const NAMES[] = {"raise",  "abort",         "__libc_start_main",
                                        "_start", "__assert_fail", "__libc_start_call_main",
                                        "gsignal"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(f->function, NAMES[i]) == 0)
            return true;
    return part_contains_any((struct part){line, len}, WORDS);
}
