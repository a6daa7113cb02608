/* limits.h -- every maximum of the service in one place: name, unit, and why that number. */
#ifndef NABAT_CORE_LIMITS_H
#define NABAT_CORE_LIMITS_H

enum {
    KIB = 1024,
    MIB = 1024 * 1024,

    /* -- HTTP (CONTRACT: HTTP limits) -- */
    HTTP_HEAD_BYTES_MAX = 16 * KIB, /* then 431; nginx and node use 8 to 16 KiB too */
    HTTP_HEADERS_MAX = 100,         /* header lines a request */
    HTTP_HEAD_SECONDS_MAX = 10,     /* absolute, from the first wait; then 408 */
    HTTP_BODY_SECONDS_MAX = 60,     /* absolute, from the end of the head; then 408 */
    HTTP_WRITE_SECONDS_MAX = 30,    /* a client that does not read its answer */
    HTTP_LINGER_SECONDS_MAX = 2, /* reads and forgets after an error, so that the answer is seen */
    HTTP_LINGER_BYTES_MAX = 32 * MIB, /* what is forgotten at most */
    HTTP_STOP_SECONDS_MAX = 8,        /* graceful stop */
    HTTP_ACCEPT_BURST = 64,           /* accepts a wake-up, so that a flood can't starve the loop */
    HTTP_SCRATCH_BYTES = 64 * KIB,    /* one read; idle connections hold no buffer */

    /* -- native ingest (CONTRACT: 413 names the limit) -- */
    INGEST_EVENT_BYTES_MAX = 1 * MIB,
    INGEST_REQUEST_BYTES_MAX = 20 * MIB,
    INGEST_INFLATED_BYTES_MAX = 40 * MIB,
    BODY_RATIO_MAX = 250,            /* inflated to sent, beyond the free bytes: a bomb */
    BODY_RATIO_FREE_BYTES = 8 * MIB, /* text that repeats itself is no bomb yet */
    INGEST_EVENTS_MAX = 1000,
    INGEST_WARNINGS_MAX = 100,     /* listed in one answer; the rest are counted */
    ATTACHMENTS_MAX = 5,           /* kept with an event */
    ATTACHMENTS_COUNTED_MAX = 100, /* and noted by name and size */
    CHECKINS_PER_MINUTE = 6,       /* new ones, of one monitor in one environment (Sentry) */
    ENVELOPE_ITEMS_MAX = 10000,
    MONITORS_PER_PROJECT_MAX = 500,
    SENTRY_EXCEPTIONS_MAX = 50, /* of a chain; the innermost causes are left out */
    JSON_DEPTH_MAX = 64,        /* deeper values become a marker; PostgreSQL's jsonb takes more */
    BREADCRUMBS_MAX = 20,       /* the last ones are kept */
    FINGERPRINT_LINKS_MAX = 4,  /* exceptions of a chain that make the key */
    FINGERPRINT_GROUP_MAX = 16, /* of an exception group: it and its members */
    FINGERPRINT_PARTS_MAX = 100,
    FINGERPRINT_PART_BYTES_MAX = 1 * KIB,

    /* -- stacks that came before, twice: what parsing found, what was clean -- */
    MEMO_SLOTS = 4096,
    MEMO_BYTES_MAX = 6 * MIB,
    MEMO_TEXT_BYTES_MIN = 256, /* shorter ones are read as fast as they are found */
    MEMO_TEXT_BYTES_MAX = 16 * KIB,

    /* -- columns, bytes of UTF-8 -- */
    TITLE_BYTES_MAX = 512,
    ORIGIN_BYTES_MAX = 64,
    NAME_BYTES_MAX = 512,        /* handler, exception type, release, environment, ids */
    STACK_FRAMES_READ_MAX = 300, /* frames read of one stack text */
    STACK_FRAMES_KEYED_MAX = 8,  /* frames that make the grouping key */

