/* report.c -- facts to words: for a chat, for programs, for paper; and what to do about them. */
#include "stats/report.h"

#include "alerts/card.h"
#include "alerts/html.h"
#include "core/clock.h"
#include "core/limits.h"

#include <stdio.h>
#include <string.h>

enum {
    NOISY_PERCENT = 50,
    NOISY_EVENTS = 20,
    OLD_DAYS = 14,
    BROKE_ERRORS = 3,
    BACK_ADVISED = 3,
    TITLE_UNITS = 80,
    RELEASE_UNITS = 40
};
static const double CRASH_FREE_GOOD = 99.0;
static const int64_t DAY_MS = 86400 * 1000;

static int64_t all_of(const struct report *r)
{
    return stats_trend(r->view.stats, r->view.ask, r->view.look->now_ms).now;
}

static void line(const struct report *r, enum phrase which, const char *a, const char *b,
                 const char *c, struct buf *html)
{
    const char *values[] = {a, b, c};
    phrase_fill(r->view.look->language, which, values, 3, html);
    buf_add_char(html, '\n');
}

/* --------------------------------------------------------------------------------------------- advice */

typedef bool rule_fn(const struct report *r, struct buf *html);

static const char *number(int64_t n, char out[WORDS_NUMBER_BYTES])
{
    snprintf(out, WORDS_NUMBER_BYTES, "%lld", (long long)n);
    return out;
}

static bool is_noisy(const struct report *r, struct buf *html)
{
    char percent[WORDS_NUMBER_BYTES];
    char id[WORDS_NUMBER_BYTES];
    const struct stats *s = r->view.stats;
    int64_t all = all_of(r);
    if (!s->worst_id || s->worst_events < NOISY_EVENTS)
        return false;
    int64_t share = (int64_t)((double)s->worst_events * 100 / (double)(all ? all : 1) + 0.5);
    if (share < NOISY_PERCENT)
        return false;
    line(r, PHRASE_ADVICE_NOISY, number(share > 100 ? 100 : share, percent),
         number(s->worst_id, id), NULL, html);
    return true;
}

static bool is_unowned(const struct report *r, struct buf *html)
{
    char n[WORDS_NUMBER_BYTES];
    if (!r->facts->open_unowned_critical)
        return false;
    line(r, PHRASE_ADVICE_UNOWNED, number(r->facts->open_unowned_critical, n), NULL, NULL, html);
    return true;
}

static bool came_back(const struct report *r, struct buf *html)
{
    for (size_t i = 0; i < r->facts->back_count && i < BACK_ADVISED; i++) {
        char id[WORDS_NUMBER_BYTES];
        const struct report_error *e = &r->facts->back[i];
        line(r, e->release ? PHRASE_ADVICE_BACK_IN : PHRASE_ADVICE_BACK, number(e->id, id),
             e->release, NULL, html);
    }
    return r->facts->back_count > 0;
}

static bool is_broken_by(const struct report *r, struct buf *html)
{
    char n[WORDS_COUNT_BYTES];
    if (r->facts->broke < BROKE_ERRORS)
        return false;
    words_count(r->view.look->language, COUNT_NEW_ERRORS, r->facts->broke, n);
    line(r, PHRASE_ADVICE_BROKE, r->facts->broke_release, n, NULL, html);
    return true;
}

static bool is_old(const struct report *r, struct buf *html)
{
    char id[WORDS_NUMBER_BYTES];
    char span[WORDS_COUNT_BYTES];
    const struct report_error *e = &r->facts->oldest;
    if (!e->id || e->ms < OLD_DAYS * DAY_MS)
        return false;
    words_span(r->view.look->language, e->ms, span);
    line(r, PHRASE_ADVICE_OLD, number(e->id, id), span, NULL, html);
    return true;
}

static bool is_counted_only(const struct report *r, struct buf *html)
{
    char n[WORDS_NUMBER_BYTES];
    if (!r->view.stats->counted)
        return false;
    words_number(r->view.look->language, r->view.stats->counted, n);
    line(r, PHRASE_ADVICE_COUNTED, n, NULL, NULL, html);
    return true;
}

static bool is_lossy(const struct report *r, struct buf *html)
{
    char n[WORDS_NUMBER_BYTES];
    int64_t lost = 0;
    for (size_t i = 0; i < r->facts->losses_count; i++) {
        const struct report_loss *l = &r->facts->losses[i];
        /* what was over its rate comes again, and what was not forwarded is here */
        lost += strcmp(l->kind, "sdk") == 0 || strcmp(l->kind, "refused") == 0 ? l->n : 0;
    }
    if (!lost)
        return false;
    words_number(r->view.look->language, lost, n);
    line(r, PHRASE_ADVICE_LOST, n, NULL, NULL, html);
    return true;
}

/* "97.5", "97,5" */
static const char *decimal(const struct report *r, double n, int digits, char out[24])
{
    snprintf(out, 24, "%.*f", digits, n);
    char *point = strchr(out, '.');
    if (point && r->view.look->language == LANG_RU)
        *point = ',';
    return out;
}

