/* channel.h -- channels other than the chat: what each kind is sent, and how its answer is read. Pure.
 *
 * A kind is a row of the table in channel_kinds.c; adding one touches that file. Text from events is
 * escaped as each kind needs it, and cut to its limits. */
#ifndef NABAT_ALERTS_CHANNEL_H
#define NABAT_ALERTS_CHANNEL_H

#include "alerts/card.h"
#include "alerts/digest.h"
#include "net/telegram.h"
#include "store/channel.h"

enum channel_what { CHANNEL_RING, CHANNEL_DIGEST, CHANNEL_NOTE, CHANNEL_STATUS, CHANNEL_TEST };

/* What is to be told; all BORROWED. */
struct channel_alert {
    enum channel_what what;
    int64_t delivery_id; /* the same when it goes again */
    const char *reason;
    const struct card *card;             /* RING, STATUS: with its group */
    const struct digest_message *digest; /* DIGEST */
    const char *note_html;               /* NOTE */
    const struct look *look;
    bool is_fallback; /* the chat can't be reached */
    int64_t now_ms;
};

enum { CHANNEL_HEADERS_MAX = 8, CHANNEL_HEADER_BYTES = 700 };
struct channel_request {
    bool is_mail; /* else an HTTP POST */
    char url[1100];
    char headers[CHANNEL_HEADERS_MAX][CHANNEL_HEADER_BYTES];
    size_t headers_count;
    struct buf body;
    const char *broken; /* what is wrong with the channel's row; NULL: nothing */
};

struct channel_kind {
    const char *name;
    bool follows_status; /* is told of taken and resolved, too */
    /* False: there is nothing to tell this kind, or its row is `broken`. `request->body` is empty and bounded. */
    bool (*build)(const struct channel *channel, const struct channel_alert *alert,
                  struct channel_request *request);
};
extern const struct channel_kind CHANNEL_KINDS[];
extern const size_t CHANNEL_KINDS_COUNT;
/* NULL: no such kind. */
const struct channel_kind *channel_kind_of(const char *name);

/* channel_text.c: what all kinds say. */
void channel_title(const struct channel_alert *alert, struct buf *out); /* one line, plain */
void channel_html(const struct channel_alert *alert, struct buf *out);  /* as in the chat */
void channel_plain(const struct channel_alert *alert, struct buf *out);
enum severity channel_severity(const struct channel_alert *alert);

/* channel_mail.c: a whole message (RFC 5322), plain and HTML (RFC 2046 multipart/alternative). */
bool channel_mail(const struct channel *channel, const struct channel_alert *alert,
                  struct channel_request *request);

/* What an answer means for the delivery. `text` names no secret. */
enum tg_outcome channel_judge(bool is_mail, const struct http_answer *answer, char *text,
                              size_t size);

#endif
