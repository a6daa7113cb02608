/* sentry_map.c -- tables of where SDKs put what, first match wins. */
#include "ingest/sentry_map.h"

#include "core/limits.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------------------------------- origin */

/* What an event has that tells where it comes from. */
struct traits {
    struct part logger;
    struct part mechanism;
    struct part sdk;
    struct part transaction;
    struct part url;
    const struct json_value *root;
    const struct sentry_stack *stack;
    bool browser;
};

static bool part_has(struct part p, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= p.len; i++)
        if (strncasecmp(p.at + i, word, n) == 0)
            return true;
    return false;
}

static bool any_frame_in(const struct traits *t, const char *module)
{
    const struct sentry_exception *e = sentry_stack_main(t->stack);
    for (size_t i = 0; e && i < e->frames_count; i++)
        if (part_starts(e->frames[i].module, module))
            return true;
    return false;
}

static bool is_celery(const struct traits *t)
{
    return part_starts(t->mechanism, "celery") || sentry_get_path(t->root, "extra.celery-job") ||
           sentry_pair_find(sentry_get(t->root, "tags"), "celery_task_id") ||
           part_starts(t->logger, "celery");
}

static bool is_aiogram(const struct traits *t)
{
    return part_starts(t->mechanism, "aiogram") || part_starts(t->logger, "aiogram") ||
           any_frame_in(t, "aiogram.dispatcher");
}

static bool is_fastapi(const struct traits *t)
{
    /* FastAPI is served by Starlette's integration, whose mechanism it gets */
    return part_starts(t->mechanism, "fastapi") ||
           (part_starts(t->mechanism, "starlette") && any_frame_in(t, "fastapi."));
}

static bool is_webhook(const struct traits *t)
{
    bool telegram = part_has(t->url, "telegram") || part_has(t->url, "/tg") ||
                    part_has(t->transaction, "telegram") || part_has(t->url, "/bot");
    struct part secret = {"", 0};
    const struct json_value *headers = sentry_get_path(t->root, "request.headers");
    secret = sentry_part(sentry_pair_find(headers, "X-Telegram-Bot-Api-Secret-Token"));
    return secret.len ||
           ((part_has(t->url, "webhook") || part_has(t->transaction, "webhook")) && telegram);
}

static bool is_miniapp(const struct traits *t)
{
    return t->browser &&
           (part_has(t->url, "tgWebApp") || sentry_get_path(t->root, "contexts.telegram") ||
            sentry_get_path(t->root, "contexts.miniapp") ||
            sentry_pair_find(sentry_get(t->root, "tags"), "tg_platform"));
}

static bool is_browser(const struct traits *t)
{
    return t->browser;
}

/* Frameworks that name themselves as mechanism, SDK or logger; the more special first. */
static const struct {
    const char *origin;
    bool (*is)(const struct traits *t); /* NULL: `word` tells */
    const char *word;
} ORIGINS[] = {
    {"miniapp", is_miniapp, NULL},
    {"browser", is_browser, NULL},
    {"celery", is_celery, NULL},
    {"aiogram_handler", is_aiogram, NULL},
    {"telegram_webhook", is_webhook, NULL},
    {"fastapi", is_fastapi, NULL},
    {"starlette", NULL, "starlette"},
    {"django", NULL, "django"},
    {"flask", NULL, "flask"},
    {"aiohttp", NULL, "aiohttp"},
    {"sanic", NULL, "sanic"},
    {"tornado", NULL, "tornado"},
    {"arq", NULL, "arq"},
    {"rq", NULL, "rq"},
    {"dramatiq", NULL, "dramatiq"},
    {"huey", NULL, "huey"},
    {"rails", NULL, "rails"},
    {"sidekiq", NULL, "sidekiq"},
    {"laravel", NULL, "laravel"},
    {"symfony", NULL, "symfony"},
    {"spring", NULL, "spring"},
    {"nextjs", NULL, "nextjs"},
    {"express", NULL, "express"},
    {"nestjs", NULL, "nestjs"},
    {"telegraf", NULL, "telegraf"},
    {"grammy", NULL, "grammy"},
};

