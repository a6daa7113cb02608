/* self_alarm.c -- worries in words, to the chat and, where that can't be told, to the chain of channels. */
#include "bot/self_alarm.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/metric.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

enum { JUMP_MS_MIN = 60 * 1000 };

static const enum text WORRY_TEXTS[WORRIES] = {
    [WORRY_DATABASE] = TEXT_WORRY_DATABASE, [WORRY_QUEUE] = TEXT_WORRY_QUEUE,
    [WORRY_DISK] = TEXT_WORRY_DISK,         [WORRY_TOKEN] = TEXT_WORRY_TOKEN,
    [WORRY_POLLER] = TEXT_WORRY_POLLER,     [WORRY_UPDATES] = TEXT_WORRY_UPDATES,
    [WORRY_CLOCK] = TEXT_WORRY_CLOCK,       [WORRY_SPOOL] = TEXT_WORRY_SPOOL,
    [WORRY_STORE] = TEXT_WORRY_STORE,
};

static const enum text WELL_TEXTS[WORRIES] = {
    [WORRY_DATABASE] = TEXT_WELL_DATABASE, [WORRY_QUEUE] = TEXT_WELL_QUEUE,
    [WORRY_DISK] = TEXT_WELL_DISK,         [WORRY_TOKEN] = TEXT_WELL_TOKEN,
    [WORRY_POLLER] = TEXT_WELL_UPDATES,    [WORRY_UPDATES] = TEXT_WELL_UPDATES,
    [WORRY_CLOCK] = TEXT_WORRY_CLOCK,      [WORRY_SPOOL] = TEXT_WELL_SPOOL,
    [WORRY_STORE] = TEXT_WELL_STORE,
};
static const char *const WORRY_NAMES[WORRIES] = {"database", "queue",   "disk",  "spool", "token",
                                                 "poller",   "updates", "clock", "store"};

static void on_channel(void *ctx, const struct chat_result *result)
{
    (void)ctx;
    if (result->outcome != TG_OK)
        log_warn("a channel was not told how Nabat is", LOG_S("error", result->text), LOG_END);
}

/* The channel with the lowest number in the chain. */
static void tell_channel(const struct self_alarm *a, const char *html, enum language language)
{
    int64_t id = a->channels ? channels_first_fallback(a->channels) : 0;
    const char *why = "";
    struct look look = {.language = language, .now_ms = clock_wall_ms()};
    struct channel_alert alert = {.what = CHANNEL_NOTE,
                                  .delivery_id = look.now_ms,
                                  .reason = "self",
                                  .note_html = html,
                                  .look = &look,
                                  .is_fallback = true,
                                  .now_ms = look.now_ms};
    if (id)
        channels_post(a->channels, id, &alert, on_channel, NULL, &why);
}

static void tell(const struct self_alarm *a, enum worry which, const char *html)
{
    enum language language = language_of_code(a->bot->language);
    if (which == WORRY_TOKEN)
        tell_channel(a, html, language);
    else if (a->bot->alert_chat_id) {
        struct chat_message message = {
            .chat_id = a->bot->alert_chat_id,
            .thread_id = a->thread_id,
            .html = html,
            .patient = true,
        };
        a->bot->chat->send(a->bot->chat, &message, NULL, NULL);
    }
}

static void say(const struct self_alarm *a, enum worry which, enum worry_news news,
                const char *detail, int64_t lasted_ms)
{
    enum language language = language_of_code(a->bot->language);
    bool over = news == WORRY_IS_OVER;
    struct buf html;
    char minutes[TALK_NUMBER_BYTES];
    const char *value = over ? talk_number((lasted_ms + 59999) / 60000, minutes) : detail;
    enum text text = over ? WELL_TEXTS[which] : WORRY_TEXTS[which];
    if (text == TEXT_WORRY_DATABASE && !a->has_spool)
        text = TEXT_WORRY_DATABASE_REFUSED;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    buf_add_str(&html, over ? "✅ <b>Nabat</b>: " : "⚠️ <b>Nabat</b>: ");
    bot_text_fill(language, text, &value, 1, &html);
    tell(a, which, buf_text(&html));
    buf_fini(&html);
}

void self_alarm_look(struct self_alarm *a, const struct self_view *view, bool may_tell)
{
    int64_t now = clock_mono_ms();
    for (int w = 0; w < WORRIES; w++) {
        int64_t lasted = 0;
        bool was_bad = a->states[w].since_ms != 0;
        bool tells = may_tell || w == WORRY_SPOOL; /* every instance has one of its own */
        enum worry_news news =
            worry_look(&a->states[w], (enum worry)w, view->bad[w], tells, now, &lasted);
        if (view->bad[w] && !was_bad) { /* whoever may not tell logs it all the same */
            metric_add(METRIC_SELF_ALARMS, 1);
            log_error("something is wrong with Nabat itself", LOG_S("worry", WORRY_NAMES[w]),
                      LOG_S("detail", view->detail[w]), LOG_END);
        }
        if (news != WORRY_NOTHING && (news != WORRY_IS_OVER || w != WORRY_CLOCK))
            say(a, (enum worry)w, news, view->detail[w], lasted);
    }
}

bool self_disk_is_full(const char *path, char *detail, size_t size)
{
    struct statvfs fs;
    if (statvfs(path, &fs) != 0 || fs.f_blocks == 0)
        return false;
    uint64_t unit = fs.f_frsize;
    uint64_t mib_free = (uint64_t)fs.f_bavail * unit / MIB;
    bool low_share = (uint64_t)fs.f_bavail * 20 < (uint64_t)fs.f_blocks && mib_free < 5 * 1024;
    if (!low_share && mib_free >= 256)
        return false;
    snprintf(detail, size, "%" PRIu64 " MiB", mib_free);
    return true;
}

bool self_clock_jumped(struct self_alarm *a, char *detail, size_t size)
{
    int64_t gap = clock_wall_ms() - clock_mono_ms();
    int64_t moved = gap - a->clock_gap_ms;
    bool jumped = a->has_gap && llabs(moved) > JUMP_MS_MIN;
    a->clock_gap_ms = gap;
    a->has_gap = true;
    if (jumped)
        snprintf(detail, size, "%+lld s", (long long)(moved / 1000));
    return jumped;
}
