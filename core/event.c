/* event.c -- the words for severity and status. */
#include "core/event.h"

#include <string.h>
#include <strings.h>

static const char *const SEVERITY_NAMES[] = {"debug", "info", "warning", "error", "critical"};
static const char *const STATUS_NAMES[] = {"new", "in_progress", "resolved"};

static const struct {
    const char *word;
    enum severity severity;
} SEVERITY_WORDS[] = {
    {"debug", SEV_DEBUG}, {"info", SEV_INFO},         {"warning", SEV_WARNING},
    {"error", SEV_ERROR}, {"critical", SEV_CRITICAL}, {"fatal", SEV_CRITICAL},
    {"high", SEV_ERROR},  {"medium", SEV_WARNING},    {"warn", SEV_WARNING},
    {"low", SEV_INFO},    {"err", SEV_ERROR},         {"10", SEV_DEBUG},
    {"20", SEV_INFO},     {"30", SEV_WARNING},        {"40", SEV_ERROR},
    {"50", SEV_CRITICAL},
};

const char *severity_name(enum severity severity)
{
    return SEVERITY_NAMES[severity];
}

static bool word_equal(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

bool severity_parse(const char *text, size_t len, enum severity *out)
{
    for (size_t i = 0; i < sizeof SEVERITY_WORDS / sizeof *SEVERITY_WORDS; i++)
        if (word_equal(text, len, SEVERITY_WORDS[i].word)) {
            *out = SEVERITY_WORDS[i].severity;
            return true;
        }
    return false;
}

const char *status_name(enum group_status status)
{
    return STATUS_NAMES[status];
}

bool status_parse(const char *text, size_t len, enum group_status *out)
{
    for (int i = 0; i < STATUSES; i++)
        if (word_equal(text, len, STATUS_NAMES[i])) {
            *out = (enum group_status)i;
            return true;
        }
    return false;
}

size_t event_weight(const struct event *e)
{
    const char *const texts[] = {e->origin,         e->title,          e->culprit,     e->handler,
                                 e->message,        e->exception_type, e->stacktrace,  e->user_id,
                                 e->gen_request_id, e->request_id,     e->session_id,  e->trace_id,
                                 e->environment,    e->release,        e->server_name, e->payload,
                                 e->tags,           e->breadcrumbs,    e->source,      e->original};
    size_t n = sizeof *e + e->detail_len;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        n += texts[i] ? strlen(texts[i]) : 0;
    for (const struct attachment *a = e->attachments; a; a = a->next)
        n += sizeof *a + a->len;
    return n;
}
