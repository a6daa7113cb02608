-- 024_users_kept.sql -- how many users an hour and a day name, when events come late.
--
--     nabat_fold --user_hour, user_day--> the best of those that last (1000), and of those that are over (250 of an hour, 500 of a
--     day), whichever batch named them: a spool that is replayed fills hours that were trimmed long ago
--
-- Days are stepped through by 24 hours: "1 day" is a day of the session's time zone, and skips one of UTC when clocks change.

-- As in 017_statistics.sql.
CREATE OR REPLACE FUNCTION nabat_fold_users(batches event_tally[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    s record;
    sketch bytea;
    hours timestamptz[];
    days timestamptz[];
    closed timestamptz := (SELECT value::timestamptz FROM service_setting WHERE name = 'group_days_until');
BEGIN
    SELECT array_agg(DISTINCT h) INTO hours FROM unnest(batches) b, unnest(b.user_hours) h;
    IF hours IS NOT NULL THEN
        WITH met AS MATERIALIZED (
            SELECT u.hour, u.project_id, u.user_id, sum(u.n)::bigint AS n
            FROM unnest(batches) b
            CROSS JOIN LATERAL unnest(b.user_hours, b.user_projects, b.user_ids, b.user_counts) AS u (hour, project_id, user_id, n)
            GROUP BY 1, 2, 3),
        hour AS (
            INSERT INTO user_hour AS h (hour, project_id, user_id, events)
            SELECT hour, project_id, user_id, n FROM met ORDER BY 1, 2, 3
            ON CONFLICT (hour, project_id, user_id) DO UPDATE SET events = h.events + excluded.events)
        INSERT INTO user_day AS d (day, project_id, user_id, events)
        SELECT date_trunc('day', hour, 'UTC'), project_id, user_id, sum(n) FROM met GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (day, project_id, user_id) DO UPDATE SET events = d.events + excluded.events;
        days := ARRAY(SELECT DISTINCT date_trunc('day', h, 'UTC') FROM unnest(hours) h);
        PERFORM nabat_keep_most(ARRAY(SELECT h FROM unnest(hours) h WHERE h >= closed),
                                ARRAY(SELECT d FROM unnest(days) d WHERE d + interval '24 hours' > closed), 2000, 1000);
        PERFORM nabat_keep_most(ARRAY(SELECT h FROM unnest(hours) h WHERE h < closed), '{}', 250, 250);
        PERFORM nabat_keep_most('{}', ARRAY(SELECT d FROM unnest(days) d WHERE d + interval '24 hours' <= closed), 500, 500);
    END IF;
    FOR s IN SELECT d.is_day, date_trunc(CASE WHEN d.is_day THEN 'day' ELSE 'hour' END, u.hour, 'UTC') AS at, u.project_id,
                    array_agg(u.place) AS places, array_agg(u.rank) AS ranks
             FROM unnest(batches) b
             CROSS JOIN LATERAL unnest(b.rank_hours, b.rank_projects, b.rank_places, b.ranks) AS u (hour, project_id, place, rank)
             CROSS JOIN (VALUES (false), (true)) AS d (is_day) GROUP BY 1, 2, 3 LOOP
        SELECT registers INTO sketch FROM user_sketch k
        WHERE k.is_day = s.is_day AND k.at = s.at AND k.project_id = s.project_id;
        sketch := nabat_sketch_raise(sketch, s.places, s.ranks);
        IF sketch IS NOT NULL THEN
            INSERT INTO user_sketch AS k (is_day, at, project_id, registers) VALUES (s.is_day, s.at, s.project_id, sketch)
            ON CONFLICT (is_day, at, project_id) DO UPDATE SET registers = excluded.registers;
        END IF;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION nabat_close_hours() RETURNS timestamptz
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
    PERFORM nabat_keep_most(ARRAY(SELECT generate_series(closed, this_hour - interval '1 hour', interval '1 hour')), '{}', 250, 250);
    PERFORM nabat_keep_most('{}', ARRAY(SELECT generate_series(date_trunc('day', closed, 'UTC'), this_hour - interval '24 hours',
                                                               interval '24 hours')), 500, 500);
    UPDATE service_setting SET value = this_hour::text WHERE name = 'group_days_until';
    RETURN this_hour;
END $$;
