/* cmd_errors.c -- /errors lists groups by pages, /error N shows one and names what looks alike.
 *
 *     /errors words --groups--> page 1, with buttons --press--> the same message as page N
 *     /error N --group--> neighbours --titles compared--> its life --> comments --> card, these below */
#include "bot/command.h"

#include "alerts/digest.h"
#include "alerts/html.h"
#include "alerts/similar.h"
#include "core/limits.h"
#include "core/mem.h"
#include "stats/chart.h"
#include "store/user_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SIMILAR_TITLE_UNITS = 80, LIFE_SIGNS = 24, COMMENT_UNITS = 150 };

/* One page that is being read: of an answer, or of a message that was pressed. */
struct listing {
    struct talk *talk;
    char *words; /* what the filter borrows from, cut in pieces */
    int64_t page;
};

void bot_count_errors(const struct talk *talk, const struct group_page *page,
                      char out[WORDS_COUNT_BYTES])
{
    if (page->is_least)
        words_count_least(talk->look.language, COUNT_ERRORS, page->total, out);
    else
        words_count(talk->look.language, COUNT_ERRORS, page->total, out);
}

static void render_list(const struct talk *talk, const char *filter, const struct group_page *page,
                        struct buf *html)
{
    char errors[WORDS_COUNT_BYTES];
    const char *values[] = {errors, filter};
    bot_count_errors(talk, page, errors);
    bot_text_fill(talk->look.language, *filter ? TEXT_ERRORS_OF : TEXT_ERRORS_HEAD, values, 2,
                  html);
    for (size_t i = 0; i < page->count; i++)
        card_render_line(&page->groups[i], &talk->look, html);
}

static void show_page(struct listing *l, const struct group_page *page)
{
    struct talk *talk = l->talk;
    struct buf html;
    struct chat_keyboard keyboard = {.count = 0};
    int64_t pages = (page->total + LIST_ROWS_MAX - 1) / LIST_ROWS_MAX;
    const char *filter = talk->on_args ? talk->on_args : talk->args;
    struct our_message as = {.kind = MESSAGE_LIST, .args = filter};
    buf_init(&html, TG_TEXT_BYTES_MAX);
    render_list(talk, filter, page, &html);
    digest_number_buttons(page->groups, page->count, &keyboard);
    digest_page_buttons(l->page, pages, &keyboard);
    talk_show(talk, buf_text(&html), &keyboard, &as);
    buf_fini(&html);
}

static void on_list(void *ctx, const struct group_page *page, const struct err *err)
{
    struct listing *l = ctx;
    struct talk *talk = l->talk;
    bool press = talk->update.kind == UPDATE_PRESS;
    if (err && press)
        talk_answer(talk, TEXT_DATABASE_AWAY);
    else if (err)
        talk_say_away(talk);
    else if (page->count > 0)
        show_page(l, page);
    else if (press)
        talk_answer(talk, TEXT_PAGE_GONE);
    else if (talk->args[0])
        talk_say(talk, TEXT_NO_MATCH, talk->args, NULL);
    else
        talk_say(talk, TEXT_NO_ERRORS, NULL);
    free(l->words);
    free(l);
    talk_end(talk);
}

static void list(struct talk *talk, const char *words, int64_t page)
{
    struct group_filter filter;
    struct listing *l = mem_alloc(sizeof *l);
    *l = (struct listing){talk, mem_str_dup(words), page};
    /* "mine" is whoever looks: in a group each sees their own */
    struct asker me = {talk->update.from_name, talk->update.from_id};
    command_parse_filter(l->words, &me, &filter);
    filter.limit = LIST_ROWS_MAX;
    filter.offset = (page - 1) * LIST_ROWS_MAX;
    store_group_list(talk->bot->pg, &filter, on_list, l);
}

void bot_cmd_errors(struct talk *talk)
{
    list(talk, talk->args, 1);
}

void bot_press_page(struct talk *talk, const char *arg)
{
    int64_t page = 0;
    if (!command_parse_page(arg, &page)) {
        talk_answer(talk, TEXT_NO_SUCH_BUTTON);
        talk_end(talk);
        return;
    }
    list(talk, talk->on_args, page);
}

/* ------------------------------------------------------------------------------------- one error */

/* The neighbours come with the group gone from memory: it is read again below them. */
struct opening {
    struct talk *talk;
    struct buf below;
};

static void opened(struct opening *o)
{
    struct talk *talk = o->talk;
    buf_fini(&o->below);
    free(o);
    talk_end(talk);
}

