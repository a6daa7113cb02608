/* digest.h -- many errors as one message, and their whole list as a file: pure rendering. */
#ifndef NABAT_ALERTS_DIGEST_H
#define NABAT_ALERTS_DIGEST_H

#include "alerts/chat.h"
#include "alerts/words.h"
#include "core/buf.h"
#include "store/digest.h"

struct digest_message {
    const struct digest *digest;
    const struct group *groups; /* a page of it, or all */
    size_t count;
    const struct look *look;
    bool is_over; /* a storm: nothing is added any more */
};

/* `html` within TG_TEXT_UNITS_MAX visible units. */
void digest_render(const struct digest_message *message, struct buf *html,
                   struct chat_keyboard *keyboard);
/* The file: plain text, a line or two an error. `caption` is HTML. */
void digest_list(const struct digest_message *message, struct buf *text, struct buf *caption);

/* Buttons that open each of the errors, five a row, and under them those that turn pages. */
void digest_number_buttons(const struct group *groups, size_t count,
                           struct chat_keyboard *keyboard);
void digest_page_buttons(int64_t page, int64_t pages, struct chat_keyboard *keyboard);

#endif
