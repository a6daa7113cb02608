-- 016_mended.sql -- what a second reading found in 011 and 013.
--
-- Safe on a live database: functions and a view; an extension moves to another schema.

-- pg_trgm is the database's, not ours: with our schema it would go, and others' indexes with it. It lives in public where it may.
CREATE OR REPLACE FUNCTION nabat_index_words() RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE home text;
BEGIN
    IF (CASE WHEN to_regnamespace('public') IS NOT NULL THEN has_schema_privilege('public', 'CREATE') ELSE false END) THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
    ELSE
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    END IF;
    SELECT quote_ident(n.nspname) INTO home FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm';
    EXECUTE format('CREATE INDEX IF NOT EXISTS error_group_words ON error_group USING gin '
                   '(nabat_group_text(title, culprit, handler, origin) %s.gin_trgm_ops)', home);
    RETURN true;
EXCEPTION WHEN undefined_file OR feature_not_supported OR insufficient_privilege OR invalid_parameter_value THEN
    RAISE NOTICE 'pg_trgm can''t be used (%): words are looked for in all groups', SQLERRM;
    RETURN false;
END $$;
DO $$
BEGIN
    IF current_schema() <> 'public' AND EXISTS (SELECT 1 FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                                                WHERE e.extname = 'pg_trgm' AND n.nspname = current_schema()) THEN
        ALTER EXTENSION pg_trgm SET SCHEMA public;
    END IF;
EXCEPTION WHEN insufficient_privilege OR undefined_object OR invalid_schema_name OR dependent_objects_still_exist THEN
    RAISE NOTICE 'pg_trgm stays where it is: %', SQLERRM;
END $$;

-- Adds up the oldest batches, about `cells_max` cells of them, and returns how many cells that were: fewer, and nothing is left. A
-- project has room for 1000 kinds of events an hour; what is beyond keeps its origin (of 200), and its release is '(other)'.
CREATE OR REPLACE FUNCTION nabat_fold(cells_max integer) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    kinds_max CONSTANT integer := 1000;
    origins_max CONSTANT integer := 200;
    folded integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('nabat.fold'), hashtext(current_schema()::text)) THEN
        RETURN 0;
    END IF;
    WITH due AS (SELECT id FROM (SELECT id, sum(cells) OVER (ORDER BY id) - cells AS before
                                 FROM (SELECT id, cells FROM event_tally ORDER BY id LIMIT 1000) t) t
                 WHERE before < cells_max),
    gone AS (DELETE FROM event_tally t USING due WHERE t.id = due.id RETURNING t.*),
    cells AS MATERIALIZED (
        SELECT c.hour, c.group_id, c.project_id, c.severity, c.origin, c.release, sum(c.events)::bigint AS events
        FROM gone CROSS JOIN LATERAL nabat_cells(gone) c GROUP BY 1, 2, 3, 4, 5, 6),
    kinds AS MATERIALIZED (
        SELECT c.hour, c.project_id, c.severity, c.origin, c.release, sum(c.events)::bigint AS events
        FROM cells c GROUP BY 1, 2, 3, 4, 5),
    met AS MATERIALIZED (
        SELECT k.*, EXISTS (SELECT 1 FROM event_hour h WHERE h.hour = k.hour AND h.project_id = k.project_id
                            AND h.severity = k.severity AND h.origin = k.origin AND h.release = k.release) AS known
        FROM kinds k),
    room AS (
        SELECT d.hour, d.project_id, kinds_max - (SELECT count(*) FROM (SELECT 1 FROM event_hour h
            WHERE h.hour = d.hour AND h.project_id = d.project_id LIMIT kinds_max) h) AS n
        FROM (SELECT DISTINCT hour, project_id FROM kinds) d),
    fit AS (
        SELECT m.*, m.known OR row_number() OVER (PARTITION BY m.hour, m.project_id
                                                  ORDER BY m.known, m.events DESC, m.origin, m.release) <= r.n AS fits
        FROM met m JOIN room r USING (hour, project_id)),
    -- an origin that has its place keeps it, whatever the releases
    origins AS (SELECT DISTINCT h.hour, h.project_id, h.origin FROM event_hour h
                JOIN (SELECT DISTINCT hour, project_id FROM kinds) d USING (hour, project_id)),
    named AS (
        SELECT f.*, f.fits OR o.origin IS NOT NULL OR dense_rank() OVER (PARTITION BY f.hour, f.project_id
                   ORDER BY o.origin IS NOT NULL, f.origin) + (SELECT count(*) FROM origins c WHERE c.hour = f.hour
                   AND c.project_id = f.project_id) <= origins_max AS is_named
        FROM fit f LEFT JOIN origins o USING (hour, project_id, origin)),
    by_kind AS (
        INSERT INTO event_hour AS h (hour, project_id, severity, origin, release, events)
        SELECT hour, project_id, severity, CASE WHEN is_named THEN origin ELSE '(other)' END,
               CASE WHEN fits THEN release ELSE '(other)' END, sum(events)
        FROM named GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (hour, project_id, severity, origin, release) DO UPDATE SET events = h.events + excluded.events),
    by_group AS (
        INSERT INTO group_hour AS h (group_id, hour, events)
        SELECT group_id, hour, sum(events) FROM cells GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (group_id, hour) DO UPDATE SET events = h.events + excluded.events)
    SELECT coalesce(sum(gone.cells), 0) INTO folded FROM gone;
    RETURN folded;