static void on_group_to_show(void *ctx, const struct group *group, const struct err *err)
{
    struct opening *o = ctx;
    char number[TALK_NUMBER_BYTES];
    bool press = o->talk->update.kind == UPDATE_PRESS;
    if (group)
        talk_post_card(o->talk, group, buf_text(&o->below));
    else if (err && !press)
        talk_say_away(o->talk);
    else if (!press)
        talk_say(o->talk, TEXT_NO_SUCH_GROUP, talk_number(o->talk->group_id, number), NULL);
    if (press && group)
        talk_answer_quietly(o->talk);
    else if (press)
        talk_answer(o->talk, err ? TEXT_DATABASE_AWAY : TEXT_PAGE_GONE);
    opened(o);
}

static void add_similar(const struct talk *talk, const struct group *group,
                        const struct group_brief *briefs, size_t count, struct buf *html)
{
    size_t picked[SIMILAR_SHOWN_MAX];
    size_t n = similar_pick(group, briefs, count, picked, SIMILAR_SHOWN_MAX);
    if (n == 0)
        return;
    buf_addf(html, "\n\n🔎 %s", bot_text(talk->look.language, TEXT_SIMILAR));
    for (size_t i = 0; i < n; i++) {
        const struct group_brief *b = &briefs[picked[i]];
        buf_addf(html, "\n#%lld ", (long long)b->id);
        html_add_cut(html, b->title, strlen(b->title), SIMILAR_TITLE_UNITS);
        buf_addf(html, " (%s)", word(talk->look.language, (enum word)(WORD_NEW + (int)b->status)));
    }
}

static void on_comments(void *ctx, const char *state, const char *contact,
                        const struct comment_line *lines, size_t count, const struct err *err)
{
    struct opening *o = ctx;
    enum language l = o->talk->look.language;
    const char *values[] = {state ? bot_text(l, bot_state_text(state)) : NULL};
    if (!err && state) {
        buf_add_char(&o->below, '\n');
        bot_text_fill(l, TEXT_REPORT_STATE, values, 1, &o->below);
    }
    if (!err && contact) {
        buf_add_str(&o->below, "\n✉️ ");
        html_add_cut(&o->below, contact, strlen(contact), COMMENT_UNITS);
    }
    if (!err && count)
        buf_addf(&o->below, "\n\n💬 %s", bot_text(l, TEXT_COMMENTS_HEAD));
    for (size_t i = 0; !err && i < count; i++) {
        char moment[WORDS_MOMENT_BYTES];
        words_moment(&o->talk->look, lines[i].made_ms, moment);
        buf_add_str(&o->below, "\n");
        html_add_cut(&o->below, lines[i].actor, strlen(lines[i].actor), 60);
        buf_addf(&o->below, ", %s: ", moment);
        html_add_cut(&o->below, lines[i].body, strlen(lines[i].body), COMMENT_UNITS);
    }
    store_group_get(o->talk->bot->pg, o->talk->group_id, on_group_to_show, o);
}

/* A life of an hour is no line. */
static void on_life(void *ctx, const int64_t *events, size_t count, const struct err *err)
{
    struct opening *o = ctx;
    bool grows = false;
    for (size_t i = 1; i < count; i++)
        grows = grows || events[i];
    if (!err && grows) {
        buf_add_str(&o->below, "\n📈 <code>");
        stats_sparkline(events, count, &o->below);
        buf_add_str(&o->below, "</code>");
    }
    store_comments_list(o->talk->bot->pg, o->talk->group_id, on_comments, o);
}

static void on_neighbours(void *ctx, const struct group_brief *briefs, size_t count,
                          const struct err *err)
{
    struct opening *o = ctx;
    /* the first row is the group itself: see the query */
    if (!err && count > 0) {
        struct group self = {.title = briefs[0].title, .culprit = briefs[0].culprit};
        add_similar(o->talk, &self, briefs + 1, count - 1, &o->below);
    }
    store_stats_life(o->talk->bot->pg, o->talk->group_id, LIFE_SIGNS, on_life, o);
}

static void open_group(struct talk *talk)
{
    struct opening *o = mem_alloc(sizeof *o);
    o->talk = talk;
    buf_init(&o->below, 16 * KIB);
    store_group_neighbours(talk->bot->pg, talk->group_id, on_neighbours, o);
}

void bot_press_open(struct talk *talk, const char *arg)
{
    const char *rest = NULL;
    if (!command_parse_number(arg, &talk->group_id, &rest) || *rest) {
        talk_answer(talk, TEXT_NO_SUCH_BUTTON);
        talk_end(talk);
        return;
    }
    open_group(talk);
}

void bot_cmd_error(struct talk *talk)
{
    if (talk->args && strncasecmp(talk->args, "events", 6) == 0)
        bot_cmd_events(talk);
    else
        open_group(talk);
}
