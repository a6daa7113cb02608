/* button.c -- a press.
 *
 *     what is (chat, message) to us? --card--> the button's change --row--> word on the press
 *              |                     --list, settings, offer--> their own handlers
 *              \--nothing: again in a moment; a card whose sending was uncertain is adopted
 *
 * callback_data only says which button; which group it is about is what we know of that message. */
#include "bot/command.h"
#include "bot/press.h"

#include "core/limits.h"
#include "core/mem.h"
#include "core/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKS_MAX = 2, HOUR = 3600, DAY = 86400, HUNDRED = 100, ADMINS_SHOWN_MAX = 9 };
static const double LOOK_AGAIN_SECONDS = 0.25;

typedef void press_fn(struct talk *talk, const char *arg);

static press_fn press_stack, press_mute, press_assign, press_assign_to, press_note, press_back;

/* Either a change of the group, or a handler. */
static const struct button {
    const char *name; /* of callback_data, before the colon */
    enum chat_message_kind on;
    enum role role;
    press_fn *handler;
    struct group_change change;
    enum text said;
    bool from_menu; /* it took the place of the card's own buttons */
} BUTTONS[] = {
    {"take", MESSAGE_CARD, ROLE_TRIAGE, NULL, {CHANGE_TAKE, NULL, 0}, TEXT_TAKEN, false},
    {"resolve", MESSAGE_CARD, ROLE_TRIAGE, NULL, {CHANGE_RESOLVE, NULL, 0}, TEXT_RESOLVED, false},
    {"reopen", MESSAGE_CARD, ROLE_TRIAGE, NULL, {CHANGE_REOPEN, NULL, 0}, TEXT_REOPENED, false},
    {"mute_1h", MESSAGE_CARD, ROLE_TRIAGE, NULL, {CHANGE_MUTE, NULL, HOUR}, TEXT_MUTED, true},
    {"mute_1d", MESSAGE_CARD, ROLE_TRIAGE, NULL, {CHANGE_MUTE, NULL, DAY}, TEXT_MUTED, true},
    {"mute_100x",
     MESSAGE_CARD,
     ROLE_TRIAGE,
     NULL,
     {CHANGE_MUTE_COUNT, NULL, HUNDRED},
     TEXT_MUTED,
     true},
    {"unmute", MESSAGE_CARD, ROLE_TRIAGE, NULL, {CHANGE_UNMUTE, NULL, 0}, TEXT_UNMUTED, false},
    {"undo", MESSAGE_CARD, ROLE_TRIAGE, NULL, {CHANGE_UNDO, NULL, 0}, TEXT_UNDONE, false},
    {"mute", MESSAGE_CARD, ROLE_TRIAGE, press_mute, {0}, TEXT_MUTED, false},
    {"assign", MESSAGE_CARD, ROLE_TRIAGE, press_assign, {0}, TEXT_WHOM, false},
    {"to", MESSAGE_CARD, ROLE_TRIAGE, press_assign_to, {0}, TEXT_ASSIGNED, true},
    {"note", MESSAGE_CARD, ROLE_TRIAGE, press_note, {0}, TEXT_NOTED, false},
    {"back", MESSAGE_CARD, ROLE_VIEWER, press_back, {0}, TEXT_NOTED, false},
    {"stack", MESSAGE_CARD, ROLE_VIEWER, press_stack, {0}, TEXT_STACK_COMES, false},
    {"page", MESSAGE_LIST, ROLE_VIEWER, bot_press_page, {0}, TEXT_PAGE_GONE, false},
    {"open", MESSAGE_LIST, ROLE_VIEWER, bot_press_open, {0}, TEXT_PAGE_GONE, false},
    {"page", MESSAGE_DIGEST, ROLE_VIEWER, bot_press_digest_page, {0}, TEXT_PAGE_GONE, false},
    {"open", MESSAGE_DIGEST, ROLE_VIEWER, bot_press_open, {0}, TEXT_PAGE_GONE, false},
    {"page", MESSAGE_EVENTS, ROLE_VIEWER, bot_press_events_page, {0}, TEXT_PAGE_GONE, false},
    {"set", MESSAGE_SETTINGS, ROLE_VIEWER, bot_press_setting, {0}, TEXT_SETTINGS_SAVED, false},
    {"follow", MESSAGE_REPORT, ROLE_VIEWER, bot_press_follow, {0}, TEXT_FOLLOWED, false},
    {"setup", MESSAGE_SETUP, ROLE_NONE, bot_press_setup, {0}, TEXT_SETUP_DONE, false},
};

static void look(struct talk *talk);

static void end_with(struct talk *talk, enum text said)
{
    talk_answer(talk, said);
    talk_end(talk);
}

