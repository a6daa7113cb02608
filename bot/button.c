/* button.c -- a press on a card.
 *
 *     card of (chat, message)? --group--> change --row--> answer the press, the card edits itself
 *
 * callback_data only says which button; which group it is about is what we know of that message. */
#include "bot/talk.h"

#include "core/limits.h"
#include "ingest/sentry_detail.h"
#include "store/details.h"
#include "store/outbox.h"

#include <stdio.h>
#include <string.h>

enum { DETAILS_BYTES_MAX = 8 * MIB };

static const struct {
    const char *name; /* of callback_data, before the colon */
    enum group_change change;
    enum text said;
} BUTTONS[] = {
    {"take", CHANGE_TAKE, TEXT_TAKEN},
    {"resolve", CHANGE_RESOLVE, TEXT_RESOLVED},
    {"reopen", CHANGE_REOPEN, TEXT_REOPENED},
};

static void answer(struct talk *talk, enum text said)
{
    talk->bot->chat->answer_press(talk->bot->chat, talk->update.press_id,
                                  bot_text(talk->language, said));
}

static void on_changed(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    enum text said = err ? TEXT_DATABASE_AWAY : TEXT_NOT_A_CARD;
    for (size_t i = 0; group && i < sizeof BUTTONS / sizeof *BUTTONS; i++)
        if (strncmp(talk->update.press_data, BUTTONS[i].name, strlen(BUTTONS[i].name)) == 0)
            said = BUTTONS[i].said;
    answer(talk, said);
    if (group)
        talk->bot->changed(talk->bot->ctx);
    talk_end(talk);
}

static void on_details(void *ctx, const struct details *details, const struct err *err)
{
    struct talk *talk = ctx;
    if (!details) {
        answer(talk, err ? TEXT_DATABASE_AWAY : TEXT_NO_EVENT);
        talk_end(talk);
        return;
    }
    answer(talk, TEXT_STACK_COMES);
    struct buf text;
    struct buf frames;
    char file_name[48];
    buf_init(&text, DETAILS_BYTES_MAX);
    buf_init(&frames, DETAILS_BYTES_MAX / 2);
    buf_add_str(&text, details->head);
    if (details->detail && sentry_detail_text(details->detail, details->detail_len, &frames) &&
        frames.len)
        buf_addf(&text, "\nSOURCE AND VARIABLES\n%s", frames.data);
    buf_add_str(&text, details->tail);
    snprintf(file_name, sizeof file_name, "error-%lld.txt", (long long)talk->group_id);
    struct chat_message message = {.chat_id = talk->update.chat_id,
                                   .thread_id = talk->update.thread_id,
                                   .reply_to = talk->update.message_id};
    talk->bot->chat->document(talk->bot->chat, &message, file_name, buf_text(&text), text.len, NULL,
                              NULL);
    buf_fini(&text);
    buf_fini(&frames);
    talk->bot->answered(talk->bot->ctx, talk->update.chat_id);
    talk_end(talk);
}

static bool button_is(const struct talk *talk, const char *name)
{
    size_t len = strlen(name);
    const char *data = talk->update.press_data;
    return data && strncmp(data, name, len) == 0 && data[len] == ':';
}

static void on_card(void *ctx, int64_t group_id, const struct err *err)
{
    struct talk *talk = ctx;
    if (err || !group_id) {
        answer(talk, err ? TEXT_DATABASE_AWAY : TEXT_NOT_A_CARD);
        talk_end(talk);
        return;
    }
    talk->group_id = group_id;
    if (button_is(talk, "stack")) {
        store_details_get(talk->bot->pg, group_id, on_details, talk);
        return;
    }
    for (size_t i = 0; i < sizeof BUTTONS / sizeof *BUTTONS; i++) {
        if (!button_is(talk, BUTTONS[i].name))
            continue;
        struct actor actor = {talk->update.from_name, talk->update.from_id, "chat"};
        store_group_change(talk->bot->pg, group_id, BUTTONS[i].change, NULL, 0, &actor, on_changed,
                           talk);
        return;
    }
    answer(talk, TEXT_NO_SUCH_BUTTON);
    talk_end(talk);
}

void talk_press(struct talk *talk)
{
    if (talk->role < ROLE_TRIAGE) {
        answer(talk, TEXT_NOT_A_CARD);
        talk_end(talk);
        return;
    }
    store_card_group(talk->bot->pg, talk->update.chat_id, talk->update.message_id, on_card, talk);
}