END $$;

-- Hours before `before` become days, in UTC; returns how many hours went. A day has room for 1000 kinds of a project, too.
CREATE OR REPLACE FUNCTION nabat_hours_to_days(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    whole timestamptz := date_trunc('day', before, 'UTC');
    n bigint;
    m bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('nabat.fold'), hashtext(current_schema()::text));
    WITH gone AS (DELETE FROM event_hour WHERE hour < whole RETURNING *),
    sums AS (SELECT date_trunc('day', hour, 'UTC') AS day, project_id, severity, origin, release, sum(events) AS events
             FROM gone GROUP BY 1, 2, 3, 4, 5),
    ranked AS (SELECT s.*, row_number() OVER (PARTITION BY day, project_id ORDER BY events DESC, origin, release) AS place
               FROM sums s),
    days AS (INSERT INTO event_day AS d (day, project_id, severity, origin, release, events)
             SELECT day, project_id, severity, origin, CASE WHEN place <= 1000 THEN release ELSE '(other)' END, sum(events)
             FROM ranked GROUP BY 1, 2, 3, 4, 5
             ON CONFLICT (day, project_id, severity, origin, release) DO UPDATE SET events = d.events + excluded.events)
    SELECT count(*) INTO n FROM gone;
    WITH gone AS (DELETE FROM group_hour WHERE hour < whole RETURNING *),
    days AS (INSERT INTO group_day AS d (group_id, day, events)
             SELECT group_id, date_trunc('day', hour, 'UTC'), sum(events) FROM gone
             WHERE EXISTS (SELECT 1 FROM error_group g WHERE g.id = group_id) GROUP BY 1, 2
             ON CONFLICT (group_id, day) DO UPDATE SET events = d.events + excluded.events)
    SELECT count(*) INTO m FROM gone;
    RETURN n + m;
END $$;

-- What was merged counts with its root, as everywhere; the service's test of itself does not.
CREATE OR REPLACE VIEW group_hours AS
SELECT coalesce(g.merged_into, h.group_id) AS group_id, h.hour, sum(h.events)::bigint AS events
FROM (SELECT group_id, hour, events FROM group_hour
      UNION ALL
      SELECT c.group_id, c.hour, c.events FROM event_tally t CROSS JOIN LATERAL nabat_cells(t) c) h
LEFT JOIN error_group g ON g.id = h.group_id
WHERE g.origin IS DISTINCT FROM 'nabat_selftest'
GROUP BY 1, 2;

