/* card.h -- a group as a message in a chat: pure rendering, cut to what Telegram takes. */
#ifndef NABAT_ALERTS_CARD_H
#define NABAT_ALERTS_CARD_H

#include "alerts/chat.h"
#include "alerts/words.h"
#include "core/buf.h"
#include "store/group.h"

struct card_links {              /* URL templates; NULL: no button */
    const char *open_url;        /* {group} */
    const char *gen_request_url; /* {gen_request_id} */
    const char *user_url;        /* {user_id} */
};

struct card {
    const struct group *group;
    const struct look *look;
    int64_t held; /* said to have been held back; 0: says nothing */
    bool regression;
    bool possible_repeat;
    bool retired;      /* a newer card took over: no buttons, points on */
    bool is_emergency; /* the database is away: no buttons, maybe no number; says so */
    struct card_links links;
};

/* `html` at most TG_TEXT_UNITS_MAX visible units; the keyboard is empty for a retired card. */
void card_render(const struct card *card, struct buf *html, struct chat_keyboard *keyboard);
/* The keyboard of card_render alone. */
void card_buttons(const struct card *card, struct chat_keyboard *keyboard);
/* What the Mute button opens. */
void card_mute_buttons(int64_t group_id, enum language language, struct chat_keyboard *keyboard);

/* One line of /errors: severity, number, title, count. */
void card_render_line(const struct group *group, const struct look *look, struct buf *html);
/* "Taken by Ann, 12:00" and the like. */
void card_render_state(const struct group *group, const struct look *look, struct buf *html);
const char *card_severity_mark(enum severity severity);

/* The number of the group that a card's text names ("... · #12"), 0 when it is no card of ours. */
int64_t card_group_of_text(const char *text);

/* Replaces {name} in a template by a percent-encoded value; false when it does not fit. */
bool card_fill_url(const char *url, const char *name, const char *value, char *out, size_t size);

#endif
