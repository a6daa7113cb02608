-- 026_lost_answers.sql -- how many answers to the sending of an alert, or of a digest, got lost.
--
-- Safe on a live database: a constant default rewrites no row.

-- What was sent twice without an answer is named in a digest soon (alerts/backoff.h), instead of a quarter of an hour later.
ALTER TABLE alert_outbox ADD COLUMN lost_answers integer NOT NULL DEFAULT 0;
UPDATE alert_outbox SET lost_answers = 1 WHERE state = 'uncertain';

-- A digest goes again after ever longer rests; its `tries` count refusals, too.
ALTER TABLE alert_digest ADD COLUMN lost_answers integer NOT NULL DEFAULT 0;
