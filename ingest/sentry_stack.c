/* sentry_stack.c -- from the tree to a chain of exceptions with frames. */
#include "ingest/sentry_stack.h"

#include "core/limits.h"

#include <string.h>
#include <strings.h>

enum { FRAMES_OUTER_KEPT = 50 };

static const struct {
    const char *name;
    enum sentry_platform platform;
} PLATFORM_NAMES[] = {
    {"python", PLATFORM_PYTHON}, {"javascript", PLATFORM_JAVASCRIPT},
    {"node", PLATFORM_NODE},     {"go", PLATFORM_GO},
    {"java", PLATFORM_JAVA},     {"kotlin", PLATFORM_JAVA},
    {"android", PLATFORM_JAVA},  {"groovy", PLATFORM_JAVA},
    {"scala", PLATFORM_JAVA},    {"rust", PLATFORM_RUST},
    {"php", PLATFORM_PHP},       {"ruby", PLATFORM_RUBY},
    {"csharp", PLATFORM_CSHARP}, {"native", PLATFORM_NATIVE},
    {"c", PLATFORM_NATIVE},      {"cocoa", PLATFORM_NATIVE},
    {"objc", PLATFORM_NATIVE},   {"swift", PLATFORM_NATIVE},
};

static bool sdk_is(const struct json_value *event, const char *word)
{
    struct part sdk = sentry_part(sentry_get_path(event, "sdk.name"));
    return part_find(sdk, word) != NULL;
}

enum sentry_platform sentry_platform_of(const struct json_value *event)
{
    struct part name = sentry_get_part(event, "platform");
    if (sdk_is(event, ".rust")) /* calls itself native */
        return PLATFORM_RUST;
    for (size_t i = 0; i < sizeof PLATFORM_NAMES / sizeof *PLATFORM_NAMES; i++)
        if (part_equals(name, PLATFORM_NAMES[i].name))
            return PLATFORM_NAMES[i].platform;
    return PLATFORM_OTHER;
}

static void read_frame(const struct json_value *v, struct sentry_frame *f)
{
    *f = (struct sentry_frame){
        .function = sentry_get_part(v, "function"),
        .module = sentry_get_part(v, "module"),
        .filename = sentry_get_part(v, "filename"),
        .abs_path = sentry_get_part(v, "abs_path"),
        .package = sentry_get_part(v, "package"),
        .address = sentry_get_part(v, "instruction_addr"),
        .context_line = sentry_get_part(v, "context_line"),
        .pre_context = sentry_get(v, "pre_context"),
        .post_context = sentry_get(v, "post_context"),
        .vars = sentry_get(v, "vars"),
        .in_app = sentry_bool(sentry_get(v, "in_app")),
    };
    if (!f->function.len)
        f->function = sentry_get_part(v, "raw_function");
    if (!f->filename.len)
        f->filename = f->abs_path;
    sentry_int(sentry_get(v, "lineno"), &f->line);
    sentry_int(sentry_get(v, "colno"), &f->column);
}

/* Of a stack too long, the outermost calls and the innermost ones. */
static bool read_frames(const struct json_value *stacktrace, struct arena *arena,
                        struct sentry_exception *e)
{
    const struct json_value *list = sentry_get(stacktrace, "frames");
    size_t total = list && list->kind == JSON_ARRAY_V ? sentry_list_count(list) : 0;
    size_t kept = total < STACK_FRAMES_READ_MAX ? total : STACK_FRAMES_READ_MAX;
    if (kept == 0)
        return true;
    e->frames = arena_alloc(arena, kept * sizeof *e->frames);
    if (!e->frames)
        return false;
    e->frames_left_out = total - kept;
    size_t index = 0;
    for (const struct json_value *v = list->first; v; v = v->next, index++) {
        if (index >= FRAMES_OUTER_KEPT && index < FRAMES_OUTER_KEPT + e->frames_left_out)
            continue;
        if (v->kind == JSON_OBJECT_V)
            read_frame(v, &e->frames[e->frames_count++]);
    }
    return true;
}

static void read_mechanism(const struct json_value *m, struct sentry_exception *e)
{
    e->mechanism = sentry_get_part(m, "type");
    e->source = sentry_get_part(m, "source");
    e->handled = sentry_bool(sentry_get(m, "handled"));
    e->synthetic = sentry_bool(sentry_get(m, "synthetic")) == 1;
    e->is_group = sentry_bool(sentry_get(m, "is_exception_group")) == 1;
    e->id = e->parent_id = -1;
    sentry_int(sentry_get(m, "exception_id"), &e->id);
    sentry_int(sentry_get(m, "parent_id"), &e->parent_id);
}

