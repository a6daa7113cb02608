/* session_seen.c -- a table of slots; the younger session takes the slot of the older. */
#include "api/session_seen.h"

#include "core/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 4096, STARTED = 1, ERRORED = 2, CRASHED = 4, ABNORMAL = 8 };

struct session_seen {
    struct slot {
        char id[SESSION_ID_BYTES]; /* "": free */
        int32_t project_id;
        unsigned said;
    } slots[SLOTS];
};

struct session_seen *session_seen_new(void)
{
    return mem_alloc(sizeof(struct session_seen));
}

void session_seen_free(struct session_seen *seen)
{
    free(seen);
}

static struct slot *find(struct session_seen *seen, int32_t project_id, const char *id)
{
    uint32_t hash = 2166136261u ^ (uint32_t)project_id; /* FNV-1a */
    for (const char *c = id; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    struct slot *slot = &seen->slots[hash % SLOTS];
    if (slot->project_id != project_id || strcmp(slot->id, id) != 0) {
        *slot = (struct slot){.project_id = project_id};
        memcpy(slot->id, id, strlen(id) + 1);
    }
    return slot;
}

static void say_once(struct slot *slot, unsigned what, int64_t *count)
{
    if (*count <= 0)
        return;
    if (slot->said & what)
        *count = 0;
    slot->said |= what;
}

void session_seen_sift(struct session_seen *seen, int32_t project_id, struct session_count *list)
{
    for (struct session_count *s = list; s; s = s->next) {
        if (!s->id[0])
            continue;
        struct slot *slot = find(seen, project_id, s->id);
        say_once(slot, STARTED, &s->started);
        say_once(slot, CRASHED, &s->crashed);
        say_once(slot, ERRORED, &s->errored);
        say_once(slot, ABNORMAL, &s->abnormal);
    }
}

void session_seen_forget(struct session_seen *seen, int32_t project_id,
                         const struct session_count *list)
{
    for (const struct session_count *s = list; s; s = s->next)
        if (s->id[0])
            find(seen, project_id, s->id)->said = 0;
}
