/* alarm.c -- one private message to each owner. */
#include "bot/alarm.h"

#include "core/clock.h"
#include "core/limits.h"
#include "store/person.h"

#include <stdio.h>

enum { SILENCE_MS = 6 * 3600 * 1000, OWNERS_TOLD_MAX = 10 };

static void tell(const struct alarm_bell *bell, int64_t owner)
{
    struct buf html;
    char chat[TALK_NUMBER_BYTES];
    const char *values[] = {talk_number(bell->bot->alert_chat_id, chat), bell->trouble};
    enum language language = language_of_code(bell->bot->language);
    if (owner == bell->bot->alert_chat_id)
        return;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    bot_text_fill(language, TEXT_OWNER_ALARM, values, 2, &html);
    struct chat_message message = {.chat_id = owner, .html = buf_text(&html)};
    bell->bot->chat->send(bell->bot->chat, &message, NULL, NULL);
    buf_fini(&html);
}

static bool is_listed(const struct alarm_bell *bell, int64_t id)
{
    for (size_t i = 0; i < bell->owners->count; i++)
        if (bell->owners->ids[i] == id)
            return true;
    return false;
}

static void on_owners(void *ctx, const int64_t *ids, size_t count, const struct err *err)
{
    struct alarm_bell *bell = ctx;
    (void)err;
    for (size_t i = 0; i < bell->owners->count && i < OWNERS_TOLD_MAX; i++)
        tell(bell, bell->owners->ids[i]);
    for (size_t i = 0; i < count && i < OWNERS_TOLD_MAX; i++)
        if (!is_listed(bell, ids[i]))
            tell(bell, ids[i]);
}

void alarm_ring(struct alarm_bell *bell, const char *trouble)
{
    int64_t now = clock_mono_ms();
    if (bell->told_ms && now - bell->told_ms < SILENCE_MS)
        return;
    bell->told_ms = now;
    snprintf(bell->trouble, sizeof bell->trouble, "%s", trouble);
    store_owners_list(bell->bot->pg, on_owners, bell);
}