static const char *const PLATFORM_ORIGINS[PLATFORMS] = {
    [PLATFORM_OTHER] = "other",
    [PLATFORM_PYTHON] = "python",
    [PLATFORM_JAVASCRIPT] = "javascript",
    [PLATFORM_NODE] = "node",
    [PLATFORM_GO] = "go",
    [PLATFORM_JAVA] = "java",
    [PLATFORM_RUST] = "rust",
    [PLATFORM_PHP] = "php",
    [PLATFORM_RUBY] = "ruby",
    [PLATFORM_CSHARP] = "dotnet",
    [PLATFORM_NATIVE] = "native",
};

static bool is_browser_sdk(const struct json_value *root, enum sentry_platform platform)
{
    struct part sdk = sentry_part(sentry_get_path(root, "sdk.name"));
    if (platform != PLATFORM_JAVASCRIPT)
        return false;
    /* raven-node and the node SDKs call their platform "node"; browsers say "javascript" */
    return !part_find(sdk, "node") && !part_find(sdk, "bun") && !part_find(sdk, "deno");
}

static struct traits traits_of(const struct json_value *root, const struct sentry_stack *stack)
{
    const struct sentry_exception *e = sentry_stack_main(stack);
    return (struct traits){
        .logger = sentry_get_part(root, "logger"),
        .mechanism = e ? e->mechanism : (struct part){"", 0},
        .sdk = sentry_part(sentry_get_path(root, "sdk.name")),
        .transaction = sentry_get_part(root, "transaction"),
        .url = sentry_part(sentry_get_path(root, "request.url")),
        .root = root,
        .stack = stack,
        .browser = is_browser_sdk(root, stack->platform),
    };
}

static const char *slug(struct part p, struct arena *arena)
{
    char *text = (char *)(uintptr_t)sentry_text(p, ORIGIN_BYTES_MAX, arena);
    for (char *c = text; c && *c; c++) {
        char low = (char)tolower((unsigned char)*c);
        *c = isalnum((unsigned char)low) || strchr("_.-", low) ? low : '_';
    }
    return text;
}

const char *sentry_map_origin(const struct json_value *root, const struct sentry_stack *stack,
                              struct arena *arena)
{
    struct part tag = sentry_part(sentry_pair_find(sentry_get(root, "tags"), "origin"));
    const char *given = slug(tag, arena);
    if (given)
        return given;
    struct traits t = traits_of(root, stack);
    for (size_t i = 0; i < sizeof ORIGINS / sizeof *ORIGINS; i++) {
        const char *word = ORIGINS[i].word;
        if (ORIGINS[i].is ? ORIGINS[i].is(&t)
                          : part_starts(t.mechanism, word) || part_starts(t.logger, word))
            return ORIGINS[i].origin;
    }
    /* sentry.python.django names the framework of the process, not of the event: of server SDKs
     * it counts only for a request */
    for (size_t i = 0; i < sizeof ORIGINS / sizeof *ORIGINS; i++)
        if (ORIGINS[i].word && sentry_get(root, "request") && part_find(t.sdk, ORIGINS[i].word))
            return ORIGINS[i].origin;
    return PLATFORM_ORIGINS[stack->platform];
}

/* -------------------------------------------------------------------------------------- severity */

static bool is_unhandled(const struct sentry_stack *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->chain[i].handled == 0)
            return true;
    return false;
}

/* Errors that a framework logs for the program: nobody handled them. */
static bool is_logged_for_nobody(const struct json_value *root, const struct sentry_stack *s)
{
    static const char NEVER[] = "never retrieved";
    struct part logger = sentry_get_part(root, "logger");
    if (part_equals(logger, "aiogram.event") || part_equals(logger, "aiogram.dispatcher"))
        return true;
    const struct sentry_exception *e = sentry_stack_main(s);
    const struct json_value *entry = sentry_get(root, "logentry");
    struct part message = sentry_get_part(entry, "message");
    struct part formatted = sentry_get_part(entry, "formatted");
    struct part plain = sentry_get_part(root, "message");
    return part_equals(logger, "asyncio") &&
           (part_find(message, NEVER) || part_find(formatted, NEVER) || part_find(plain, NEVER) ||
            (e && part_find(e->value, NEVER)));
}

/* Words of SDKs beyond those of the native API; false: unknown, or none given. */
static bool read_level(const struct json_value *root, enum severity *out)
{
    struct part level = sentry_get_part(root, "level");
    if (part_equals(level, "log")) {
        *out = SEV_INFO;
        return true;
    }
    return level.len > 0 && severity_parse(level.at, level.len, out);
}

