/* cmd_settings.c -- /settings: language, time zone, look and reactions of a chat, by buttons.
 *
 * In private they are one's own; in the alert chat they are everybody's, so only owners change them. */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/zone.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void add_line(struct buf *html, enum language language, enum text which, const char *a,
                     const char *b)
{
    const char *values[] = {a, b};
    buf_add_char(html, '\n');
    bot_text_fill(language, which, values, 2, html);
}

static void render(const struct talk *talk, struct buf *html)
{
    static const char *const NAMES[] = {[LANG_EN] = "English", [LANG_RU] = "Русский"};
    enum language l = talk->look.language;
    char now[WORDS_MOMENT_BYTES];
    const struct talk_setting *s = &talk->setting;
    words_moment(&talk->look, talk->look.now_ms, now);
    buf_add_str(html,
                bot_text(l, talk->update.is_private ? TEXT_SETTINGS_OWN : TEXT_SETTINGS_CHAT));
    add_line(html, l, TEXT_SETTINGS_LANGUAGE,
             s->language[0] ? NAMES[language_of_code(s->language)]
                            : bot_text(l, TEXT_SETTINGS_AUTO),
             NULL);
    add_line(html, l, TEXT_SETTINGS_ZONE, s->zone[0] ? s->zone : bot_text(l, TEXT_SETTINGS_AUTO),
             now);
    add_line(html, l, TEXT_SETTINGS_LOOK,
             bot_text(l, s->is_quiet ? TEXT_SETTINGS_QUIET : TEXT_SETTINGS_FULL), NULL);
    add_line(html, l, TEXT_SETTINGS_REACTIONS,
             bot_text(l, s->reactions ? TEXT_SETTINGS_ON : TEXT_SETTINGS_OFF), NULL);
    add_line(html, l, TEXT_SETTINGS_CHARTS,
             bot_text(l, s->dark_charts ? TEXT_SETTINGS_DARK : TEXT_SETTINGS_LIGHT), NULL);
    buf_add_char(html, '\n');
    add_line(html, l, TEXT_SETTINGS_HOW, NULL, NULL);
}

static void add_buttons(const struct talk *talk, struct chat_keyboard *keyboard)
{
    enum language l = talk->look.language;
    const struct talk_setting *s = &talk->setting;
    keyboard->count = 0;
    chat_add_button(keyboard, "English", "set:en", false);
    chat_add_button(keyboard, "Русский", "set:ru", true);
    chat_add_button(keyboard, bot_text(l, TEXT_BUTTON_AUTO), "set:auto", true);
    if (s->is_quiet)
        chat_add_button(keyboard, bot_text(l, TEXT_BUTTON_FULL), "set:full", false);
    else
        chat_add_button(keyboard, bot_text(l, TEXT_BUTTON_QUIET), "set:quiet", false);
    if (s->reactions)
        chat_add_button(keyboard, bot_text(l, TEXT_BUTTON_REACTIONS_OFF), "set:reactions_off",
                        true);
    else
        chat_add_button(keyboard, bot_text(l, TEXT_BUTTON_REACTIONS_ON), "set:reactions_on", true);
    if (s->dark_charts)
        chat_add_button(keyboard, bot_text(l, TEXT_BUTTON_LIGHT), "set:light", true);
    else
        chat_add_button(keyboard, bot_text(l, TEXT_BUTTON_DARK), "set:dark", true);
}

static void show(struct talk *talk)
{
    struct buf html;
    struct chat_keyboard keyboard;
    struct our_message as = {.kind = MESSAGE_SETTINGS};
    buf_init(&html, TG_TEXT_BYTES_MAX);
    render(talk, &html);
    add_buttons(talk, &keyboard);
    if (talk->update.kind == UPDATE_PRESS)
        talk_edit(talk, buf_text(&html), &keyboard);
    else
        talk_post(talk, buf_text(&html), &keyboard, &as);
    buf_fini(&html);
}

/* What applies without a choice, again: the language may have been chosen away. */
static void apply(struct talk *talk)
{
    const struct talk_setting *s = &talk->setting;
    talk->look.language = s->language[0] ? language_of_code(s->language)
                                         : talk_chat_language(talk->bot->language, &talk->update);
    snprintf(talk->look.zone, sizeof talk->look.zone, "%s", s->zone);
}

static void on_saved(void *ctx, const struct chat_setting *setting, const struct err *err)
{
    struct talk *talk = ctx;
    (void)setting;
    if (err) {
        if (talk->update.kind == UPDATE_PRESS)
            talk_answer(talk, TEXT_DATABASE_AWAY);
        else
            talk_say_away(talk);
    } else {
        apply(talk);
        show(talk);
        talk_answer(talk, TEXT_SETTINGS_SAVED);
    }
    talk_end(talk);
}

static void save(struct talk *talk)
{
    const struct talk_setting *s = &talk->setting;
    struct chat_setting setting = {
        .language = s->language[0] ? s->language : NULL,
        .time_zone = s->zone[0] ? s->zone : NULL,
        .is_quiet = s->is_quiet,
        .reactions = s->reactions,
        .dark_charts = s->dark_charts,
    };
    store_chat_setting_put(talk->bot->pg, talk->update.chat_id, &setting, on_saved, talk);
}

static bool may_change(const struct talk *talk)
{
    return talk->update.is_private || talk->role == ROLE_OWNER;
}

static void set_zone(struct talk *talk, const char *name)
{
    name += strspn(name, " \t");
    if (strcasecmp(name, "auto") == 0)
        name = "";
    if (*name && !zone_is_known(name)) {
        talk_say(talk, TEXT_SETTINGS_BAD_ZONE, name, NULL);
        talk_end(talk);
        return;
    }
    snprintf(talk->setting.zone, sizeof talk->setting.zone, "%s", name);
    save(talk);
}

void bot_cmd_settings(struct talk *talk)
{
    bool zone = strncasecmp(talk->args, "zone ", 5) == 0;
    if (!talk->args[0]) {
        show(talk);
        talk_end(talk);
    } else if (!zone) {
        talk_say_usage(talk);
        talk_end(talk);
    } else if (!may_change(talk)) {
        talk_say(talk, talk->update.from_id ? TEXT_ONLY_OWNERS : TEXT_ANONYMOUS, NULL);
        talk_end(talk);
    } else {
        set_zone(talk, talk->args + 5);
    }
}

void bot_press_setting(struct talk *talk, const char *arg)
{
    struct talk_setting *s = &talk->setting;
    if (!may_change(talk)) {
        talk_answer(talk, TEXT_ONLY_OWNERS);
        talk_end(talk);
        return;
    }
    if (strcmp(arg, "en") == 0 || strcmp(arg, "ru") == 0)
        snprintf(s->language, sizeof s->language, "%s", arg);
    else if (strcmp(arg, "auto") == 0)
        s->language[0] = '\0';
    else if (strcmp(arg, "quiet") == 0 || strcmp(arg, "full") == 0)
        s->is_quiet = arg[0] == 'q';
    else if (strcmp(arg, "reactions_on") == 0 || strcmp(arg, "reactions_off") == 0)
        s->reactions = strcmp(arg, "reactions_on") == 0;
    else if (strcmp(arg, "dark") == 0 || strcmp(arg, "light") == 0)
        s->dark_charts = arg[0] == 'd';
    else {
        talk_answer(talk, TEXT_NO_SUCH_BUTTON);
        talk_end(talk);
        return;
    }
    save(talk);
}
