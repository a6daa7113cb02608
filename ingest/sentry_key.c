/* sentry_key.c -- frames cleaned by platform, then the key of ingest/fingerprint.
 *
 * The hard thing: names that a compiler, a bundler or a proxy generator made must not split a group
 * (lambdas, hashes of Rust symbols, CGLIB classes), and names that say nothing must not join two. */
#include "ingest/sentry_key.h"

#include "core/limits.h"
#include "ingest/fingerprint.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- functions */

static struct part strip_start(struct part p, const char *const *words)
{
    for (bool again = true; again;) {
        again = false;
        for (const char *const *w = words; *w; w++)
            if (part_starts(p, *w)) {
                p = part_skip(p, strlen(*w));
                again = true;
            }
    }
    return p;
}

static void js_function(struct part p, char out[FRAME_TEXT_BYTES])
{
    static const char *const STARTS[] = {"async ", "new ", "Object.", "Module.", "Function.", NULL};
    p = strip_start(p, STARTS);
    const char *alias = part_find(p, " [as ");
    p = alias ? part_until(p, alias) : p;
    const char *dot = part_find_last(p, '.');
    if (dot && dot + 1 < p.at + p.len)
        p = part_skip(p, (size_t)(dot - p.at) + 1);
    if (part_equals(p, "?") || part_equals(p, "<anonymous>") || part_equals(p, "anonymous") ||
        part_equals(p, "Anonymous function") || part_equals(p, "<object>") || part_ends(p, "/<"))
        p.len = 0; /* each engine has its own word for it */
    part_put(out, p);
}

static void ruby_function(struct part p, char out[FRAME_TEXT_BYTES])
{
    for (const char *in = part_find(p, " in "); in; in = part_find(p, " in "))
        p = part_skip(p, (size_t)(in - p.at) + 4); /* block (2 levels) in handle */
    const char *erb = part_find(p, "_erb__");
    part_put(out, erb ? part_until(p, erb + 4) : p);
}

static void php_function(struct part p, char out[FRAME_TEXT_BYTES])
{
    const char *anonymous = part_find(p, "@anonymous");
    p = anonymous ? part_until(p, anonymous + 10) : p;
    const char *closure = part_find(p, "{closure");
    part_put(out, closure ? (struct part){"{closure}", 9} : p);
}

static void rust_function(struct part p, char out[FRAME_TEXT_BYTES])
{
    const char *closure = part_find(p, "::{{closure}}");
    closure = closure ? closure : part_find(p, "::{closure");
    p = closure ? part_until(p, closure) : p;
    if (p.len > 19 && memcmp(p.at + p.len - 19, "::h", 3) == 0)
        p.len -= 19;
    part_put(out, p);
}

static void go_function(struct part p, char out[FRAME_TEXT_BYTES])
{
    const char *closure = part_find(p, ".func");
    part_put(out, closure && isdigit((unsigned char)closure[5]) ? part_until(p, closure) : p);
}

static void native_function(struct part p, char out[FRAME_TEXT_BYTES])
{
    const char *args = p.len ? memchr(p.at + 1, '(', p.len - 1) : NULL;
    p = args ? part_until(p, args) : p;
    const char *plus = part_find(p, "+0x");
    p = part_trim(plus ? part_until(p, plus) : p);
    if (part_equals(p, "<redacted>") || part_equals(p, "<unknown>") || part_equals(p, "??"))
        p.len = 0;
    part_put(out, p);
}

/* <Run>b__12_0, <Run>d__5.MoveNext -> Run */
static void csharp_function(struct part p, char out[FRAME_TEXT_BYTES])
{
    const char *open = memchr(p.at, '<', p.len);
    const char *close = open ? memchr(open, '>', (size_t)(p.at + p.len - open)) : NULL;
    bool made = close && close > open + 1 && close + 2 < p.at + p.len && close[2] == '_';
    part_put(out, made ? (struct part){open + 1, (size_t)(close - open) - 1} : p);
}

static void python_function(struct part p, char out[FRAME_TEXT_BYTES])
{
    part_put(out, p);
}

static void other_function(struct part p, char out[FRAME_TEXT_BYTES])
{
    part_put_generated(out, p);
}

static void (*const FUNCTIONS[PLATFORMS])(struct part p, char out[FRAME_TEXT_BYTES]) = {
    [PLATFORM_OTHER] = other_function,   [PLATFORM_PYTHON] = python_function,
    [PLATFORM_JAVASCRIPT] = js_function, [PLATFORM_NODE] = js_function,
    [PLATFORM_GO] = go_function,         [PLATFORM_JAVA] = other_function,
    [PLATFORM_RUST] = rust_function,     [PLATFORM_PHP] = php_function,
    [PLATFORM_RUBY] = ruby_function,     [PLATFORM_CSHARP] = csharp_function,
    [PLATFORM_NATIVE] = native_function,
};

