-- 007_counted.sql -- events that were only counted (GROUP_ROWS_PER_MINUTE), and one word about them in the chat.
--
-- Safe on a live database: two new tables, and a constraint that takes one word more.
--
-- makes: group_counted event_counted

-- What is counted and not kept, until it is announced: one row a group while that goes on.
CREATE TABLE group_counted (
    group_id bigint PRIMARY KEY,
    n        bigint NOT NULL,
    since    timestamptz NOT NULL DEFAULT now(),
    last_at  timestamptz NOT NULL DEFAULT now()
);

-- Their ids, for a day: a repeat is known although no row is kept.
CREATE TABLE event_counted (
    project_id  integer NOT NULL,
    event_id    text COLLATE "C" NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, event_id)
);
CREATE INDEX event_counted_age ON event_counted (received_at);

ALTER TABLE alert_note DROP CONSTRAINT alert_note_kind_check;
ALTER TABLE alert_note ADD CONSTRAINT alert_note_kind_check
    CHECK (kind IN ('feedback', 'recovered', 'counted'));
