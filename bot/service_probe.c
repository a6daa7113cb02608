/* service_probe.c -- whether the Bot API answers at all: a send that hangs says nothing about that, so when
 * nothing was answered for a while getMe is asked, with a deadline of its own. */
#include "bot/service_internal.h"

#include "core/clock.h"
#include "core/limits.h"

static void on_probed(void *ctx, const struct tg_answer *answer)
{
    struct service *s = ctx;
    (void)answer; /* net/telegram notes that it was answered */
    s->probe.asking = false;
}

static void ask(struct service *s, int64_t now)
{
    if (s->probe.asking || now - s->probe.asked_ms < PROBE_SECONDS * 1000)
        return;
    s->probe.asking = true;
    s->probe.asked_ms = now;
    telegram_call(s->telegram, "getMe", NULL, PROBE_SECONDS, on_probed, s);
}

/* A quiet Bot API is asked after half of the time that makes an outage. */
int64_t service_silent_ms(void *ctx)
{
    struct service *s = ctx;
    int64_t now = clock_mono_ms();
    if (!s->telegram)
        return 0;
    int64_t silent = now - telegram_answered_ms(s->telegram);
    if (silent >= OUTAGE_SECONDS * 1000 / 3)
        ask(s, now);
    return silent;
}
