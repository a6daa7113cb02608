-- 007_counted.sql -- events that were only counted (GROUP_ROWS_PER_MINUTE), and one word about them in the chat.
--
-- Safe on a live database: one new table, and a constraint that takes one word more.
--
-- makes: group_counted

-- What is counted and not kept, until it is announced: one row a group while that goes on.
CREATE TABLE group_counted (
    group_id bigint PRIMARY KEY,
    n        bigint NOT NULL,
    since    timestamptz NOT NULL DEFAULT now(),
    last_at  timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE alert_note DROP CONSTRAINT alert_note_kind_check;
ALTER TABLE alert_note ADD CONSTRAINT alert_note_kind_check
    CHECK (kind IN ('feedback', 'recovered', 'counted'));
