-- 013_hours.sql -- how many events each hour had, so that no statistic ever scans events.
--
--     a batch of the writer --same transaction--> event_tally --nabat_fold, every 2 s--> event_hour, group_hour
--                                                                 nabat-prune, after 90 days --> event_day, group_day
--
-- A batch appends one row that says what it stored; nobody waits for anybody over it. The holder of the lease adds these
-- rows up and deletes them in one transaction, so each counts exactly once, whoever is killed when. What is not added up
-- yet is read along by the views: they are exact at every moment.
--
-- Safe on a live database. What is stored already is counted here, under the lock that keeps writers out: half a minute for
-- 30 million events, which are spooled meanwhile. An instance of an older release that goes on beside a newer one
-- stores events that no hour counts.
--
-- makes: event_tally event_hour event_day group_hour group_day error_hours group_hours

CREATE TABLE event_tally (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cells      integer NOT NULL, -- the length of each array
    hours      timestamptz[] NOT NULL,
    groups     bigint[] NOT NULL,
    projects   bigint[] NOT NULL,
    severities text[] NOT NULL,
    origins    text[] NOT NULL,
    releases   text[] NOT NULL, -- '' for none
    counts     bigint[] NOT NULL
);

-- '' is no release. Hours are of receipt, in UTC as the days' tables are.
CREATE TABLE event_hour (
    hour       timestamptz NOT NULL,
    project_id bigint NOT NULL,
    severity   text NOT NULL,
    origin     text NOT NULL,
    release    text COLLATE "C" NOT NULL,
    events     bigint NOT NULL,
    PRIMARY KEY (hour, project_id, severity, origin, release)
) WITH (fillfactor = 70);
CREATE TABLE event_day (LIKE event_hour, PRIMARY KEY (hour, project_id, severity, origin, release));
ALTER TABLE event_day RENAME COLUMN hour TO day;

CREATE TABLE group_hour (
    group_id bigint NOT NULL,
    hour     timestamptz NOT NULL,
    events   bigint NOT NULL,
    PRIMARY KEY (group_id, hour)
) WITH (fillfactor = 70);
CREATE INDEX group_hour_hour ON group_hour (hour);
CREATE TABLE group_day (LIKE group_hour, PRIMARY KEY (group_id, hour));
ALTER TABLE group_day RENAME COLUMN hour TO day;
CREATE INDEX group_day_day ON group_day (day);

-- The arrays repeat themselves and live for seconds.
DO $$
DECLARE c text;
BEGIN
    FOREACH c IN ARRAY ARRAY['hours', 'groups', 'projects', 'severities', 'origins', 'releases', 'counts'] LOOP
        EXECUTE format('ALTER TABLE event_tally ALTER COLUMN %I SET COMPRESSION lz4', c);
    END LOOP;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
    ALTER TABLE event_tally ALTER hours SET STORAGE EXTERNAL, ALTER groups SET STORAGE EXTERNAL,
        ALTER projects SET STORAGE EXTERNAL, ALTER severities SET STORAGE EXTERNAL, ALTER origins SET STORAGE EXTERNAL,
        ALTER releases SET STORAGE EXTERNAL, ALTER counts SET STORAGE EXTERNAL;
END $$;

CREATE FUNCTION nabat_cells(t event_tally) RETURNS TABLE (hour timestamptz, group_id bigint, project_id bigint,
                                                          severity text, origin text, release text, events bigint)
LANGUAGE sql IMMUTABLE ROWS 100 AS
$$ SELECT unnest(t.hours), unnest(t.groups), unnest(t.projects), unnest(t.severities), unnest(t.origins),
          unnest(t.releases), unnest(t.counts) $$;

-- Adds up the oldest batches, about `cells_max` cells of them, and returns how many cells that were: fewer, and nothing is left. A
-- project has room for 1000 kinds of events an hour; what is beyond keeps its origin (of 200), and its release is '(other)'.
CREATE FUNCTION nabat_fold(cells_max integer) RETURNS integer
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
CREATE FUNCTION nabat_hours_to_days(before timestamptz) RETURNS bigint
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

-- For dashboards and psql. What was merged counts with its root, as everywhere; the service's test of itself does not.
CREATE VIEW error_hours AS
SELECT hour, project_id, severity, origin, nullif(release, '') AS release, sum(events)::bigint AS events
FROM (SELECT hour, project_id, severity, origin, release, events FROM event_hour
      UNION ALL
      SELECT c.hour, c.project_id, c.severity, c.origin, c.release, c.events
      FROM event_tally t CROSS JOIN LATERAL nabat_cells(t) c) h
WHERE origin <> 'nabat_selftest'
GROUP BY hour, project_id, severity, origin, release;

CREATE VIEW group_hours AS
SELECT coalesce(g.merged_into, h.group_id) AS group_id, h.hour, sum(h.events)::bigint AS events
FROM (SELECT group_id, hour, events FROM group_hour
      UNION ALL
      SELECT c.group_id, c.hour, c.events FROM event_tally t CROSS JOIN LATERAL nabat_cells(t) c) h
LEFT JOIN error_group g ON g.id = h.group_id
WHERE g.origin IS DISTINCT FROM 'nabat_selftest'
GROUP BY 1, 2;

-- Whoever writes holds this shared until the commit: what is committed then is seen by the statements below, and what
-- comes later counts itself.
SELECT pg_advisory_xact_lock(hashtext('nabat.groups'));
INSERT INTO event_hour (hour, project_id, severity, origin, release, events)
SELECT date_trunc('hour', received_at, 'UTC'), project_id, severity, origin, coalesce(release, ''), count(*)
FROM event GROUP BY 1, 2, 3, 4, 5;
INSERT INTO group_hour (group_id, hour, events)
SELECT group_id, date_trunc('hour', received_at, 'UTC'), count(*) FROM event GROUP BY 1, 2;
