/* machine.c -- see machine.h. */
#include "checks/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t DAY_MS = 86400 * 1000;

void check_state_write(const struct check_state *state, char out[CHECK_STATE_BYTES])
{
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; i < CHECK_TROUBLES && n < CHECK_STATE_BYTES; i++) {
        const struct check_streak *s = &state->troubles[i];
        n += (size_t)snprintf(out + n, CHECK_STATE_BYTES - n,
                              "%" PRId64 " %" PRId64 " %" PRId64 " %d;", s->bad, s->good,
                              s->since_ms, s->rang);
    }
}

void check_state_read(const char *text, struct check_state *state)
{
    *state = (struct check_state){0};
    for (int i = 0; i < CHECK_TROUBLES && text && *text; i++) {
        char *at = NULL;
        struct check_streak *streak = &state->troubles[i];
        streak->bad = strtoll(text, &at, 10);
        streak->good = strtoll(at, &at, 10);
        streak->since_ms = strtoll(at, &at, 10);
        streak->rang = strtoll(at, &at, 10) != 0;
        text = strchr(at, ';');
        text = text ? text + 1 : NULL;
    }
}

enum verdict { VERDICT_GOOD, VERDICT_BAD, VERDICT_UNKNOWN };

static enum verdict judge(enum check_trouble what, const struct check_spec *spec,
                          const struct check_answer *a, int64_t now_ms)
{
    bool down = a->status == 0 || (spec->expect ? a->status != spec->expect : a->status >= 400);
    switch (what) {
    case TROUBLE_DOWN:
        return down ? VERDICT_BAD : VERDICT_GOOD;
    case TROUBLE_SLOW:
        if (down) /* an error page is fast */
            return VERDICT_UNKNOWN;
        return spec->under_ms && a->ms > spec->under_ms ? VERDICT_BAD : VERDICT_GOOD;
    default:
        if (!spec->cert_days)
            return VERDICT_GOOD;
        if (!a->cert_expires_ms)
            return VERDICT_UNKNOWN;
        return a->cert_expires_ms - now_ms < spec->cert_days * DAY_MS ? VERDICT_BAD : VERDICT_GOOD;
    }
}

static void count_bad(struct check_streak *s, int64_t now_ms)
{
    s->good = 0;
    s->since_ms = s->bad++ ? s->since_ms : now_ms;
}

void check_decide(const struct check_spec *spec, const struct check_answer *answer, int64_t now_ms,
                  struct check_state *state, struct check_change *change)
{
    *change = (struct check_change){.is_good = true};
    for (int i = 0; i < CHECK_TROUBLES; i++) {
        struct check_streak *s = &state->troubles[i];
        enum verdict verdict = judge((enum check_trouble)i, spec, answer, now_ms);
        change->is_good = change->is_good && verdict != VERDICT_BAD;
        if (verdict == VERDICT_BAD) {
            count_bad(s, now_ms);
            change->ring[i] = !s->rang && s->bad >= CHECK_BAD_MAX;
            s->rang = s->rang || change->ring[i];
        } else if (verdict == VERDICT_GOOD && s->rang && ++s->good >= CHECK_GOOD_MAX) {
            change->over[i] = true;
            change->lasted_ms[i] = now_ms - s->since_ms;
            change->failures[i] = s->bad;
            *s = (struct check_streak){0};
        } else if (verdict == VERDICT_GOOD && !s->rang) {
            *s = (struct check_streak){0};
        }
    }
}

void check_failing(const struct check_state *state, char out[64])
{
    static const char *const NAMES[] = {"down", "slow", "certificate"};
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; i < CHECK_TROUBLES; i++)
        if (state->troubles[i].rang)
            n += (size_t)snprintf(out + n, 64 - n, "%s%s", n ? ", " : "", NAMES[i]);
}
