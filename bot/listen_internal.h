/* listen_internal.h -- what the files of listening share; nobody else includes it. */
#ifndef NABAT_BOT_LISTEN_INTERNAL_H
#define NABAT_BOT_LISTEN_INTERNAL_H

#include "bot/listen.h"
#include "bot/webhook_info.h"

enum listen_step {
    STEP_SECRET,
    STEP_WHO,
    STEP_OURS,
    STEP_HOOK,
    STEP_SET,
    STEP_DELETE,
    STEP_ASK,
    STEP_WATCH
};
enum {
    CONFLICT_MS_MAX = 60 * 1000,
    SEND_ONLY_SECONDS = 300,
    RETRY_SECONDS = 3,
    BACKOFF_SECONDS_MAX = 30,
    WATCH_SECONDS = 30,
    FIRST_POLL_SECONDS = 1,
    WEBHOOK_CONNECTIONS = 10
};
struct listen {
    struct ev_loop *loop;
    struct pg *pg;
    struct telegram *telegram;
    struct lease *lease;
    struct bot *bot;
    struct intake *intake;
    struct webhook *webhook;
    struct listen_config config;
    char url[600];       /* of our webhook; "" when none is wanted */
    char our_urls[1300]; /* those that we set, as the database remembers them: a line each */
    enum listen_state state;
    enum listen_step step;
    bool busy; /* a call is under way */
    bool stopped;
    bool was_holder; /* when the database was last there */
    bool gave_way;   /* a 409 while the database is away: another instance serves */
    bool menu_is_set;
    int64_t menu_chat_id;
    ev_timer timer;
    int64_t offset;
    int64_t next_offset;       /* becomes `offset` once the updates are in the database */
    int64_t last_news_ms;      /* an update came */
    int64_t conflict_since_ms; /* 0: none */
    int failures;
    struct webhook_memory memory;
    char trouble[ERR_TEXT_BYTES_MAX];
};

/* listen.c */
void listen_next(struct listen *l);
void listen_wake_in(struct listen *l, double seconds);
void listen_set_state(struct listen *l, enum listen_state state, const char *trouble);
/* True: the answer is good; else the same step is tried again later. */
bool listen_is_good(struct listen *l, const struct tg_answer *answer);

/* listen_poll.c */
void listen_ask_updates(struct listen *l);
json_t *listen_allowed_updates(void);

/* listen_hook.c: answers to getWebhookInfo (before and while it is used) and deleteWebhook; setWebhook with
 * its URL written down first. */
void listen_on_hook(void *ctx, const struct tg_answer *answer);
void listen_on_watched(void *ctx, const struct tg_answer *answer);
void listen_on_deleted(void *ctx, const struct tg_answer *answer);
void listen_set_hook(struct listen *l);

#endif