static const struct button *find_button(const struct talk *talk, struct press *press)
{
    *press = press_parse(talk->update.press_data);
    for (size_t i = 0; i < sizeof BUTTONS / sizeof *BUTTONS; i++)
        if (BUTTONS[i].on == talk->on && press_is(press, BUTTONS[i].name))
            return &BUTTONS[i];
    return NULL;
}

/* A menu gives way to the card's own buttons at once, whether or not the card changes. */
static void restore_buttons(struct talk *talk, const struct group *group)
{
    struct chat_keyboard keyboard;
    struct card card = {.group = group, .look = &talk->look, .links = talk->bot->links};
    card_buttons(&card, &keyboard);
    talk_edit_keyboard(talk, &keyboard);
}

static void on_had(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    const char *who = NULL;
    if (err || !group)
        talk_answer(talk, TEXT_DATABASE_AWAY);
    else {
        enum text had = talk_who_has(group, &who);
        talk_answer_with(talk, had, who);
    }
    talk_end(talk);
}

static void on_changed(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    struct press press;
    const struct button *button = find_button(talk, &press);
    bool impossible = err && err->kind == ERR_INPUT;
    if (impossible && button->change.kind == CHANGE_TAKE && !button->handler) {
        store_group_get(talk->bot->pg, talk->group_id, on_had, talk);
        return;
    }
    if (group)
        talk->bot->events.changed(talk->bot->events.ctx);
    if (group && button->from_menu)
        restore_buttons(talk, group);
    bool to_nobody =
        group && button->handler == press_assign_to && !(group->assigned_to && *group->assigned_to);
    end_with(talk, impossible  ? TEXT_NOTHING_TO_UNDO
                   : err       ? TEXT_DATABASE_AWAY
                   : to_nobody ? TEXT_UNASSIGNED
                   : group     ? button->said
                               : TEXT_NOT_A_CARD);
}

static void change(struct talk *talk, const struct group_change *what)
{
    struct actor actor = talk_actor(talk);
    store_group_change(talk->bot->pg, talk->group_id, what, &actor, on_changed, talk);
}

static void act(struct talk *talk, const struct button *button, const char *arg)
{
    if (button->handler)
        button->handler(talk, arg);
    else
        change(talk, &button->change);
}

/* A card that was drawn before its group was merged still names the old number. */
static void on_named(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    struct press press;
    const struct button *button = find_button(talk, &press);
    if (group && group->id == talk->group_id)
        act(talk, button, press.arg);
    else
        end_with(talk, err ? TEXT_DATABASE_AWAY : TEXT_OTHER_ERROR);
}

/* A press whose data names another group than the card is of does nothing: copied, or forged. */
static void run_button(struct talk *talk)
{
    struct press press;
    const struct button *button = find_button(talk, &press);
    bool wants_person = button && button->handler == press_assign_to;
    int64_t named = press.has_person == wants_person ? press.group_id : 0;
    if (!button)
        end_with(talk, TEXT_NO_SUCH_BUTTON);
    else if (talk->role < button->role)
        end_with(talk, TEXT_ONLY_TRIAGE);
    else if (talk->on == MESSAGE_CARD && named != talk->group_id)
        store_group_get(talk->bot->pg, named, on_named, talk);
    else
        act(talk, button, press.arg);
}

/* ---------------------------------------------------------------------------- whose message is it */

static void on_adopted(void *ctx, bool adopted, const struct err *err)
{
    struct talk *talk = ctx;
    if (err || !adopted) {
        end_with(talk, err ? TEXT_DATABASE_AWAY : TEXT_NOT_A_CARD);
        return;
    }
    log_info("a message thought lost is a card again", LOG_I("group", talk->group_id), LOG_END);
    talk->on = MESSAGE_CARD;
    run_button(talk);
}

/* Not written down as ours. What is under the button says which group it would be: Telegram tells us
 * that text, whoever presses can't. */
static void adopt(struct talk *talk)
{
    talk->group_id = talk->update.press_is_ours && talk->update.press_text
                         ? card_group_of_text(talk->update.press_text)
                         : 0;
    if (!talk->group_id || talk->role < ROLE_TRIAGE) {
        end_with(talk, TEXT_NOT_A_CARD);
        return;
    }
    store_card_adopt(talk->bot->pg, talk->update.chat_id, talk->update.message_id, talk->group_id,
                     on_adopted, talk);
}

static void on_message(void *ctx, const struct our_message *message, const struct err *err)
{
    struct talk *talk = ctx;
    if (err) {
        end_with(talk, TEXT_DATABASE_AWAY);
    } else if (message->kind != MESSAGE_NONE) {
        talk->on = message->kind;
        talk->group_id = message->group_id;
        free(talk->on_args);
        talk->on_args = mem_str_dup(message->args);
        run_button(talk);
    } else if (talk->tries < LOOKS_MAX) {
        ev_timer_set(&talk->again, LOOK_AGAIN_SECONDS, 0);
        ev_timer_start(talk->bot->loop, &talk->again);
    } else {
        adopt(talk);
    }
}

