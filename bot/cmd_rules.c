/* cmd_rules.c -- /rules: which alert rings where; owners change it.
 *
 *     /rules --all of them--> a tree of lines
 *     /rules add words | del N | on N | off N --row--> what it is now                             */
#include "bot/command.h"

#include "alerts/html.h"
#include "bot/rule_words.h"
#include "core/limits.h"
#include "core/mem.h"
#include "store/rule_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void add_rule(const struct rules *rules, const struct rule *rule, enum language l, int depth,
                     struct buf *html)
{
    struct buf words;
    struct rule shown = *rule;
    char number[TALK_NUMBER_BYTES];
    shown.parent_id = 0; /* its place says that */
    buf_init(&words, 16 * KIB);
    rule_words_write(&shown, &words);
    buf_addf(html, "%*s<b>%s</b>. <code>", 4 * depth, "", talk_number(rule->id, number));
    html_add_cut(html, words.len ? buf_text(&words) : "*", words.len ? words.len : 1, 300);
    buf_add_str(html, "</code>");
    if (!rule->enabled)
        buf_addf(html, " <i>(%s)</i>", bot_text(l, TEXT_RULE_IS_OFF));
    buf_add_char(html, '\n');
    buf_fini(&words);
    for (size_t i = 0; depth < RULE_DEPTH_MAX && i < rules->rules_count; i++)
        if (rules->rules[i].parent_id == rule->id)
            add_rule(rules, &rules->rules[i], l, depth + 1, html);
}

static void on_rules(void *ctx, struct rules *rules, const struct err *err)
{
    struct talk *talk = ctx;
    enum language l = talk->look.language;
    if (err) {
        talk_say_away(talk);
        talk_end(talk);
        return;
    }
    struct buf html;
    buf_init(&html, 256 * KIB);
    buf_add_str(&html, bot_text(l, rules->rules_count ? TEXT_RULES_HEAD : TEXT_RULES_NONE));
    buf_add_str(&html, "\n\n");
    for (size_t i = 0; i < rules->rules_count; i++)
        if (rules->rules[i].parent_id == 0)
            add_rule(rules, &rules->rules[i], l, 0, &html);
    if (rules->rules_count)
        buf_addf(&html, "%s\n", bot_text(l, TEXT_RULES_ELSE));
    if (html.full || html_units(buf_text(&html)) > TG_TEXT_UNITS_MAX - 200) {
        buf_clear(&html);
        buf_add_str(&html, bot_text(l, TEXT_RULES_MANY));
    }
    buf_addf(&html, "\n%s", bot_text(l, TEXT_RULES_HOW));
    talk_reply(talk, buf_text(&html));
    buf_fini(&html);
    store_rules_free(rules);
    talk_end(talk);
}

/* ------------------------------------------------------------------------------------- changes */

struct edit {
    struct talk *talk;
    struct rule rule;
    int64_t id;
    enum text done;
};

static void on_edited(void *ctx, int64_t n, const struct err *err)
{
    struct edit *e = ctx;
    struct talk *talk = e->talk;
    char number[TALK_NUMBER_BYTES];
    struct buf words;
    buf_init(&words, 16 * KIB);
    rule_words_write(&e->rule, &words);
    int64_t parent_id = e->rule.parent_id;
    bool adds = e->done == TEXT_RULE_ADDED;
    bool no_channel = adds && e->rule.channel[0] && !parent_id;
    if (err && err->kind != ERR_INPUT)
        talk_say_away(talk);
    else if (n == 0 && no_channel)
        talk_say(talk, TEXT_NO_CHANNEL, e->rule.channel, NULL);
    else if (n == 0 || err)
        talk_say(talk, TEXT_NO_RULE, talk_number(adds ? parent_id : e->id, number), NULL);
    else
        talk_say(talk, e->done, talk_number(adds ? n : e->id, number), buf_text(&words), NULL);
    buf_fini(&words);
    free(e);
    talk_end(talk);
}

static void add(struct talk *talk, const char *words)
{
    struct edit *e = mem_alloc(sizeof *e);
    char bad[RULE_WORD_BYTES];
    e->talk = talk;
    e->done = TEXT_RULE_ADDED;
    if (!rule_words_parse(words, talk->update.chat_id, &e->rule, bad)) {
        talk_say(talk, bad[0] ? TEXT_RULE_BAD : TEXT_RULE_EMPTY, bad, NULL);
        free(e);
        talk_end(talk);
        return;
    }
    store_rule_add(talk->bot->pg, &e->rule, on_edited, e);
}

static const struct {
    const char *word;
    enum text done;
} ACTIONS[] = {{"del", TEXT_RULE_DELETED}, {"on", TEXT_RULE_ON}, {"off", TEXT_RULE_OFF}};

static void change(struct talk *talk, enum text done, int64_t id)
{
    struct edit *e = mem_alloc(sizeof *e);
    *e = (struct edit){.talk = talk, .id = id, .done = done};
    e->rule = (struct rule){.match.severity_min = -1, .silent = -1, .cooldown_ms = -1};
    if (done == TEXT_RULE_DELETED)
        store_rule_remove(talk->bot->pg, id, on_edited, e);
    else
        store_rule_switch(talk->bot->pg, id, done == TEXT_RULE_ON, on_edited, e);
}

void bot_cmd_rules(struct talk *talk)
{
    const char *args = talk->args;
    int64_t id = 0;
    const char *rest = "";
    if (!*args) {
        store_rules_load(talk->bot->pg, on_rules, talk);
        return;
    }
    if (talk->role < ROLE_OWNER) {
        talk_say(talk, talk->update.from_id ? TEXT_ONLY_OWNERS : TEXT_ANONYMOUS, NULL);
        talk_end(talk);
        return;
    }
    if (strncasecmp(args, "add", 3) == 0 && (args[3] == ' ' || !args[3])) {
        add(talk, args + 3);
        return;
    }
    for (size_t i = 0; i < sizeof ACTIONS / sizeof *ACTIONS; i++) {
        size_t n = strlen(ACTIONS[i].word);
        if (strncasecmp(args, ACTIONS[i].word, n) == 0 && args[n] == ' ' &&
            command_parse_number(args + n + strspn(args + n, " "), &id, &rest) && !*rest) {
            change(talk, ACTIONS[i].done, id);
            return;
        }
    }
    talk_say_usage(talk);
    talk_end(talk);
}
