/* digest.c -- somebody turns the pages of a digest.
 *
 *     press --which digest is it?--> that page of it --> the same message, edited */
#include "bot/command.h"

#include "alerts/digest.h"
#include "core/limits.h"

#include <stdlib.h>

static void on_page(void *ctx, const struct digest *digest, const struct group *groups,
                    size_t count, const struct err *err)
{
    struct talk *talk = ctx;
    if (!digest || count == 0) {
        talk_answer(talk, err ? TEXT_DATABASE_AWAY : TEXT_PAGE_GONE);
        talk_end(talk);
        return;
    }
    struct digest_message message = {.digest = digest,
                                     .groups = groups,
                                     .count = count,
                                     .look = &talk->look,
                                     .is_over = digest->closed_ms > 0};
    struct buf html;
    struct chat_keyboard keyboard;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    digest_render(&message, &html, &keyboard);
    talk_edit(talk, buf_text(&html), &keyboard);
    buf_fini(&html);
    store_digest_turn(talk->bot->pg, digest->id, digest->page);
    talk_answer_quietly(talk);
    talk_end(talk);
}

void bot_press_digest_page(struct talk *talk, const char *arg)
{
    int64_t page = 0;
    if (!command_parse_page(arg, &page)) {
        talk_answer(talk, TEXT_NO_SUCH_BUTTON);
        talk_end(talk);
        return;
    }
    store_digest_get(talk->bot->pg, strtoll(talk->on_args, NULL, 10), page, DIGEST_ROWS, on_page,
                     talk);
}