    /* -- store -- */
    WRITER_QUEUE_BYTES_MAX = 32 * MIB,
    USERS_NAMED_PER_SECOND =
        500, /* events; of more than these one in so many is named, with its weight */
    WRITER_CACHE_GROUPS_MAX = 128 * 1024, /* 32 bytes each, in tables at most half full: 8 MiB */
    WRITER_CACHE_STACKS_MAX = 32 * 1024,  /* of this day: 2 MiB */
    WRITER_BATCH_EVENTS_MAX = 1000,
    FORWARD_TRIES_MAX = 8, /* of an event that fails while others are taken: about two hours */
    FORWARD_QUEUE_ROWS_MAX = 100000,  /* events that wait for SENTRY_DSN; then the oldest go */
    FORWARD_BODY_BYTES_MAX = 2 * MIB, /* one of them; a larger one is not forwarded */
    WRITER_BATCH_BYTES_MAX = 8 * MIB,
    WRITER_JOB_SECONDS_MAX = 8, /* then 503: the client still has the event */
    ROW_SAMPLE_EVERY = 100,     /* beyond GROUP_ROWS_PER_MINUTE one event in so many is kept */
    COUNTED_QUIET_SECONDS = 60, /* then the chat is told how many */
    COUNTED_SECONDS_MAX = 600,  /* or, while it goes on, after that */
    WRITER_REPEATS_MAX = 5,     /* a batch that loses a race is run again this often at once */
    PG_CONNECT_SECONDS_MAX = 10,
    PG_BACKOFF_SECONDS_MAX = 5,
    PG_QUEUE_MAX = 256,   /* queries waiting for one connection */
    PG_PREPARED_MAX = 24, /* statements a connection; more are sent as they are */
    PG_STATEMENT_SECONDS_MAX = 10,
    HELPER_JOBS_MAX = 64, /* waiting for the helper thread */

    /* -- spool (docs/spool.md) -- */
    SPOOL_AFTER_SECONDS = 5,            /* a batch that waits longer goes to the spool */
    SPOOL_FILE_BYTES = 4 * MIB,         /* then the next file; one is read at a time */
    SPOOL_PENDING_BYTES_MAX = 48 * MIB, /* on their way to one sync: above the largest request */
    SPOOL_READ_BYTES_MAX = 56 * MIB,    /* a file, which ends with the group that fills it */
    SPOOL_SEARCH_BYTES_MAX = 32 * MIB,  /* summed up while looking for a record behind damage */
    SPOOL_BUFFER_KEPT_BYTES = 1 * MIB,  /* of memory between two syncs */
    SPOOL_RANGS_MAX = 10000,            /* alerts that rang without the database */
    KNOWN_GROUPS_MAX = 2000,            /* mirrored beside the spool: muted, taken, rung lately */
    MIRROR_BYTES_MAX = 8 * MIB,
    SPOOL_CHUNK_EVENTS_MAX = 1000, /* replayed in one transaction */
    SPOOL_CHUNK_BYTES_MAX = 4 * MIB,
    SPOOL_CHUNK_SECONDS_MAX = 30,
    SPOOL_NEARLY_EMPTY_BYTES = 256 * KIB, /* then new events go to the database again */
    SPOOL_CATCH_UP_SECONDS_MAX = 60,      /* or after that, where more comes than goes */
    DEDUP_HOURS = 24,
    UPDATE_KEEP_HOURS = 48,
    LEASE_SECONDS = 10,
    LEASE_RENEW_SECONDS = 3,
    INBOX_ROWS_MAX = 500, /* drained in one go */
    DUE_ROWS_MAX = 2000,  /* facts read in one go */
    PARTITION_DAYS_AHEAD = 3,

