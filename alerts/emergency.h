/* emergency.h -- rings while the database is away, on the instance that took the event.
 *
 *     spooled event --causes: rings?--> waiting --grace, pace--> card or list --sent--> rang, on disk
 *
 * The same engine, rules and cooldowns as ever, from memory; replay adopts what went out, so that no error
 * rings twice. What is not sent when the database is back rings in the ordinary way. */
#ifndef NABAT_ALERTS_EMERGENCY_H
#define NABAT_ALERTS_EMERGENCY_H

#include "alerts/card.h"
#include "alerts/channel_send.h"
#include "alerts/rules.h"
#include "store/known.h"
#include "store/project.h"

struct emergency;

struct emergency_config {
    struct route_root root; /* its chat is the settings': what became of it is known */
    enum language language;
    struct card_links links;
};
/* Everything is BORROWED. `is_away` says whether events go to the spool, `replayed_ms` (Unix milliseconds)
 * until when what was received is in the database again. */
struct emergency_parts {
    struct ev_loop *loop;
    struct spool *spool;
    struct known *known;
    struct projects *projects;
    struct chat *chat;
    struct pacer *pacer;
    bool (*is_away)(void *ctx);
    int64_t (*replayed_ms)(void *ctx);
    void *ctx;
};
struct emergency *emergency_new(const struct emergency_parts *parts,
                                const struct emergency_config *config);
void emergency_free(struct emergency *emergency);
/* They are known once the database was there. BORROWED. */
void emergency_set_channels(struct emergency *emergency, struct channels *channels);

/* Events that are on disk now. */
void emergency_note(struct emergency *emergency, const struct event *events, size_t count);
/* Nothing is on its way to a chat, or it is for so long that nobody waits for it. */
bool emergency_is_settled(struct emergency *emergency);

#endif