static void look(struct talk *talk)
{
    talk->tries++;
    store_message_get(talk->bot->pg, talk->update.chat_id, talk->update.message_id, on_message,
                      talk);
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    look(timer->data);
}

void talk_press(struct talk *talk)
{
    ev_set_cb(&talk->again, on_again);
    look(talk);
}

/* ------------------------------------------------------------------------------- keyboards of cards */

static void press_mute(struct talk *talk, const char *arg)
{
    struct chat_keyboard keyboard;
    (void)arg;
    card_mute_buttons(talk->group_id, talk->look.language, &keyboard);
    talk_edit_keyboard(talk, &keyboard);
    talk_answer_quietly(talk);
    talk_end(talk);
}

static void on_back(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    if (!group) {
        end_with(talk, err ? TEXT_DATABASE_AWAY : TEXT_NOT_A_CARD);
        return;
    }
    restore_buttons(talk, group);
    talk_answer_quietly(talk);
    talk_end(talk);
}

static void press_back(struct talk *talk, const char *arg)
{
    (void)arg;
    store_group_get(talk->bot->pg, talk->group_id, on_back, talk);
}

static struct roles_person self_of(const struct talk *talk)
{
    const char *name = talk->update.from_name;
    struct roles_person self = {.user_id = talk->update.from_id};
    snprintf(self.name, sizeof self.name, "%.*s",
             (int)utf8_cut(name, strlen(name), sizeof self.name - 1), name);
    return self;
}

/* Whom it can be given to: the chat's administrators, whoever was let in, and yourself. */
static void on_people(void *ctx, const struct roles_person *people, size_t count)
{
    struct talk *talk = ctx;
    struct chat_keyboard keyboard = {.count = 0};
    char data[CHAT_BUTTON_DATA_BYTES + 1];
    for (size_t i = 0; i < count && i < ADMINS_SHOWN_MAX; i++) {
        snprintf(data, sizeof data, "to:%lld:%lld", (long long)talk->group_id,
                 (long long)people[i].user_id);
        chat_add_button(&keyboard, people[i].name, data, i % 3 == 2);
    }
    if (keyboard.count > 0)
        keyboard.buttons[keyboard.count - 1].ends_row = true;
    snprintf(data, sizeof data, "to:%lld:0", (long long)talk->group_id);
    chat_add_button(&keyboard, word(talk->look.language, WORD_BUTTON_NOBODY), data, false);
    snprintf(data, sizeof data, "back:%lld", (long long)talk->group_id);
    chat_add_button(&keyboard, word(talk->look.language, WORD_BUTTON_BACK), data, true);
    talk_edit_keyboard(talk, &keyboard);
    end_with(talk, TEXT_WHOM);
}

static void press_assign(struct talk *talk, const char *arg)
{
    (void)arg;
    struct roles_person self = self_of(talk);
    roles_list(talk->bot->roles, &self, on_people, talk);
}

/* The id in the data is a claim: it counts only for somebody whom the list would have offered. */
static void on_people_to(void *ctx, const struct roles_person *people, size_t count)
{
    struct talk *talk = ctx;
    int64_t id = press_parse(talk->update.press_data).person_id;
    struct group_change what = {.kind = CHANGE_ASSIGN};
    bool known = id == 0;
    for (size_t i = 0; i < count && !known; i++)
        if (people[i].user_id == id) {
            what.text = people[i].name;
            what.number = id;
            known = true;
        }
    if (known)
        change(talk, &what);
    else
        end_with(talk, TEXT_NO_SUCH_BUTTON);
}

static void press_assign_to(struct talk *talk, const char *arg)
{
    (void)arg;
    struct roles_person self = self_of(talk);
    roles_list(talk->bot->roles, &self, on_people_to, talk);
}

static void press_note(struct talk *talk, const char *arg)
{
    char number[TALK_NUMBER_BYTES];
    struct buf html;
    struct our_message as = {.kind = MESSAGE_NOTE, .group_id = talk->group_id};
    char person[TALK_NUMBER_BYTES];
    const char *values[] = {talk_number(talk->group_id, number), talk->update.from_name,
                            talk_number(talk->update.from_id, person)};
    (void)arg;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    bot_text_fill(talk->look.language, TEXT_WRITE_NOTE, values, 3, &html);
    talk_ask(talk, buf_text(&html), &as);
    buf_fini(&html);
    talk_answer_quietly(talk);
    talk_end(talk);
}

static void press_stack(struct talk *talk, const char *arg)
{
    (void)arg;
    talk_send_stack(talk);
}
