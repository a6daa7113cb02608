/* service_spool.c -- what works without the database: the spool, the mirror, ringing from memory.
 *
 *     start: spool --opened--> mirror read --> keys and rules known, events are taken
 *     database reached: the writer takes over, the spool is replayed                                  */
#include "bot/service_internal.h"

#include "core/limits.h"

static void on_spool_open(void *ctx, const char *mirror)
{
    struct service *s = ctx;
    if (mirror)
        store_mirror_read(s->mirror, mirror);
    store_projects_recall(s->projects);
    store_known_recall(s->known);
}

static void on_spooled(void *ctx, const struct event *events, size_t count)
{
    struct service *s = ctx;
    emergency_note(s->emergency, events, count);
}

static bool may_open(void *ctx)
{
    struct service *s = ctx;
    return store_projects_are_stored(s->projects) && emergency_is_settled(s->emergency);
}

static bool is_away(void *ctx)
{
    const struct service *s = ctx;
    return !store_keeper_is_direct(s->ingest.keeper);
}

static int64_t replayed_ms(void *ctx)
{
    const struct service *s = ctx;
    return store_keeper_replayed_ms(s->ingest.keeper);
}

static void start_emergency(struct service *s, const struct route_root *root,
                            enum language language)
{
    const struct settings *set = s->settings;
    struct keeper_events events = {on_spooled, may_open, s};
    struct emergency_parts parts = {.loop = s->loop,
                                    .spool = s->spool,
                                    .known = s->known,
                                    .projects = s->projects,
                                    .chat = s->chat,
                                    .pacer = &s->pacer,
                                    .is_away = is_away,
                                    .replayed_ms = replayed_ms,
                                    .ctx = s};
    struct emergency_config config = {
        *root, language, {set->open_url, set->gen_request_url, set->user_url}};
    s->emergency = emergency_new(&parts, &config);
    store_keeper_watch(s->ingest.keeper, &events);
}

void service_spool_start(struct service *s, const struct route_root *root, enum language language)
{
    const struct settings *set = s->settings;
    bool wanted = s->options.listen && set->spool_bytes_max > 0;
    s->spool = wanted ? spool_new(s->loop, set->spool_dir, set->spool_bytes_max) : NULL;
    s->mirror = store_mirror_new(s->loop, s->spool);
    s->known = store_known_new(s->loop, s->mirror, set->alert_cooldown_s);
    s->projects = store_projects_new(s->loop, s->mirror, set->ingest_key);
    s->ingest.projects = s->projects;
    s->ingest.keeper = store_keeper_new(s->loop, s->spool);
    if (!s->spool)
        return;
    spool_on_open(s->spool, on_spool_open, s);
    start_emergency(s, root, language);
}

void service_spool_open(struct service *s)
{
    store_projects_open(s->projects, s->pg_work);
    store_keeper_open(s->ingest.keeper, s->ingest.writer, s->pg_work);
    if (!s->spool)
        return;
    store_known_open(s->known, s->pg_work);
    emergency_set_channels(s->emergency, s->channels);
}

void service_spool_close(struct service *s)
{
    spool_close(s->spool);
}

void service_spool_free(struct service *s)
{
    emergency_free(s->emergency);
    spool_free(s->spool);
    store_keeper_free(s->ingest.keeper);
    store_projects_free(s->projects);
    store_known_free(s->known);
    store_mirror_free(s->mirror);
}

enum health_grade service_spool_health(void *ctx, char *detail, size_t size)
{
    const struct service *s = ctx;
    const struct keeper *keeper = s->ingest.keeper;
    if (!store_projects_are_loaded(s->projects)) {
        snprintf(detail, size, "no key is known yet");
        return HEALTH_UNHEALTHY;
    }
    if (!s->spool) {
        snprintf(detail, size, "off (SPOOL_MAX_BYTES=0)%s",
                 store_keeper_can_take(keeper) ? "" : "; events are refused");
        return store_keeper_can_take(keeper) ? HEALTH_OK : HEALTH_UNHEALTHY;
    }
    const struct spool_state *state = spool_state(s->spool);
    if (!store_keeper_can_take(keeper)) {
        snprintf(detail, size, "events are refused: %s",
                 state->trouble[0] ? state->trouble : "the spool is full (SPOOL_MAX_BYTES)");
        return HEALTH_UNHEALTHY;
    }
    if (state->trouble[0] || state->warning[0] || !state->is_open) {
        snprintf(detail, size, "%s",
                 state->trouble[0]   ? state->trouble
                 : state->warning[0] ? state->warning
                                     : "it is being opened");
        return HEALTH_DEGRADED;
    }
    if (store_keeper_is_direct(keeper) && state->files == 0)
        return HEALTH_OK;
    snprintf(detail, size, "%lld KiB wait for the database in %lld files",
             (long long)(state->bytes / KIB), (long long)state->files);
    return HEALTH_DEGRADED;
}
