/* sentry_stack.h -- exceptions, threads and frames of a Sentry event, in one order, whatever shape.
 *
 * Everything points into the parsed tree or the arena of the parse. */
#ifndef NABAT_INGEST_SENTRY_STACK_H
#define NABAT_INGEST_SENTRY_STACK_H

#include "ingest/sentry_value.h"

enum sentry_platform {
    PLATFORM_OTHER,
    PLATFORM_PYTHON,
    PLATFORM_JAVASCRIPT, /* browser */
    PLATFORM_NODE,       /* JavaScript on a server */
    PLATFORM_GO,
    PLATFORM_JAVA,
    PLATFORM_RUST,
    PLATFORM_PHP,
    PLATFORM_RUBY,
    PLATFORM_CSHARP,
    PLATFORM_NATIVE,
    PLATFORMS,
};

struct sentry_frame {
    struct part function;
    struct part module;
    struct part filename; /* abs_path where there is no other */
    struct part abs_path;
    struct part package;
    struct part address;
    struct part context_line;
    const struct json_value *pre_context;
    const struct json_value *post_context;
    const struct json_value *vars;
    int64_t line; /* 0: unknown */
    int64_t column;
    int in_app; /* 1, 0, -1: the SDK did not say */
};

struct sentry_exception {
    struct part type;
    struct part value;
    struct part module;
    struct part mechanism; /* its type: "celery", "excepthook", … */
    struct part source;    /* "__cause__", "errors[0]": how it hangs on its parent */
    int64_t id;            /* -1: none */
    int64_t parent_id;     /* -1: none */
    int handled;           /* 1, 0, -1 */
    bool synthetic;        /* `type` says nothing */
    bool is_group;
    struct sentry_frame *frames; /* oldest call first, where it was raised last */
    size_t frames_count;
    size_t frames_left_out; /* beyond STACK_FRAMES_READ_MAX, from the middle */
};

struct sentry_stack {
    enum sentry_platform platform;
    struct sentry_exception *chain; /* cause first; the last is what was raised */
    size_t count;
    struct sentry_exception loose; /* a stack without an exception: a thread's, or the message's */
    bool has_loose;
};

enum sentry_platform sentry_platform_of(const struct json_value *event);
/* False: the arena is full. */
bool sentry_stack_read(const struct json_value *event, struct arena *arena,
                       struct sentry_stack *stack);
/* What was raised; NULL when there is no exception. */
const struct sentry_exception *sentry_stack_main(const struct sentry_stack *stack);

#endif