static bool read_exception(const struct json_value *v, struct arena *arena,
                           struct sentry_exception *e)
{
    *e = (struct sentry_exception){
        .type = sentry_get_part(v, "type"),
        .value = sentry_any(sentry_get(v, "value"), arena),
        .module = sentry_get_part(v, "module"),
    };
    read_mechanism(sentry_get(v, "mechanism"), e);
    const struct json_value *stack = sentry_get(v, "stacktrace");
    return read_frames(stack ? stack : sentry_get(v, "raw_stacktrace"), arena, e);
}

/* The crashed thread's stack, the current one's, or that of the only one. */
static const struct json_value *find_thread(const struct json_value *threads)
{
    const struct json_value *best = NULL;
    int best_rank = -1;
    for (const struct json_value *t = sentry_list(threads); t; t = sentry_list_next(threads, t)) {
        int rank = 2 * (sentry_bool(sentry_get(t, "crashed")) == 1) +
                   (sentry_bool(sentry_get(t, "current")) == 1);
        if (rank > best_rank && sentry_get_path(t, "stacktrace.frames")) {
            best = t;
            best_rank = rank;
        }
    }
    return best;
}

static const struct json_value *exceptions_of(const struct json_value *event)
{
    const struct json_value *v = sentry_get(event, "exception");
    return v ? v : sentry_get(event, "sentry.interfaces.Exception");
}

static bool read_loose(const struct json_value *event, struct arena *arena,
                       struct sentry_stack *stack)
{
    const struct json_value *thread = find_thread(sentry_get(event, "threads"));
    const struct json_value *trace = sentry_get(event, "stacktrace");
    struct sentry_exception *e = &stack->loose;
    static const struct part NONE = {"", 0};
    *e = (struct sentry_exception){.type = NONE,
                                   .value = NONE,
                                   .module = NONE,
                                   .mechanism = NONE,
                                   .source = NONE,
                                   .handled = -1,
                                   .id = -1,
                                   .parent_id = -1,
                                   .synthetic = true};
    if (!trace)
        trace = sentry_get(event, "sentry.interfaces.Stacktrace");
    if (!trace && thread)
        trace = sentry_get(thread, "stacktrace");
    if (!read_frames(trace, arena, e))
        return false;
    stack->has_loose = e->frames_count > 0;
    return true;
}

/* An exception without a stack of its own, of a crash that the thread list tells more about. */
static void lend_loose(struct sentry_stack *stack)
{
    struct sentry_exception *last = stack->count ? &stack->chain[stack->count - 1] : NULL;
    if (!last || last->frames_count || !stack->has_loose)
        return;
    last->frames = stack->loose.frames;
    last->frames_count = stack->loose.frames_count;
    last->frames_left_out = stack->loose.frames_left_out;
}

bool sentry_stack_read(const struct json_value *event, struct arena *arena,
                       struct sentry_stack *stack)
{
    *stack = (struct sentry_stack){.platform = sentry_platform_of(event)};
    const struct json_value *list = exceptions_of(event);
    size_t total = sentry_list_count(list);
    size_t skip = total > SENTRY_EXCEPTIONS_MAX ? total - SENTRY_EXCEPTIONS_MAX : 0;
    stack->chain = arena_alloc(arena, (total - skip + 1) * sizeof *stack->chain);
    if (!stack->chain)
        return false;
    for (const struct json_value *v = sentry_list(list); v; v = sentry_list_next(list, v)) {
        if (skip > 0) {
            skip--;
            continue;
        }
        if (v->kind != JSON_OBJECT_V)
            continue;
        if (!read_exception(v, arena, &stack->chain[stack->count]))
            return false;
        const struct sentry_exception *e = &stack->chain[stack->count];
        stack->count += e->type.len || e->value.len || e->frames_count;
    }
    if (!read_loose(event, arena, stack))
        return false;
    lend_loose(stack);
    return true;
}

const struct sentry_exception *sentry_stack_main(const struct sentry_stack *stack)
{
    return stack->count ? &stack->chain[stack->count - 1] : NULL;
}