static bool is_crashing(const struct report *r, struct buf *html)
{
    char percent[24];
    if (r->facts->crash_free < 0 || r->facts->crash_free >= CRASH_FREE_GOOD)
        return false;
    line(r, PHRASE_ADVICE_CRASHES, decimal(r, r->facts->crash_free, 1, percent), NULL, NULL, html);
    return true;
}

void report_advice(const struct report *r, struct buf *html)
{
    static rule_fn *const RULES[] = {is_unowned,  came_back,       is_broken_by, is_noisy,
                                     is_crashing, is_counted_only, is_lossy,     is_old};
    bool any = false;
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++)
        any = RULES[i](r, html) || any;
    if (!any)
        line(r, PHRASE_ADVICE_NONE, NULL, NULL, NULL, html);
}

/* ---------------------------------------------------------------------------------------------- words */

static void add_error(const struct report_error *e, struct buf *html)
{
    buf_addf(html, "     %s <b>#%lld</b> ", card_severity_mark(e->severity), (long long)e->id);
    html_add_cut(html, e->title, strlen(e->title), TITLE_UNITS);
    if (e->release) {
        buf_add_str(html, " · ");
        html_add_cut(html, e->release, strlen(e->release), RELEASE_UNITS);
    }
    buf_add_char(html, '\n');
}

static void add_work(const struct report *r, struct buf *html)
{
    enum language l = r->view.look->language;
    const struct report_facts *f = r->facts;
    char n[WORDS_NUMBER_BYTES];
    char mean[WORDS_COUNT_BYTES];
    char id[WORDS_NUMBER_BYTES];
    words_number(l, f->resolved, n);
    words_span(l, f->mean_resolve_ms, mean);
    line(r, f->resolved ? PHRASE_RESOLVED_IN : PHRASE_RESOLVED, n, mean, NULL, html);
    words_span(l, f->mean_take_ms, mean);
    if (f->taken)
        line(r, PHRASE_TAKEN_IN, number(f->taken, n), mean, NULL, html);
    words_span(l, f->slowest.ms, mean);
    if (f->slowest.id && f->taken > 1)
        line(r, PHRASE_SLOWEST, number(f->slowest.id, id), mean, f->slowest.title, html);
    words_span(l, f->oldest.ms, mean);
    if (f->oldest.id)
        line(r, PHRASE_OLDEST, number(f->oldest.id, id), mean, f->oldest.title, html);
}

static void add_losses(const struct report *r, struct buf *html)
{
    static const struct {
        const char *kind;
        enum phrase what;
    } KINDS[] = {{"sdk", PHRASE_LOST_SDK},
                 {"refused", PHRASE_LOST_REFUSED},
                 {"rate_limited", PHRASE_LOST_RATE},
                 {"forward", PHRASE_LOST_FORWARD}};
    for (size_t i = 0; i < r->facts->losses_count; i++)
        for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
            if (strcmp(KINDS[k].kind, r->facts->losses[i].kind) == 0) {
                char n[WORDS_NUMBER_BYTES];
                words_number(r->view.look->language, r->facts->losses[i].n, n);
                line(r, KINDS[k].what, n, NULL, NULL, html);
            }
}

static enum phrase title_of(const struct report *r)
{
    return r->view.period == PERIOD_DAY    ? PHRASE_REPORT_DAY
           : r->view.period == PERIOD_WEEK ? PHRASE_REPORT_WEEK
                                           : PHRASE_REPORT_MONTH;
}

static void add_lists(const struct report *r, struct buf *html)
{
    const struct report_facts *f = r->facts;
    if (f->made_count)
        line(r, PHRASE_MADE_LIST, NULL, NULL, NULL, html);
    for (size_t i = 0; i < f->made_count; i++)
        add_error(&f->made[i], html);
    if (f->back_count)
        line(r, PHRASE_BACK_LIST, NULL, NULL, NULL, html);
    for (size_t i = 0; i < f->back_count; i++)
        add_error(&f->back[i], html);
}

void report_words(const struct report *r, struct buf *html)
{
    enum language l = r->view.look->language;
    char percent[24];
    struct buf numbers;
    buf_init(&numbers, TG_TEXT_BYTES_MAX);
    stats_caption(&r->view, &numbers);
    const char *body = strchr(buf_text(&numbers), '\n'); /* its title is ours */
    buf_addf(html, "📋 <b>%s</b>%s\n\n", phrase(l, title_of(r)), body ? body : "");
    buf_fini(&numbers);
    add_lists(r, html);
    add_work(r, html);
    if (r->facts->crash_free >= 0)
        line(r, PHRASE_CRASH_FREE, decimal(r, r->facts->crash_free, 2, percent), NULL, NULL, html);
    add_losses(r, html);
    buf_addf(html, "\n<b>%s</b>\n", phrase(l, PHRASE_ADVICE));
    report_advice(r, html);
}
