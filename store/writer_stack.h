/* writer_stack.h -- stacks of events in a batch: which row of error_stack each has, and the rows that are missing. */
#ifndef NABAT_STORE_WRITER_STACK_H
#define NABAT_STORE_WRITER_STACK_H

#include "store/stack_text.h"
#include "store/writer_batch.h"

struct event_stack {
    unsigned char hash[STACK_HASH_BYTES]; /* of the row */
    const struct event *event;            /* BORROWED */
    struct stack_text text;               /* without a piece: stored as it is */
};

/* A source without a text is one of a list of modules alone. */
bool event_has_stack(const struct event *e);
/* Of an event that has one. */
struct event_stack event_stack_of(struct writer_cache *cache, const struct event *e);
/* Whether its day is not known to have it. What is sent counts as known at once: if the batch fails, all stacks are
 * forgotten. */
bool event_stack_is_new(struct writer_cache *cache, const struct event_stack *stack);
/* Adds the rows that are missing to the batch, in one order, so that two writers do not wait for each other. */
void event_stacks_store(struct event_stack *stacks, size_t count, struct pg_batch *pg);
/* The column stack_said: the piece, empty where other columns say it, NULL where the text is stored whole or `stack` is
 * NULL. */
void event_stack_add_said(const struct event_stack *stack, struct pg_array *array);

#endif
