/* judge.c -- one look after another. */
#include "watch/judge.h"

enum { CALM_LOOKS = 3, GROWING_LOOKS = 3, PENDING_MIN = 20, PENDING_OVER = 5 };

static void set(struct watch_state *s, struct watch_verdict *v, enum trouble which, bool is_there,
                int64_t now_ms)
{
    if (is_there == s->troubles[which])
        return;
    v->risen[which] = is_there;
    v->over[which] = !is_there;
    if (is_there)
        s->since_ms[which] = now_ms;
    else
        v->lasted_ms[which] = now_ms - s->since_ms[which];
    s->troubles[which] = is_there;
}

static bool piles_up(struct watch_state *s, const struct watch_seen *seen)
{
    s->growing = seen->pending > s->pending ? s->growing + 1 : 0;
    if (s->troubles[TROUBLE_PENDING])
        return seen->pending > PENDING_OVER;
    return seen->pending >= PENDING_MIN && s->growing >= GROWING_LOOKS;
}

/* An error that was there before anybody looked is no news. */
static bool fails(struct watch_state *s, const struct watch_seen *seen, struct watch_verdict *v)
{
    bool newer = s->known && seen->last_error_date > s->last_error_date;
    bool calm = !newer && seen->pending <= s->pending;
    s->calm = calm ? s->calm + 1 : 0;
    v->again[TROUBLE_FAILING] = newer && s->troubles[TROUBLE_FAILING];
    if (newer)
        return true;
    return s->troubles[TROUBLE_FAILING] && s->calm < CALM_LOOKS;
}

struct watch_verdict watch_judge(struct watch_state *s, const struct watch_seen *seen,
                                 int64_t now_ms)
{
    struct watch_verdict v = {.risen = {false}};
    set(s, &v, TROUBLE_REVOKED, seen->unauthorized, now_ms);
    if (seen->unauthorized)
        return v;
    bool lost = !seen->has_webhook && (s->had_webhook || s->troubles[TROUBLE_LOST]);
    set(s, &v, TROUBLE_LOST, lost, now_ms);
    set(s, &v, TROUBLE_FAILING, fails(s, seen, &v), now_ms);
    set(s, &v, TROUBLE_PENDING, piles_up(s, seen), now_ms);
    s->had_webhook = seen->has_webhook;
    if (seen->last_error_date > s->last_error_date)
        s->last_error_date = seen->last_error_date;
    s->pending = seen->pending;
    s->known = true;
    return v;
}