/* ----------------------------------------------------------------------------------------- files */

static bool is_url(struct part p)
{
    return part_find(p, "://") != NULL;
}

/* Class names: what CGLIB, javassist and lambdas append is a counter or a hash. */
static void java_class(struct part p, char out[FRAME_TEXT_BYTES])
{
    const char *made = part_find(p, "$$");
    part_put_generated(out, made ? part_until(p, made) : p);
}

static void put_file(enum sentry_platform platform, const struct sentry_frame *f,
                     char out[FRAME_TEXT_BYTES])
{
    bool native = platform == PLATFORM_NATIVE || platform == PLATFORM_RUST;
    bool js = platform == PLATFORM_JAVASCRIPT || platform == PLATFORM_NODE;
    out[0] = '\0';
    if (f->module.len && !js) {
        if (platform == PLATFORM_JAVA)
            java_class(f->module, out);
        else
            part_put_generated(out, f->module);
        return;
    }
    struct part file = f->filename;
    if (part_equals(file, "<anonymous>") || part_equals(file, "[native code]"))
        file.len = 0;
    if (!file.len && native)
        file = f->package;
    part_put_file(out, part_strip_position(file));
    if (is_url(f->filename) && !strchr(out, '.')) /* the page itself: its path is no place */
        out[0] = '\0';
}

/* ---------------------------------------------------------------------------------------- frames */

/* Where the SDK does not say what is the application's: where libraries live. */
static bool looks_like_library(const struct sentry_frame *f)
{
    static const char *const PLACES[] = {
        "site-packages", "dist-packages",  "/lib/python", "node_modules", "node:",     "(native)",
        "/vendor/",      "/gems/",         "/usr/lib/",   "/usr/include", "/rustc/",   "/.cargo/",
        "/lib/ruby/",    "/usr/local/go/", "<frozen",     "internal/",    "/pkg/mod/", NULL};
    static const char *const MODULES[] = {
        "java.", "javax.", "jdk.",    "sun.",     "kotlin.",      "scala.",     "runtime",
        "std::", "core::", "System.", "android.", "com.android.", "Microsoft.", NULL};
    struct part path = f->abs_path.len ? f->abs_path : f->filename;
    if (part_contains_any(path, PLACES) || part_contains_any(f->package, PLACES))
        return true;
    for (const char *const *m = MODULES; *m; m++)
        if (part_starts(f->module, *m))
            return true;
    return false;
}

/* Frames of the SDK itself and of the runtime's way into it: some SDKs send them as the innermost
 * ones, and as the application's own. */
static bool is_of_sdk(enum sentry_platform platform, const struct sentry_frame *f)
{
    static const char *const PLACES[] = {"/sentry/hub.rb", "/sentry-ruby", "@sentry/",
                                         "libsentry",      "/sentry_sdk/", NULL};
    static const char *const MODULES[] = {"sentry_sdk", "io.sentry.",
                                          "github.com/getsentry/sentry-go", "sentry.", NULL};
    static const char *const RUST[] = {
        "sentry",     "<sentry",     "std::",        "core::", "__rust", "rust_begin",
        "rust_panic", "<unknown>",   "__libc_",      "_start", "<std::", "<core::",
        "<alloc::",   "backtrace::", "<T as core::", NULL};
    struct part path = f->abs_path.len ? f->abs_path : f->filename;
    if (part_contains_any(path, PLACES) || part_contains_any(f->package, PLACES))
        return true;
    for (const char *const *m = MODULES; *m; m++)
        if (part_starts(f->module, *m))
            return true;
    for (const char *const *r = RUST; *r && platform == PLATFORM_RUST; r++)
        if (part_starts(f->function, *r))
            return true;
    return part_starts(f->module, "java.lang.Thread") && part_equals(f->function, "getStackTrace");
}

void sentry_key_frame(enum sentry_platform platform, const struct sentry_frame *in,
                      struct stack_frame *out)
{
    FUNCTIONS[platform](part_trim(in->function), out->function);
    put_file(platform, in, out->file);
    out->in_app = in->in_app == 1 && !is_of_sdk(platform, in);
}

