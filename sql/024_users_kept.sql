-- 024_users_kept.sql -- days get their hours every hour; hours and days that are over name fewer users.
--
--     nabat_fold --user_hour, user_day--> the best of those that last (1000), and of those that are over (250 of an hour, 500 of a
--     day), whichever batch named them: a spool that is replayed fills hours that were trimmed long ago
--
-- Safe on a live database: group_days_until moves on from the midnight at which it stands. The new collation writes four indexes anew:
-- a second for a million rows, in which counting waits, and no event does.

-- Users are compared byte by byte: they are asked for by equality, and sorted millions at a time.
ALTER TABLE user_hour ALTER COLUMN user_id TYPE text COLLATE "C";
ALTER TABLE user_day ALTER COLUMN user_id TYPE text COLLATE "C";

-- Of these hours and of their days a project's best stay: of what lasts 1000, once there are 2000; of what is over 250 of an hour and
-- 500 of a day.
CREATE OR REPLACE FUNCTION nabat_keep_most(hours timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    closed timestamptz := (SELECT value::timestamptz FROM service_setting WHERE name = 'group_days_until');
BEGIN
    DELETE FROM user_hour u USING (
        SELECT x.hour, x.project_id, x.user_id, x.hour < closed AS is_over, row_number() OVER (PARTITION BY x.hour, x.project_id
               ORDER BY x.events DESC, x.user_id) AS place, count(*) OVER (PARTITION BY x.hour, x.project_id) AS n
        FROM user_hour x WHERE x.hour = ANY(hours)) r
    WHERE r.n > CASE WHEN r.is_over THEN 250 ELSE 2000 END AND r.place > CASE WHEN r.is_over THEN 250 ELSE 1000 END
      AND u.hour = r.hour AND u.project_id = r.project_id AND u.user_id = r.user_id;
    -- 24 hours, and not "1 day": that is one of the session's time zone
    DELETE FROM user_day u USING (
        SELECT x.day, x.project_id, x.user_id, x.day + interval '24 hours' <= closed AS is_over,
               row_number() OVER (PARTITION BY x.day, x.project_id ORDER BY x.events DESC, x.user_id) AS place,
               count(*) OVER (PARTITION BY x.day, x.project_id) AS n
        FROM user_day x WHERE x.day IN (SELECT DISTINCT date_trunc('day', h, 'UTC') FROM unnest(hours) h)) r
    WHERE r.n > CASE WHEN r.is_over THEN 500 ELSE 2000 END AND r.place > CASE WHEN r.is_over THEN 500 ELSE 1000 END
      AND u.day = r.day AND u.project_id = r.project_id AND u.user_id = r.user_id;
END $$;

-- group_day has the hours before the moment group_days_until, and none behind it. It gets an hour once that is over: one statement an
-- hour instead of one row for each group in each fold, and nobody who asks for a month reads more than two hours of today. Returns
-- the moment; the caller holds the lock of nabat_fold.
CREATE OR REPLACE FUNCTION nabat_close_days() RETURNS timestamptz
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    closed timestamptz := (SELECT value::timestamptz FROM service_setting WHERE name = 'group_days_until');
    this_hour timestamptz := date_trunc('hour', now(), 'UTC');
BEGIN
    IF closed >= this_hour THEN
        RETURN closed;
    END IF;
    INSERT INTO group_day AS d (group_id, day, events)
    SELECT group_id, date_trunc('day', hour, 'UTC'), sum(events) FROM group_hour WHERE hour >= closed AND hour < this_hour
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (group_id, day) DO UPDATE SET events = d.events + excluded.events;
    UPDATE service_setting SET value = this_hour::text WHERE name = 'group_days_until';
    PERFORM nabat_keep_most(ARRAY(SELECT generate_series(closed, this_hour - interval '1 hour', interval '1 hour')));
    RETURN this_hour;
END $$;
