/* outbox_sql.h -- what the view of a chat and the folding ask of a row of alert_outbox alike. */
#ifndef NABAT_STORE_OUTBOX_SQL_H
#define NABAT_STORE_OUTBOX_SQL_H

/* It is for the digest of what came late: it waited longer than `ttl` (seconds) for the chat, or so many answers to its
 * sending got lost that it is not sent by itself again. Both are parameters ("$1"). */
#define OUTBOX_IS_LATE(ttl, lost)                                                                  \
    "((hold IS NULL AND created_at < now() - make_interval(secs => " ttl                           \
    ")) OR (lost_answers >= " lost " AND (hold IS NULL OR is_free)))"

#endif
