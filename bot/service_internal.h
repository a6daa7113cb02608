/* service_internal.h -- what the files of the service share; nobody else includes it. */
#ifndef NABAT_BOT_SERVICE_INTERNAL_H
#define NABAT_BOT_SERVICE_INTERNAL_H

#include "bot/service.h"

#include "alerts/decider.h"
#include "alerts/delivery.h"
#include "alerts/emergency.h"
#include "api/beats.h"
#include "api/deploys.h"
#include "api/github.h"
#include "api/health.h"
#include "api/inbox_drain.h"
#include "api/ingest_routes.h"
#include "api/reports.h"
#include "api/sentry_routes.h"
#include "api/session_seen.h"
#include "api/stats_routes.h"
#include "bot/alarm.h"
#include "bot/console.h"
#include "bot/dispatch.h"
#include "bot/listen.h"
#include "bot/report.h"
#include "bot/reports.h"
#include "bot/self_alarm.h"
#include "checks/checks.h"
#include "core/mem.h"
#include "forward/forward.h"
#include "ingest/forward.h"
#include "issues/issues.h"
#include "monitors/monitors.h"
#include "store/hours.h"
#include "watch/watch.h"

enum { HEALTH_PARTS = 9, OUTBOX_SECONDS_MAX = 120, ROUTES = 15, RATE_BUCKETS = 4096 };
enum { LOSSES = 4 };
enum { SDK_LOSS_SHOWN_MS = 3600 * 1000 };

/* getMe, asked while nothing else is answered. */
struct probe {
    bool asking;
    int64_t asked_ms;
};

struct service {
    struct ev_loop *loop;
    const struct settings *settings;
    struct service_options options;
    void (*failed)(void *ctx, const struct err *err);
    void *ctx;
    struct helper *helper;
    struct http_client *http;
    struct telegram *telegram; /* NULL: console */
    struct console *console;
    struct chat *chat;
    struct http_server *server;
    struct http_route routes[ROUTES];
    struct health_part parts[HEALTH_PARTS];
    struct health health;
    struct stats_api stats_api;
    struct checks *checks;
    struct reports *reports;
    struct issues *issues;     /* NULL: no tracker is set */
    struct reporter *reporter; /* NULL: REPORT_AT is not set */
    struct github_api github_api;
    struct scrub *scrub;
    struct ingest ingest;
    int64_t sdk_errors_lost; /* when /health last looked, and since when it shows them */
    int64_t sdk_errors_lost_ms;
    ev_timer migrate_again;
    ev_timer upkeep;
    ev_timer chat_again; /* looks up once more which chat it is */
    struct migrating *migrating;
    char trouble[ERR_TEXT_BYTES_MAX]; /* why the database is not there yet */
    /* what works without it */
    struct spool *spool; /* NULL: none */
    struct mirror *mirror;
    struct known *known;
    struct projects *projects;
    struct emergency *emergency; /* NULL without a spool */
    /* once migrated */
    struct pg *pg_write;
    struct pg *pg_decide;
    struct pg *pg_work; /* lease, outbox, updates: short statements alone */
    struct pg *pg_chat; /* what people ask for: a search may take its time */
    struct lease *lease;
    struct decider *decider;
    struct delivery *delivery;
    struct pacer pacer;
    struct channels *channels;
    struct probe probe;
    struct inbox_drain *drain;
    struct hours *hours;
    struct gauges {
        ev_prepare turn;
        ev_timer ask;
        int64_t asked;
        bool busy;
        bool is_full;         /* the store: events are only counted */
        int64_t lost[LOSSES]; /* as they were when they were last written down */
    } gauges;
    struct monitors *monitors;
    struct forward *forward; /* NULL: no SENTRY_DSN */
    struct watch *watch;
    struct roles *roles;
    struct intake *intake;
    struct dispatch *dispatch;
    struct listen *listen;
    struct webhook webhook;
    struct alarm_bell alarm;
    struct self_alarm self;
    ev_timer self_timer;
    bool was_holder;      /* of the lease, when the database was last there */
    char *data_directory; /* of the database, where it may be known; NULL */
    struct bot bot;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
    int stopping; /* parts that have not stopped yet */
};

/* service_chat.c: which chat alerts go to; each takes the service as `ctx`. */
void service_chat_moved(void *ctx, int64_t chat_id);               /* an answer to a send said so */
void service_chat_said_moved(void *ctx, int64_t from, int64_t to); /* a message in it said so */
void service_chat_refused(void *ctx, const char *trouble);
void service_chat_back(void *ctx, int64_t chat_id);
void service_chat_chosen(void *ctx, int64_t chat_id);
void service_chat_may_show(void *ctx, int64_t chat_id, void (*done)(void *ctx, bool may),
                           void *done_ctx);
/* service_self.c: what is wrong with Nabat itself. */
void service_self_start(struct service *service); /* before the database is there */
void service_self_know(struct service *service);  /* once it is */
void service_self_stop(struct service *service);
/* service.c: the schema is there for the first time. */
void service_on_migrated(struct service *service);
/* service_migrate.c */
void service_migrate(struct service *service);
void service_migrate_again(void *ctx); /* the schema is not as we left it; the service as `ctx` */
void service_migrate_stop(struct service *service);
/* service_spool.c: what works without the database. */
void service_spool_start(struct service *service, const struct route_root *root,
                         enum language language);
void service_spool_open(struct service *service);  /* once it was reached */
void service_spool_close(struct service *service); /* whoever waits for it is told */
void service_spool_free(struct service *service);
enum health_grade service_spool_health(void *ctx, char *detail, size_t size);
/* service_gauges.c: what only /metrics shows. */
void service_gauges_start(struct service *service);
void service_gauges_stop(struct service *service);
/* service_probe.c: whether the Bot API answers at all. */
int64_t service_silent_ms(void *ctx);
/* Where the rules that hold now send alerts to. */
/* Of the console by LANG, of cards without a chat of their own by BOT_LANGUAGE. */
enum language service_language(const struct service *service);
void service_set_places(struct service *service, const struct rules *rules);
/* What was chosen or moved before this instance began to listen. */
void service_chat_look_up(struct service *service);

/* service_health.c: the route table, and how each part is. */
void service_set_routes(struct service *s);

#endif