enum severity sentry_map_severity(const struct json_value *root, const struct sentry_stack *s,
                                  enum severity unhandled)
{
    enum severity level = SEV_ERROR;
    struct part type = sentry_get_part(root, "type");
    bool given = read_level(root, &level);
    if (part_equals(type, "csp") || sentry_get(root, "csp"))
        return SEV_WARNING;
    if (!given && (part_equals(type, "feedback") || part_equals(type, "transaction")))
        return SEV_INFO;
    if (level == SEV_CRITICAL || level < SEV_ERROR)
        return level;
    if (is_browser_sdk(root, s->platform))
        return level;
    return is_unhandled(s) || is_logged_for_nobody(root, s) ? unhandled : level;
}

/* ------------------------------------------------------------------------------------------- ids */

static const char *const CHAT_NAMES[] = {"chat_id",          "chat.id",    "telegram_chat_id",
                                         "telegram.chat_id", "tg_chat_id", NULL};
static const char *const USER_NAMES[] = {"user_id",          "user.id",    "telegram_user_id",
                                         "telegram.user_id", "tg_user_id", NULL};
static const char *const GEN_NAMES[] = {"gen_request_id", "generation_id", "gen_id", NULL};
static const char *const REQUEST_NAMES[] = {"request_id",   "request.id",     "x_request_id",
                                            "x-request-id", "correlation_id", NULL};
static const char *const SESSION_NAMES[] = {"session_id", "session.id", NULL};
static const char *const HANDLER_NAMES[] = {"handler", "task_name", "task", "command", NULL};

static const struct json_value *find_named(const struct json_value *pairs, const char *const *names)
{
    for (; *names; names++) {
        const struct json_value *v = sentry_pair_find(pairs, *names);
        if (v && v->kind != JSON_ARRAY_V && v->kind != JSON_OBJECT_V)
            return v;
    }
    return NULL;
}

/* tags, contexts.telegram, extra, then the members of any context. */
static struct part lookup(const struct json_value *root, const char *const *names)
{
    const struct json_value *contexts = sentry_get(root, "contexts");
    const struct json_value *const places[] = {
        sentry_get(root, "tags"), sentry_get(contexts, "telegram"), sentry_get(root, "extra")};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct json_value *v = find_named(places[i], names);
        if (v)
            return sentry_part(v);
    }
    for (const struct json_value *c = contexts ? contexts->first : NULL; c; c = c->next) {
        const struct json_value *v = c->kind == JSON_OBJECT_V ? find_named(c, names) : NULL;
        if (v)
            return sentry_part(v);
    }
    return (struct part){"", 0};
}

static bool read_chat_id(struct part p, int64_t *out)
{
    char text[24];
    if (p.len == 0 || p.len >= sizeof text)
        return false;
    memcpy(text, p.at, p.len);
    text[p.len] = '\0';
    char *end = NULL;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return *end == '\0' && errno == 0;
}

/* aiogram's handlers hold the update and its parts as local variables, which SDKs send as their
 * repr: "…chat=Chat(id=-100123, type=…", "event_from_user": "User(id=55, …". */
struct repr {
    const char *mark; /* what stands before the id, anywhere in a text */
    const char *key;  /* or at the beginning of the text under this key… */
    const char *start;
};

static struct part digits_at(struct part text)
{
    size_t n = 0;
    while (n < text.len && n < 20 && (isdigit((unsigned char)text.at[n]) || text.at[n] == '-'))
        n++;
    return (struct part){text.at, n};
}

// NOLINTNEXTLINE(misc-no-recursion) -- three levels
static struct part find_in(const struct json_value *v, const struct repr *repr, int depth)
{
    struct part text = sentry_part(v);
    const char *found = part_find(text, repr->mark);
    if (found)
        return digits_at(part_skip(text, (size_t)(found - text.at) + strlen(repr->mark)));
    if (v->key_len == strlen(repr->key) && memcmp(v->key, repr->key, v->key_len) == 0 &&
        part_starts(text, repr->start))
        return digits_at(part_skip(text, strlen(repr->start)));
    for (const struct json_value *c = v->first; c && depth < 3; c = c->next) {
        struct part id = find_in(c, repr, depth + 1);
        if (id.len)
            return id;
    }
    return (struct part){"", 0};
}

