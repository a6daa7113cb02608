/* cmd_check.c -- /check: addresses that are asked whether they answer, and addresses for jobs; owners change them. /stats checks
 * lists how fast they answered. */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/limits.h"
#include "core/mem.h"
#include "store/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *mark_of(const struct check_line *c)
{
    return !c->enabled ? "⏸" : c->failing ? "🔴" : c->last_ms ? "🟢" : "⚪";
}

static void add_speed(const struct talk *talk, const struct check_line *c, struct buf *html)
{
    enum language l = talk->look.language;
    char p50[WORDS_NUMBER_BYTES];
    char p95[WORDS_NUMBER_BYTES];
    char up[24];
    const char *values[] = {p50, p95, up};
    if (c->p50_ms < 0)
        return;
    words_number(l, c->p50_ms, p50);
    words_number(l, c->p95_ms, p95);
    snprintf(up, sizeof up, c->up > 99.995 ? "%.0f" : "%.2f", c->up);
    if (l == LANG_RU && strchr(up, '.'))
        *strchr(up, '.') = ',';
    buf_add_str(html, "     ");
    bot_text_fill(l, TEXT_CHECK_SPEED, values, 3, html);
    buf_add_char(html, '\n');
}

static void add_line(const struct talk *talk, const struct check_line *c, struct buf *html)
{
    enum language l = talk->look.language;
    char name[CHECK_URL_BYTES];
    char moment[WORDS_MOMENT_BYTES];
    const char *values[] = {moment};
    check_url_name(c->url, name);
    buf_addf(html, "%s <b>%" PRId64 "</b>. ", mark_of(c), c->id);
    html_add_cut(html, name, strlen(name), 120);
    if (c->failing) {
        buf_add_str(html, " — ");
        const struct {
            const char *name;
            enum text text;
        } TROUBLES[] = {
            {"down", TEXT_CHECK_DOWN}, {"slow", TEXT_CHECK_SLOW}, {"certificate", TEXT_CHECK_CERT}};
        bool first = true;
        for (size_t i = 0; i < sizeof TROUBLES / sizeof *TROUBLES; i++)
            if (strstr(c->failing, TROUBLES[i].name)) {
                buf_addf(html, "%s%s", first ? "" : ", ", bot_text(l, TROUBLES[i].text));
                first = false;
            }
    }
    buf_add_char(html, '\n');
    add_speed(talk, c, html);
    if (c->cert_expires_ms) {
        words_date(&talk->look, c->cert_expires_ms, moment);
        buf_add_str(html, "     ");
        bot_text_fill(l, TEXT_CHECK_CERT_UNTIL, values, 1, html);
        buf_add_char(html, '\n');
    }
}

static void on_list(void *ctx, const struct check_line *lines, size_t count, const struct err *err)
{
    struct talk *talk = ctx;
    struct buf html;
    size_t shown = 0;
    if (err) {
        talk_say_away(talk);
        talk_end(talk);
        return;
    }
    buf_init(&html, 4 * TG_TEXT_BYTES_MAX);
    buf_add_str(&html, bot_text(talk->look.language, count ? TEXT_CHECKS_HEAD : TEXT_CHECKS_NONE));
    buf_add_char(&html, '\n');
    for (; shown < count && html_units(buf_text(&html)) < TG_TEXT_UNITS_MAX - 600; shown++)
        add_line(talk, &lines[shown], &html);
    if (shown < count)
        buf_addf(&html, "… +%zu", count - shown);
    talk_reply(talk, buf_text(&html));
    buf_fini(&html);
    talk_end(talk);
}

void bot_list_checks(struct talk *talk)
{
    store_checks_list(talk->bot->pg, on_list, talk);
}

/* ------------------------------------------------------------------------------------------ changes */

struct changing {
    struct talk *talk;
    enum text done;
    char name[CHECK_URL_BYTES];
};

static void on_changed(void *ctx, int64_t id, const struct err *err)
{
    struct changing *c = ctx;
    struct talk *talk = c->talk;
    char number[TALK_NUMBER_BYTES];
    talk_number(id, number);
    if (err)
        talk_say_away(talk);
    else if (id == 0)
        talk_say(talk, c->done == TEXT_CHECK_ADDED ? TEXT_CHECKS_FULL : TEXT_NO_CHECK, c->name,
                 NULL);
    else
        talk_say(talk, c->done, c->done == TEXT_CHECK_ADDED ? c->name : number, number, NULL);
    free(c);
    talk_end(talk);
}