    /* -- alerts (reference: Telegram Bot API) -- */
    TG_TEXT_UNITS_MAX = 4096,     /* UTF-16 units after entities: the safe side of code points */
    TG_TEXT_BYTES_MAX = 32 * KIB, /* raw text before parsing */
    TG_ANSWER_UNITS_MAX = 200,
    TG_CAPTION_UNITS_MAX = 1024, /* after entities */
    TG_SEND_SECONDS_MAX = 95,    /* the server may absorb a flood wait of up to 60 s */
    TG_POLL_SECONDS = 50,
    TG_UPDATES_MAX = 100,
    CARD_EDIT_SECONDS_MIN = 10,    /* one card is edited for a count no more often */
    CHAT_MESSAGES_PER_MINUTE = 20, /* a group; 5 of them are kept for answers to people */
    CHAT_RESERVED_FOR_PEOPLE = 5,
    CHAT_COUNT_EDITS_PER_MINUTE = 10,
    BOT_MESSAGES_PER_SECOND = 30,
    ANSWERS_WAITING_MAX = 200, /* answers to people that wait for their chat's pace */
    WATCHED_BOTS_MAX = 50,
    OUTAGE_SECONDS = 60, /* then critical alerts ring elsewhere, too */
    PROBE_SECONDS = 10,  /* getMe, when nothing else was answered for a while */
    CHANNEL_SECONDS_MAX = 30,
    CHANNEL_DIGEST_SECONDS = 300, /* a digest that can't be edited is told anew no sooner */
    CHANNELS_MAX = 50,            /* besides the chat */
    CHANNEL_BODY_BYTES_MAX = 256 * KIB,
    LANES_MAX = 64, /* chats that are written to at the same time */
    SEND_BACKOFF_SECONDS_MAX = 60,
    STORM_ALERTS_MIN = 5,         /* fewer than that are never made one message */
    STORM_OVER_SECONDS = 60,      /* without a new error; then single cards again */
    STORM_SECONDS_MAX = 1800,     /* then a new message goes on, so that it is seen */
    DIGEST_EDIT_SECONDS_MIN = 10, /* one digest is edited no more often */
    DIGEST_LIST_SECONDS = 30,     /* into a storm its whole list follows as a file */
    DIGEST_TRIES_MAX = 5,         /* of one that is refused */
    DIGEST_ROWS = 15,             /* errors a page, with buttons */
    CHANNEL_DIGEST_ROWS = 30,     /* errors that a digest names in a channel */
    DIGEST_GROUPS_MAX = 5000,     /* errors that one digest names */
    DIGEST_LIST_BYTES_MAX = 8 * MIB,
    ALERT_RULES_MAX = 200,       /* rules, and silences, quiet hours, inhibitions */
    RULE_DEPTH_MAX = 16,         /* of the tree */
    ROUTES_MAX = 8,              /* places that one event rings in */
    HELD_ROWS_MAX = 500,         /* held alerts that are asked again in one go */
    FIRINGS_MAX = 100,           /* sources that hold others back at a time */
    INHIBIT_SECONDS_MAX = 3600,  /* then what was held back is told all the same */
    EMERGENCY_GRACE_MS = 700,    /* a database that is back by then rings in the ordinary way */
    EMERGENCY_CAUSES_MAX = 1000, /* errors remembered while it is away; others ring afterwards */
    EMERGENCY_WAITING_MAX = 500, /* of them, for one chat */
    EMERGENCY_PLACES_MAX = 16,   /* chats and channels */
    ALERT_TTL_SECONDS = 900,     /* an alert that waited longer is said in a digest */
    LOST_ANSWERS_MAX = 2,        /* then a digest names it instead */
    LOST_AGAIN_SECONDS = 30,     /* after that many, and four times as long after each more */
    LOST_AGAIN_SECONDS_MAX = 900,
    DIGEST_REST_SECONDS = 5, /* one that rests longer than this lets others pass */

    /* -- chat -- */
    CHAT_INPUT_BYTES_MAX = 8 * KIB, /* a message to the bot; the rest is ignored */
    LIST_ROWS_MAX = 10,             /* groups in one /errors answer */
    MEMBER_CACHE_MAX = 256,
    MEMBER_CACHE_SECONDS = 600,
    STRANGER_SILENCE_SECONDS = 3600,
    STRANGERS_TOLD_PER_MINUTE = 10, /* lines to strangers, all of them together */
    MEMBERS_ASKED_PER_MINUTE = 60,  /* getChatMember for people not known yet */
    NEIGHBOURS_READ_MAX = 1000,     /* newest groups that /error N compares with */
    SIMILAR_SHOWN_MAX = 3,
    LIST_PAGES_MAX = 100,                            /* of a list in the chat */
    LIST_TOTAL_MAX = LIST_PAGES_MAX * LIST_ROWS_MAX, /* groups that a list counts */
    EVENTS_LISTED_MAX = 5,                           /* of /error N events, a page */
    TALKS_MAX = 8,                                   /* chats that are answered at the same time */
    UPDATES_IN_HAND_MAX = 200,                       /* read from the table at a time */
    UPDATE_TRIES_MAX = 3,             /* an update that kills us thrice is left alone */
    PRESS_ANSWER_MS_MAX = 800,        /* then the press is told that the database is slow */
    HTTP_CLIENT_CONNECTIONS_MAX = 16, /* outgoing, to Telegram, channels and all others */
    SMALL_BODY_BYTES_MAX = 1 * MIB,   /* of a deploy, a report, a webhook: raw and inflated */
    BEAT_BODY_BYTES_MAX = 64 * KIB,   /* what a job says beside its beat; dropped */
    WEBHOOK_BODY_BYTES_MAX = 1 * MIB, /* one update; Telegram's are a few KB */
    WEBHOOK_STORE_SECONDS_MAX = 20,   /* then 503: Telegram sends it again */
    UNDO_SECONDS = 300,
    TOPICS_MAX = 50, /* forum topics the bot makes in a chat; more share the General one */
};

#endif