/* Built-ins and eval: one engine shows them as frames, another does not. */
static bool is_of_engine(enum sentry_platform platform, const struct sentry_frame *f)
{
    static const char *const FILES[] = {"<anonymous>", "[native code]", "native code", "native",
                                        "eval code",   "[native]",      NULL};
    if (platform != PLATFORM_JAVASCRIPT && platform != PLATFORM_NODE)
        return false;
    for (const char *const *n = FILES; *n; n++)
        if (part_equals(f->filename, *n))
            return true;
    return part_equals(f->function, "eval") || part_equals(f->function, "eval code");
}

/* Innermost first; frames that name nothing are left out. */
static void clean_frames(enum sentry_platform platform, const struct sentry_exception *e,
                         struct arena *arena, struct fingerprint_link *link)
{
    bool said = false;
    struct stack_frame *frames = arena_alloc(arena, (e->frames_count + 1) * sizeof *frames);
    if (!frames)
        return;
    for (size_t i = 0; i < e->frames_count; i++)
        said = said || (e->frames[i].in_app == 1 && !is_of_sdk(platform, &e->frames[i]));
    for (size_t i = e->frames_count; i > 0; i--) {
        if (is_of_engine(platform, &e->frames[i - 1]))
            continue;
        if (link->frames_count == 0 && i > 1 && is_of_sdk(platform, &e->frames[i - 1]))
            continue; /* the way into the SDK is not where it happened */
        struct stack_frame *f = &frames[link->frames_count];
        sentry_key_frame(platform, &e->frames[i - 1], f);
        if (!said && e->frames[i - 1].in_app != 0)
            f->in_app =
                !looks_like_library(&e->frames[i - 1]) && !is_of_sdk(platform, &e->frames[i - 1]);
        link->frames_count += f->file[0] || f->function[0];
    }
    link->frames = frames;
}

static void add_link(const struct sentry_stack *s, const struct sentry_exception *e,
                     struct arena *arena, struct fingerprint_link *link)
{
    *link = (struct fingerprint_link){
        .type = e->synthetic ? NULL : sentry_text(e->type, NAME_BYTES_MAX, arena),
        .value = sentry_text(e->value, INGEST_EVENT_BYTES_MAX, arena),
    };
    clean_frames(s->platform, e, arena, link);
}

/* Strings as they are; numbers cut to whole ones, booleans by their Python names; no nulls. */
static void read_given(const struct json_value *root, struct arena *arena,
                       struct fingerprint_parts *given)
{
    const struct json_value *list = sentry_get(root, "fingerprint");
    const char **parts = arena_alloc(arena, FINGERPRINT_PARTS_MAX * sizeof *parts);
    if (!parts)
        return;
    if (!list || list->kind != JSON_ARRAY_V) { /* its older form */
        parts[0] =
            sentry_text(sentry_get_part(root, "checksum"), FINGERPRINT_PART_BYTES_MAX, arena);
        *given = (struct fingerprint_parts){parts, parts[0] != NULL};
        return;
    }
    for (const struct json_value *v = list->first; v && given->count < FINGERPRINT_PARTS_MAX;
         v = v->next) {
        struct part p = sentry_part(v);
        const char *dot = v->kind == JSON_NUMBER_V ? memchr(p.at, '.', p.len) : NULL;
        const char *text =
            sentry_text(dot ? part_until(p, dot) : p, FINGERPRINT_PART_BYTES_MAX, arena);
        if (text)
            parts[given->count++] = text;
    }
    given->parts = parts;
}

void sentry_key(const struct json_value *root, const struct sentry_stack *s, const char *value,
                struct arena *scratch, char *culprit, size_t size, struct event *event)
{
    struct fingerprint_link links[FINGERPRINT_GROUP_MAX];
    struct fingerprint_input in = {.links = links, .value = value};
    const struct sentry_exception *main = sentry_stack_main(s);
    size_t count = s->chain ? s->count : 0;
    in.is_group = main && main->is_group;
    size_t links_max = in.is_group ? FINGERPRINT_GROUP_MAX : FINGERPRINT_LINKS_MAX;
    for (size_t i = count; i > 0 && in.links_count < links_max; i--)
        if (&s->chain[i - 1] == main || !in.is_group || !s->chain[i - 1].is_group)
            add_link(s, &s->chain[i - 1], scratch, &links[in.links_count++]);
    if (s->count == 0 && s->has_loose) {
        add_link(s, &s->loose, scratch, &links[in.links_count++]);
        in.message_counts = true;
    }
    read_given(root, scratch, &in.given);
    fingerprint_make(event, &in, culprit, size);
}
