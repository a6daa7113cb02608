/* webhook_info.c -- troubles of the webhook, told apart from old news. */
#include "bot/webhook_info.h"

#include "core/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_LOOK_SECONDS = 120, MESSAGE_BYTES_MAX = 200 };

static int64_t number(const json_t *info, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(info, key));
}

static void set_trouble(struct webhook_memory *m, const char *what, int64_t pending)
{
    m->failing = true;
    snprintf(m->trouble, sizeof m->trouble, "%.*s; %" PRId64 " updates wait at Telegram",
             (int)utf8_cut(what, strlen(what), MESSAGE_BYTES_MAX), what, pending);
}

void webhook_info_read(struct webhook_memory *m, const json_t *info, int64_t now_s)
{
    const char *message = json_string_value(json_object_get(info, "last_error_message"));
    int64_t error_date = number(info, "last_error_date");
    int64_t sync_date = number(info, "last_synchronization_error_date");
    int64_t pending = number(info, "pending_update_count");
    bool recent = error_date > now_s - FIRST_LOOK_SECONDS && pending > 0;
    bool news = m->known ? error_date > m->error_date : recent;
    bool sync_news = m->known && sync_date > m->sync_error_date;
    if (news)
        set_trouble(m, message ? message : "Telegram could not deliver", pending);
    else if (sync_news)
        set_trouble(m, "Telegram itself has trouble with this bot", pending);
    else if (m->known && m->pending > 0 && pending > m->pending)
        set_trouble(m, "updates come slower than they should", pending);
    else if (pending == 0 || pending < m->pending)
        m->failing = false;
    if (!m->failing)
        m->trouble[0] = '\0';
    m->known = true;
    m->error_date = error_date;
    m->sync_error_date = sync_date;
    m->pending = pending;
}