static void add(struct talk *talk, const char *words)
{
    struct check_spec spec;
    struct err err = {0};
    if (!check_spec_parse(words, strlen(words), &spec, &err)) {
        talk_say(talk, TEXT_CHECK_BAD, err.text, NULL);
        talk_end(talk);
        return;
    }
    struct changing *c = mem_alloc(sizeof *c);
    *c = (struct changing){.talk = talk, .done = TEXT_CHECK_ADDED};
    check_url_name(spec.url, c->name);
    store_check_put(talk->bot->pg, &spec, talk->update.from_name, on_changed, c);
}

static void on_beat(void *ctx, const char *key, const struct err *err)
{
    struct talk *talk = ctx;
    char url[CHECK_URL_BYTES];
    if (err) {
        talk_say_away(talk);
    } else {
        snprintf(url, sizeof url, "%s/beat/%s", talk->bot->public_url, key);
        talk_say(talk, TEXT_BEAT_ADDED, talk->args, url, NULL);
    }
    talk_end(talk);
}

/* "NAME every 1h": the name is letters, digits and what stands between them. */
static void add_beat(struct talk *talk, const char *words)
{
    enum { NAME_BYTES = 50, EVERY_MIN_MAX = 31 * 24 * 60 };
    const int64_t minute_ms = 60000;
    size_t n = strcspn(words, " \t\n");
    const char *every = words + n + strspn(words + n, " \t\n");
    bool named =
        n > 0 && n <= NAME_BYTES && strspn(words, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
    int64_t minutes = strncasecmp(every, "every ", 6) == 0
                          ? (check_span_ms(every + 6) + minute_ms - 1) / minute_ms
                          : 0;
    if (!named || minutes < 1 || minutes > EVERY_MIN_MAX) {
        talk_say(talk, named ? TEXT_BEAT_EVERY : TEXT_BEAT_NAME, NULL);
        talk_end(talk);
        return;
    }
    memmove(talk->args, words, n);
    talk->args[n] = '\0';
    store_beat_put(talk->bot->pg, talk->args, minutes, talk->update.from_name, on_beat, talk);
}

static bool begins(const char *args, const char *word, const char **rest)
{
    size_t n = strlen(word);
    if (strncasecmp(args, word, n) != 0 || (args[n] != ' ' && args[n]))
        return false;
    *rest = args + n + strspn(args + n, " ");
    return true;
}

static void change(struct talk *talk, enum text done, const char *words)
{
    int64_t id = 0;
    const char *rest = NULL;
    if (!command_parse_number(words, &id, &rest) || *rest) {
        talk_say_usage(talk);
        talk_end(talk);
        return;
    }
    struct changing *c = mem_alloc(sizeof *c);
    *c = (struct changing){.talk = talk, .done = done};
    talk_number(id, c->name);
    if (done == TEXT_CHECK_REMOVED)
        store_check_remove(talk->bot->pg, id, on_changed, c);
    else
        store_check_switch(talk->bot->pg, id, done == TEXT_CHECK_ON, on_changed, c);
}

void bot_cmd_check(struct talk *talk)
{
    const char *rest = "";
    if (!*talk->args) {
        bot_list_checks(talk);
    } else if (talk->role < ROLE_OWNER) {
        /* an address inside the network is asked from inside it */
        talk_say(talk, talk->update.from_id ? TEXT_ONLY_OWNERS : TEXT_ANONYMOUS, NULL);
        talk_end(talk);
    } else if (begins(talk->args, "add", &rest)) {
        add(talk, rest);
    } else if (begins(talk->args, "beat", &rest)) {
        add_beat(talk, rest);
    } else if (begins(talk->args, "del", &rest)) {
        change(talk, TEXT_CHECK_REMOVED, rest);
    } else if (begins(talk->args, "on", &rest)) {
        change(talk, TEXT_CHECK_ON, rest);
    } else if (begins(talk->args, "off", &rest)) {
        change(talk, TEXT_CHECK_OFF, rest);
    } else {
        talk_say_usage(talk);
        talk_end(talk);
    }
}