static struct part find_repr(const struct sentry_stack *s, const struct repr *repr)
{
    const struct sentry_exception *e = sentry_stack_main(s);
    for (size_t i = e ? e->frames_count : 0; i > 0; i--) {
        struct part id = {"", 0};
        if (e->frames[i - 1].vars)
            id = find_in(e->frames[i - 1].vars, repr, 0);
        if (id.len)
            return id;
    }
    return (struct part){"", 0};
}

static bool is_aiogram_event(const char *origin)
{
    return strcmp(origin, "aiogram_handler") == 0 || strcmp(origin, "telegram_webhook") == 0;
}

static void map_people(const struct json_value *root, const struct sentry_stack *s,
                       struct arena *arena, struct event *event)
{
    static const char *const OWN_NAMES[] = {"id", "username", "email"};
    static const struct repr CHAT_REPR = {"chat=Chat(id=", "event_chat", "Chat(id="};
    static const struct repr USER_REPR = {"from_user=User(id=", "event_from_user", "User(id="};
    const struct json_value *user = sentry_get(root, "user");
    struct part chat = lookup(root, CHAT_NAMES);
    if (!chat.len)
        chat = sentry_get_part(user, "chat_id");
    if (!chat.len && is_aiogram_event(event->origin))
        chat = find_repr(s, &CHAT_REPR);
    event->has_chat_id = read_chat_id(chat, &event->chat_id);
    for (size_t i = 0; i < 3 && !event->user_id; i++)
        event->user_id = sentry_text(sentry_get_part(user, OWN_NAMES[i]), NAME_BYTES_MAX, arena);
    if (!event->user_id)
        event->user_id = sentry_text(lookup(root, USER_NAMES), NAME_BYTES_MAX, arena);
    if (!event->user_id && is_aiogram_event(event->origin))
        event->user_id = sentry_text(find_repr(s, &USER_REPR), NAME_BYTES_MAX, arena);
}

static struct part first_of(struct part a, struct part b)
{
    return a.len ? a : b;
}

/* Where an aiogram event was handled: the innermost function of the bot's own. */
static const char *frame_handler(const struct sentry_stack *s, struct arena *arena)
{
    const struct sentry_exception *e = sentry_stack_main(s);
    for (size_t i = 0; e && i < e->frames_count; i++) {
        const struct sentry_frame *f = &e->frames[i];
        if (f->in_app != 1 || !f->function.len)
            continue;
        struct buf text;
        buf_init(&text, NAME_BYTES_MAX);
        if (f->module.len && !part_equals(f->module, "__main__")) {
            buf_add(&text, f->module.at, f->module.len);
            buf_add_char(&text, '.');
        }
        buf_add(&text, f->function.at, f->function.len);
        char *copy = text.full ? NULL : arena_str_dup_n(arena, buf_text(&text), text.len);
        buf_fini(&text);
        return copy;
    }
    return NULL;
}

void sentry_map_ids(const struct json_value *root, const struct sentry_stack *s,
                    struct arena *arena, struct event *event)
{
    const struct json_value *headers = sentry_get_path(root, "request.headers");
    struct part trace = sentry_part(sentry_get_path(root, "contexts.trace.trace_id"));
    struct part server = sentry_get_part(root, "server_name");
    map_people(root, s, arena, event);
    event->handler =
        sentry_text(first_of(sentry_part(find_named(sentry_get(root, "tags"), HANDLER_NAMES)),
                             sentry_get_part(root, "transaction")),
                    NAME_BYTES_MAX, arena);
    if (!event->handler && is_aiogram_event(event->origin))
        event->handler = frame_handler(s, arena);
    event->gen_request_id = sentry_text(lookup(root, GEN_NAMES), NAME_BYTES_MAX, arena);
    event->request_id =
        sentry_text(first_of(lookup(root, REQUEST_NAMES),
                             sentry_part(sentry_pair_find(headers, "X-Request-Id"))),
                    NAME_BYTES_MAX, arena);
    event->session_id = sentry_text(lookup(root, SESSION_NAMES), NAME_BYTES_MAX, arena);
    event->trace_id = sentry_text(trace, NAME_BYTES_MAX, arena);
    event->environment = sentry_text(sentry_get_part(root, "environment"), NAME_BYTES_MAX, arena);
    event->release = sentry_text(sentry_get_part(root, "release"), NAME_BYTES_MAX, arena);
    event->server_name = sentry_text(
        first_of(server, sentry_part(sentry_pair_find(sentry_get(root, "tags"), "server_name"))),
        NAME_BYTES_MAX, arena);
}
