/* writer_forward.c -- events as JSON, by whoever knows how to write them. */
#include "store/writer_forward.h"

#include "core/limits.h"

static const char FORWARD_SQL[] = "INSERT INTO forward_queue (event_id, body) "
                                  "SELECT unnest($1::text[]), unnest($2::text[])";

void write_batch_add_forward(struct pg_batch *pg, const struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {PG_TEXT_ARRAY, PG_TEXT_ARRAY};
    struct columns c;
    struct buf body;
    columns_init(&c, TYPES, 2);
    buf_init(&body, FORWARD_BODY_BYTES_MAX);
    for (size_t i = 0; i < batch->count; i++) {
        buf_clear(&body);
        if (!batch->forward(batch->events[i], &body))
            continue;
        pg_array_text(&c.array[0], batch->events[i]->event_id);
        pg_array_text(&c.array[1], buf_text(&body));
    }
    buf_fini(&body);
    columns_add(pg, &c, FORWARD_SQL);
}
