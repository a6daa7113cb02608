-- 008_spool.sql -- what rang while the database was away.
--
-- The instance that rang tells it here before it replays its spool; the one that decides takes it over
-- once the group is known: the cooldown holds, and the card in the chat is the group's card.
-- Safe on a live database: a new table, and an index over the few groups that are muted.
--
-- makes: alert_rang

CREATE TABLE alert_rang (
    project_id  bigint NOT NULL,
    fingerprint text NOT NULL,
    chat_id     bigint NOT NULL,
    thread_id   bigint,
    message_id  bigint,       -- NULL: the answer was lost
    rang_at     timestamptz NOT NULL,
    is_card     boolean NOT NULL, -- the message is about this error alone
    adopted_at  timestamptz,
    PRIMARY KEY (project_id, fingerprint, chat_id, rang_at)
);
CREATE INDEX alert_rang_waiting ON alert_rang (project_id, fingerprint) WHERE adopted_at IS NULL;

-- What the mirror beside the spool asks for every few seconds.
CREATE INDEX error_group_muted ON error_group (id)
    WHERE muted_until IS NOT NULL OR muted_until_count IS NOT NULL;
