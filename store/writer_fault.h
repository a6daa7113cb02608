/* writer_fault.h -- what an error of a batch means, and for whom. Pure. */
#ifndef NABAT_STORE_WRITER_FAULT_H
#define NABAT_STORE_WRITER_FAULT_H

#include "store/pg.h"

enum writer_fault {
    FAULT_MEMORY, /* something is not as it was remembered: looked up, the same batch may pass */
    FAULT_STALE,  /* the same, of a batch that was looked up: it changed meanwhile */
    FAULT_RACE,   /* lost against another instance (unique key, deadlock, serialization) */
    FAULT_DAY,    /* a day has no leaf */
    FAULT_SCHEMA, /* a relation, column or right is missing: the database's fault */
    FAULT_AWAY,   /* the database, for now */
    FAULT_EVENTS  /* what one of the events holds: it is looked for, and refused alone */
};

/* `reply` has an error. `is_direct`: the batch relied on memory. */
enum writer_fault writer_fault(const struct pg_reply *reply, bool is_direct);

/* Whether the same batch, run again at once, may pass. */
bool writer_fault_passes(enum writer_fault fault);

#endif
