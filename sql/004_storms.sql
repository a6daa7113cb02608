-- 004_storms.sql -- many alerts as one message: digests, and what is held back for one.
--
-- Safe on a live database: columns come without a default that would rewrite rows.
--
-- makes: alert_digest

-- One message that stands for many alerts: of a storm (edited in place while it lasts), of those that
-- waited too long for a chat that could not be written to, of those that were held back.
CREATE TABLE alert_digest (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chat_id      bigint NOT NULL,
    thread_id    bigint,
    reason       text NOT NULL CHECK (reason IN
                 ('storm', 'late', 'quiet', 'silence', 'inhibited', 'fallback')),
    about        text,                  -- the silence, the channel, the error that held them back
    message_id   bigint,                -- NULL: not sent yet
    tries        integer NOT NULL DEFAULT 0,
    uncertain    boolean NOT NULL DEFAULT false, -- it may be in the chat already
    opened_at    timestamptz NOT NULL DEFAULT now(),
    added_at     timestamptz NOT NULL DEFAULT now(), -- when the newest alert was folded into it
    shown_at     timestamptz,
    shown_rows   bigint NOT NULL DEFAULT 0, -- alerts that the message counts
    listed_rows  bigint NOT NULL DEFAULT 0, -- alerts that the file names
    page         integer NOT NULL DEFAULT 1,   -- that somebody turned to
    stale        boolean NOT NULL DEFAULT false, -- an error that it names was changed
    changes      bigint NOT NULL DEFAULT 0,      -- how often
    silent       boolean NOT NULL DEFAULT false, -- without a sound: all of its alerts were
    next_try_at  timestamptz NOT NULL DEFAULT now(),
    last_error   text,
    closed_at    timestamptz            -- nothing is folded into it any more
);
CREATE INDEX alert_digest_open ON alert_digest (chat_id) WHERE closed_at IS NULL OR stale;

ALTER TABLE alert_outbox ADD COLUMN digest_id bigint; -- of a folded row: the message that names it
-- Why it waits for next_try_at although it could go: it will be folded into a digest of that reason.
ALTER TABLE alert_outbox ADD COLUMN hold text CHECK (hold IN
    ('quiet', 'silence', 'inhibited', 'fallback'));
ALTER TABLE alert_outbox ADD COLUMN hold_about text;
CREATE INDEX alert_outbox_digest ON alert_outbox (digest_id) WHERE digest_id IS NOT NULL;

-- Of a channel that follows the status: the last one it was told; NULL: new.
ALTER TABLE alert_card ADD COLUMN told_status text;

ALTER TABLE chat_message DROP CONSTRAINT chat_message_kind_check;
ALTER TABLE chat_message ADD CONSTRAINT chat_message_kind_check
    CHECK (kind IN ('list', 'events', 'note', 'settings', 'setup', 'digest'));
