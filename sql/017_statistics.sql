-- 017_statistics.sql -- hours that know what is new, what came back, what was only counted, and whom it met.
--
--     a batch of the writer --same transaction--> event_tally --nabat_fold, every 2 s--> event_hour     kinds of events
--     a group that came back --same transaction-----^                                    project_hour   the same without origin and release
--                                                                                        group_hour     and, when a day is over, group_day
--                                                                                        group_release  what met which release
--                                                                                        user_hour      and user_day: who met most
--                                                                                        user_sketch    how many users, about
--
-- A sketch is a HyperLogLog (Flajolet et al. 2007) of 2048 registers, a byte each: it errs by 2.3 % (1.04 / sqrt 2048). A
-- user's register is the last 11 bits of the first 16 of md5(user_id), its rank the place of the first 1 in the 48 bits
-- behind these. md5 is the same on every server and in every release, and nobody gains by making it collide.
--
-- Safe on a live database: columns without a default, new tables, functions. The months so far get their days and
-- severities under the lock that keeps writers out, and new errors where their first event is still there; users and releases
-- of groups are known from now on.
--
-- makes: project_hour project_day group_release user_hour user_day user_sketch loss_hour error_users

ALTER TABLE event_tally ADD COLUMN made bigint[], ADD COLUMN regressed bigint[], ADD COLUMN counted bigint[],
    ADD COLUMN user_hours timestamptz[], ADD COLUMN user_projects bigint[], ADD COLUMN user_ids text[],
    ADD COLUMN user_counts bigint[], ADD COLUMN rank_hours timestamptz[], ADD COLUMN rank_projects bigint[],
    ADD COLUMN rank_places bigint[], ADD COLUMN ranks bigint[];

-- made: groups that were seen for the first time; regressed: groups that were resolved and came back; counted: events of
-- `events` that left no row.
ALTER TABLE event_hour ADD COLUMN made bigint NOT NULL DEFAULT 0, ADD COLUMN regressed bigint NOT NULL DEFAULT 0,
    ADD COLUMN counted bigint NOT NULL DEFAULT 0;
ALTER TABLE event_day ADD COLUMN made bigint NOT NULL DEFAULT 0, ADD COLUMN regressed bigint NOT NULL DEFAULT 0,
    ADD COLUMN counted bigint NOT NULL DEFAULT 0;

-- A month of a project is 3,600 rows: what a chart reads.
CREATE TABLE project_hour (
    hour       timestamptz NOT NULL,
    project_id bigint NOT NULL,
    severity   text NOT NULL,
    events     bigint NOT NULL,
    made       bigint NOT NULL DEFAULT 0,
    regressed  bigint NOT NULL DEFAULT 0,
    counted    bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (hour, project_id, severity)
) WITH (fillfactor = 70);
CREATE TABLE project_day (LIKE project_hour INCLUDING DEFAULTS, PRIMARY KEY (hour, project_id, severity));
ALTER TABLE project_day RENAME COLUMN hour TO day;

-- A group has room for 200 releases; what is beyond is '(other)'.
CREATE TABLE group_release (
    group_id   bigint NOT NULL,
    release    text COLLATE "C" NOT NULL,
    made       bigint NOT NULL DEFAULT 0, -- 1: the group was first seen in it
    regressed  bigint NOT NULL DEFAULT 0,
    first_hour timestamptz NOT NULL,
    last_hour  timestamptz NOT NULL,
    PRIMARY KEY (group_id, release)
) WITH (fillfactor = 70);
CREATE INDEX group_release_release ON group_release (release, last_hour);

-- An hour and a day name the 1000 users of a project who met most, and up to twice as many while they fill: a user who
-- is left out for a while may have met a few more than they say. Of more than 500 events a second one in so many is named, and
-- counts for as many.
CREATE TABLE user_hour (
    hour       timestamptz NOT NULL,
    project_id bigint NOT NULL,
    user_id    text NOT NULL,
    events     bigint NOT NULL,
    PRIMARY KEY (hour, project_id, user_id)
) WITH (fillfactor = 70);
CREATE TABLE user_day (LIKE user_hour, PRIMARY KEY (hour, project_id, user_id)) WITH (fillfactor = 70);
ALTER TABLE user_day RENAME COLUMN hour TO day;

CREATE TABLE user_sketch (
    is_day     boolean NOT NULL, -- else of an hour
    at         timestamptz NOT NULL,
    project_id bigint NOT NULL,
    registers  bytea NOT NULL CHECK (length(registers) = 2048),
    PRIMARY KEY (is_day, at, project_id)
) WITH (fillfactor = 50);

-- What did not become events, by the service's own account.
CREATE TABLE loss_hour (
    hour timestamptz NOT NULL,
    kind text NOT NULL,
    n    bigint NOT NULL,
    PRIMARY KEY (hour, kind)
);

ALTER TABLE chat_setting ADD COLUMN dark_charts boolean NOT NULL DEFAULT false;
CREATE INDEX error_group_history_changed ON error_group_history (changed_at) WHERE what = 'status';
CREATE INDEX error_group_first_seen ON error_group (first_seen);
CREATE INDEX alert_outbox_sent ON alert_outbox (sent_at) WHERE state IN ('sent', 'uncertain');

DROP VIEW error_hours, group_hours;
DROP FUNCTION nabat_cells(event_tally);
CREATE FUNCTION nabat_cells(t event_tally) RETURNS TABLE (hour timestamptz, group_id bigint, project_id bigint,
    severity text, origin text, release text, events bigint, made bigint, regressed bigint, counted bigint)
LANGUAGE sql IMMUTABLE ROWS 100 AS
$$ SELECT u.hour, u.group_id, u.project_id, u.severity, u.origin, u.release, u.events, coalesce(u.made, 0),
          coalesce(u.regressed, 0), coalesce(u.counted, 0)
   FROM unnest(t.hours, t.groups, t.projects, t.severities, t.origins, t.releases, t.counts, t.made, t.regressed, t.counted)
        AS u (hour, group_id, project_id, severity, origin, release, events, made, regressed, counted) $$;

-- `registers` with these ranks at these places; NULL: they change nothing.
CREATE FUNCTION nabat_sketch_raise(registers bytea, places bigint[], ranks bigint[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    sketch bytea := coalesce(registers, decode(repeat('00', 2048), 'hex'));
    changed boolean := registers IS NULL;
    r record;
BEGIN
    FOR r IN SELECT u.place::integer AS place, max(u.rank)::integer AS rank FROM unnest(places, ranks) AS u (place, rank)
             WHERE u.place BETWEEN 0 AND 2047 AND u.rank BETWEEN 1 AND 49 GROUP BY 1 LOOP
        IF get_byte(sketch, r.place) < r.rank THEN
            sketch := set_byte(sketch, r.place, r.rank);
            changed := true;
        END IF;
    END LOOP;
    RETURN CASE WHEN changed THEN sketch END;
END $$;

-- What a sketch is, by its definition: the writer (store/user_meter.c) sends only what changes one.
CREATE FUNCTION nabat_sketch(registers bytea, user_ids text[]) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT nabat_sketch_raise(registers, array_agg(h.place), array_agg(h.rank))
    FROM (SELECT (('x' || left(m.hash, 4))::bit(16)::integer & 2047)::bigint AS place,
                 CASE WHEN position(B'1' IN ('x' || substr(m.hash, 5, 12))::bit(48)) = 0 THEN 49
                      ELSE position(B'1' IN ('x' || substr(m.hash, 5, 12))::bit(48)) END::bigint AS rank
          FROM (SELECT md5(u) AS hash FROM unnest(user_ids) u) m) h
$$;

-- About how many users these sketches together have met.
CREATE FUNCTION nabat_users(sketches bytea[]) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    WITH r AS (SELECT max(get_byte(s, i)) AS rank FROM unnest(sketches) s, generate_series(0, 2047) i GROUP BY i),
    e AS (SELECT 0.7213 / (1 + 1.079 / 2048) * 2048 * 2048 / sum(2 ^ -rank) AS raw, count(*) FILTER (WHERE rank = 0) AS empty
          FROM r)
    SELECT coalesce(round(CASE WHEN raw <= 2.5 * 2048 AND empty > 0 THEN 2048 * ln(2048.0 / empty) ELSE raw END), 0)::bigint FROM e
$$;

-- A project's best 1000 of one hour or day stay, once there are 2000.
CREATE FUNCTION nabat_keep_most(hours timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM user_hour u USING (
        SELECT x.hour, x.project_id, x.user_id, row_number() OVER (PARTITION BY x.hour, x.project_id
               ORDER BY x.events DESC, x.user_id) AS place, count(*) OVER (PARTITION BY x.hour, x.project_id) AS n
        FROM user_hour x WHERE x.hour = ANY(hours)) r
    WHERE r.n > 2000 AND r.place > 1000 AND u.hour = r.hour AND u.project_id = r.project_id AND u.user_id = r.user_id;
    DELETE FROM user_day u USING (
        SELECT x.day, x.project_id, x.user_id, row_number() OVER (PARTITION BY x.day, x.project_id
               ORDER BY x.events DESC, x.user_id) AS place, count(*) OVER (PARTITION BY x.day, x.project_id) AS n
        FROM user_day x WHERE x.day IN (SELECT DISTINCT date_trunc('day', h, 'UTC') FROM unnest(hours) h)) r
    WHERE r.n > 2000 AND r.place > 1000 AND u.day = r.day AND u.project_id = r.project_id AND u.user_id = r.user_id;
END $$;

CREATE FUNCTION nabat_fold_users(batches event_tally[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    s record;
    sketch bytea;
    hours timestamptz[];
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
        PERFORM nabat_keep_most(hours);
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

-- Before this moment group_day is complete, and hours behind it are not in it. A day is closed once it is over: one statement
-- a day instead of one row for each group in each fold. Returns the moment; the caller holds the lock of nabat_fold.
CREATE FUNCTION nabat_close_days() RETURNS timestamptz
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    closed timestamptz := (SELECT value::timestamptz FROM service_setting WHERE name = 'group_days_until');
    today timestamptz := date_trunc('day', now(), 'UTC');
BEGIN
    IF closed >= today THEN
        RETURN closed;
    END IF;
    INSERT INTO group_day AS d (group_id, day, events)
    SELECT group_id, date_trunc('day', hour, 'UTC'), sum(events) FROM group_hour WHERE hour >= closed AND hour < today GROUP BY 1, 2
    ON CONFLICT (group_id, day) DO UPDATE SET events = excluded.events;
    UPDATE service_setting SET value = today::text WHERE name = 'group_days_until';
    RETURN today;
END $$;

-- As in 013_hours.sql, and everything else that the batches say.
CREATE OR REPLACE FUNCTION nabat_fold(cells_max integer) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    kinds_max CONSTANT integer := 1000;
    origins_max CONSTANT integer := 200;
    releases_max CONSTANT integer := 200;
    batches event_tally[];
    closed timestamptz;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('nabat.fold'), hashtext(current_schema()::text)) THEN
        RETURN 0;
    END IF;
    closed := nabat_close_days();
    WITH due AS (SELECT id FROM (SELECT id, sum(cells) OVER (ORDER BY id) - cells AS before
                                 FROM (SELECT id, cells FROM event_tally ORDER BY id LIMIT 1000) t) t
                 WHERE before < cells_max),
    gone AS (DELETE FROM event_tally t USING due WHERE t.id = due.id RETURNING t.*)
    SELECT array_agg(gone::event_tally) INTO batches FROM gone;
    IF batches IS NULL THEN
        RETURN 0;
    END IF;
    WITH cells AS MATERIALIZED (
        SELECT c.hour, c.group_id, c.project_id, c.severity, c.origin, c.release, sum(c.events)::bigint AS events,
               sum(c.made)::bigint AS made, sum(c.regressed)::bigint AS regressed, sum(c.counted)::bigint AS counted
        FROM unnest(batches) b CROSS JOIN LATERAL nabat_cells(b) c GROUP BY 1, 2, 3, 4, 5, 6),
    kinds AS MATERIALIZED (
        SELECT c.hour, c.project_id, c.severity, c.origin, c.release, sum(c.events)::bigint AS events,
               sum(c.made)::bigint AS made, sum(c.regressed)::bigint AS regressed, sum(c.counted)::bigint AS counted
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
        INSERT INTO event_hour AS h (hour, project_id, severity, origin, release, events, made, regressed, counted)
        SELECT hour, project_id, severity, CASE WHEN is_named THEN origin ELSE '(other)' END,
               CASE WHEN fits THEN release ELSE '(other)' END, sum(events), sum(made), sum(regressed), sum(counted)
        FROM named GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (hour, project_id, severity, origin, release) DO UPDATE SET events = h.events + excluded.events,
            made = h.made + excluded.made, regressed = h.regressed + excluded.regressed, counted = h.counted + excluded.counted),
    by_project AS (
        INSERT INTO project_hour AS h (hour, project_id, severity, events, made, regressed, counted)
        SELECT hour, project_id, severity, sum(events), sum(made), sum(regressed), sum(counted)
        FROM kinds WHERE origin <> 'nabat_selftest' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (hour, project_id, severity) DO UPDATE SET events = h.events + excluded.events,
            made = h.made + excluded.made, regressed = h.regressed + excluded.regressed, counted = h.counted + excluded.counted),
    by_group AS (
        INSERT INTO group_hour AS h (group_id, hour, events)
        SELECT group_id, hour, sum(events) FROM cells WHERE events > 0 GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (group_id, hour) DO UPDATE SET events = h.events + excluded.events),
    -- days that are closed get what comes late; the others get all of it at once when they are
    by_group_day AS (
        INSERT INTO group_day AS d (group_id, day, events)
        SELECT group_id, date_trunc('day', hour, 'UTC'), sum(events) FROM cells WHERE events > 0 AND hour < closed
        GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (group_id, day) DO UPDATE SET events = d.events + excluded.events),
    by_release AS (
        SELECT c.group_id, c.release, sum(c.events) AS events, sum(c.made) AS made, sum(c.regressed) AS regressed,
               min(c.hour) AS first_hour, max(c.hour) AS last_hour
        FROM cells c WHERE c.release <> '' GROUP BY 1, 2),
    -- what is there already and says nothing new is not written again
    news AS (
        SELECT r.*, x.group_id IS NOT NULL AS known FROM by_release r LEFT JOIN group_release x USING (group_id, release)
        WHERE x.group_id IS NULL OR r.made > 0 OR r.regressed > 0),
    placed AS (
        SELECT n.*, n.known OR row_number() OVER (PARTITION BY n.group_id ORDER BY n.events DESC, n.release)
                    + (SELECT count(*) FROM group_release x WHERE x.group_id = n.group_id) <= releases_max AS fits
        FROM news n)
    INSERT INTO group_release AS r (group_id, release, made, regressed, first_hour, last_hour)
    SELECT group_id, CASE WHEN fits THEN release ELSE '(other)' END, sum(made), sum(regressed), min(first_hour), max(last_hour)
    FROM placed GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (group_id, release) DO UPDATE SET made = r.made + excluded.made,
        regressed = r.regressed + excluded.regressed, last_hour = greatest(r.last_hour, excluded.last_hour);
    PERFORM nabat_fold_users(batches);
    RETURN (SELECT sum(b.cells) FROM unnest(batches) b);
END $$;

-- Hours before `before` go; returns how many. Kinds and projects become days, groups' days are there already.
CREATE OR REPLACE FUNCTION nabat_hours_to_days(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    whole timestamptz := date_trunc('day', before, 'UTC');
    n bigint;
    m bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('nabat.fold'), hashtext(current_schema()::text));
    PERFORM nabat_close_days();
    WITH gone AS (DELETE FROM event_hour WHERE hour < whole RETURNING *),
    sums AS (SELECT date_trunc('day', hour, 'UTC') AS day, project_id, severity, origin, release, sum(events) AS events,
                    sum(made) AS made, sum(regressed) AS regressed, sum(counted) AS counted
             FROM gone GROUP BY 1, 2, 3, 4, 5),
    ranked AS (SELECT s.*, row_number() OVER (PARTITION BY day, project_id ORDER BY events DESC, origin, release) AS place
               FROM sums s),
    days AS (INSERT INTO event_day AS d (day, project_id, severity, origin, release, events, made, regressed, counted)
             SELECT day, project_id, severity, origin, CASE WHEN place <= 1000 THEN release ELSE '(other)' END, sum(events),
                    sum(made), sum(regressed), sum(counted)
             FROM ranked GROUP BY 1, 2, 3, 4, 5
             ON CONFLICT (day, project_id, severity, origin, release) DO UPDATE SET events = d.events + excluded.events,
                made = d.made + excluded.made, regressed = d.regressed + excluded.regressed,
                counted = d.counted + excluded.counted)
    SELECT count(*) INTO n FROM gone;
    WITH gone AS (DELETE FROM project_hour WHERE hour < whole RETURNING *)
    INSERT INTO project_day AS d (day, project_id, severity, events, made, regressed, counted)
    SELECT date_trunc('day', hour, 'UTC'), project_id, severity, sum(events), sum(made), sum(regressed), sum(counted)
    FROM gone GROUP BY 1, 2, 3
    ON CONFLICT (day, project_id, severity) DO UPDATE SET events = d.events + excluded.events,
        made = d.made + excluded.made, regressed = d.regressed + excluded.regressed, counted = d.counted + excluded.counted;
    WITH gone AS (DELETE FROM group_hour WHERE hour < whole RETURNING 1)
    SELECT count(*) INTO m FROM gone;
    DELETE FROM user_sketch WHERE NOT is_day AND at < whole;
    DELETE FROM loss_hour WHERE hour < whole;
    RETURN n + m;
END $$;

CREATE VIEW error_hours AS
SELECT hour, project_id, severity, origin, nullif(release, '') AS release, sum(events)::bigint AS events,
       sum(made)::bigint AS made, sum(regressed)::bigint AS regressed, sum(counted)::bigint AS counted
FROM (SELECT hour, project_id, severity, origin, release, events, made, regressed, counted FROM event_hour
      UNION ALL
      SELECT c.hour, c.project_id, c.severity, c.origin, c.release, c.events, c.made, c.regressed, c.counted
      FROM event_tally t CROSS JOIN LATERAL nabat_cells(t) c) h
WHERE origin <> 'nabat_selftest'
GROUP BY hour, project_id, severity, origin, release;

CREATE VIEW group_hours AS
SELECT coalesce(g.merged_into, h.group_id) AS group_id, h.hour, sum(h.events)::bigint AS events
FROM (SELECT group_id, hour, events FROM group_hour
      UNION ALL
      SELECT c.group_id, c.hour, c.events FROM event_tally t CROSS JOIN LATERAL nabat_cells(t) c WHERE c.events > 0) h
LEFT JOIN error_group g ON g.id = h.group_id
WHERE g.origin IS DISTINCT FROM 'nabat_selftest'
GROUP BY 1, 2;

CREATE VIEW error_users AS
SELECT at AS day, project_id, nabat_users(ARRAY[registers]) AS users_about FROM user_sketch WHERE is_day;

-- What later migrations have to erase goes here, so that they need not repeat forget_user.
CREATE FUNCTION nabat_forget_more(person text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM user_hour u WHERE u.user_id = person;
    DELETE FROM user_day u WHERE u.user_id = person;
END $$;

-- As in 014_forward.sql, and the person's place among those who met most. What is counted and not yet added up is added up
-- before, so that it can be found. A sketch names nobody.
CREATE OR REPLACE FUNCTION forget_user(user_id text) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    n bigint := 0;
    m bigint;
    groups bigint[] := ARRAY(SELECT DISTINCT nabat_root(e.group_id) FROM event e
                             WHERE e.user_id = forget_user.user_id
                                OR e.chat_id::text = forget_user.user_id);
    stacks jsonb := (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_array((e.received_at AT TIME ZONE 'UTC')::date,
                                                                         e.stack_hash)), '[]')
                     FROM event e WHERE (e.user_id = forget_user.user_id OR e.chat_id::text = forget_user.user_id)
                                    AND e.stack_hash IS NOT NULL);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('nabat.fold'), hashtext(current_schema()::text));
    WHILE nabat_fold(100000) > 0 LOOP
    END LOOP;
    PERFORM nabat_forget_more(forget_user.user_id);
    DELETE FROM forward_queue q USING event e
    WHERE (e.user_id = forget_user.user_id OR e.chat_id::text = forget_user.user_id) AND q.event_id = e.event_id;
    DELETE FROM event_attachment a USING event e
    WHERE (e.user_id = forget_user.user_id OR e.chat_id::text = forget_user.user_id)
      AND a.project_id = e.project_id AND a.event_id = e.event_id;
    DELETE FROM alert_note t USING user_feedback f, event e
    WHERE (e.user_id = forget_user.user_id OR e.chat_id::text = forget_user.user_id)
      AND f.project_id = e.project_id AND f.event_id = e.event_id
      AND t.group_id = f.group_id AND t.kind = 'feedback' AND t.body = f.message;
    DELETE FROM user_feedback f USING event e
    WHERE (e.user_id = forget_user.user_id OR e.chat_id::text = forget_user.user_id)
      AND f.project_id = e.project_id AND f.event_id = e.event_id;
    UPDATE event e SET user_id = NULL, chat_id = NULL, session_id = NULL, request_id = NULL,
           gen_request_id = NULL, trace_id = NULL, payload = NULL, tags = NULL,
           breadcrumbs = NULL, stack_hash = NULL, stack_said = NULL, detail = NULL,
           message = CASE WHEN e.message IS NOT NULL THEN '[forgotten]' END
    WHERE e.user_id = forget_user.user_id OR e.chat_id::text = forget_user.user_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    -- a stack may quote the person; one that other people's events have too stays
    DELETE FROM error_stack s USING jsonb_array_elements(stacks) v
    WHERE s.received_day = (v ->> 0)::date AND s.hash = (v ->> 1)::uuid
      AND NOT EXISTS (SELECT 1 FROM event e WHERE e.stack_hash = s.hash
                      AND e.received_at >= s.received_day::timestamp AT TIME ZONE 'UTC'
                      AND e.received_at < (s.received_day + 1)::timestamp AT TIME ZONE 'UTC');
    -- a title is the group's, not the person's; the id in it goes
    UPDATE error_group g SET title = replace(g.title, forget_user.user_id, '[forgotten]'),
           culprit = replace(g.culprit, forget_user.user_id, '[forgotten]')
    WHERE (g.id = ANY(groups) OR g.merged_into = ANY(groups)) AND length(forget_user.user_id) >= 5
      AND strpos(concat(g.title, g.culprit), forget_user.user_id) > 0;
    UPDATE event_kept e SET user_id = NULL, chat_id = NULL, session_id = NULL, request_id = NULL,
           gen_request_id = NULL, trace_id = NULL, payload = NULL, tags = NULL,
           breadcrumbs = NULL, stacktrace = NULL, detail = NULL,
           message = CASE WHEN e.message IS NOT NULL THEN '[forgotten]' END
    WHERE e.user_id = forget_user.user_id OR e.chat_id::text = forget_user.user_id;
    GET DIAGNOSTICS m = ROW_COUNT;
    n := n + m;
    DELETE FROM event_inbox i WHERE i.body ->> 'user_id' = forget_user.user_id
                                 OR i.body ->> 'chat_id' = forget_user.user_id;
    DELETE FROM event_inbox_failed i WHERE i.body ->> 'user_id' = forget_user.user_id
                                        OR i.body ->> 'chat_id' = forget_user.user_id;
    DELETE FROM group_user u WHERE u.user_id = forget_user.user_id;
    -- what cards in chats still show of the person goes with their next edit, which is now
    UPDATE alert_card c SET edit = CASE WHEN c.is_current THEN 'change' ELSE 'retire' END,
           edit_since = now(), edit_tries = 0, edit_seq = c.edit_seq + 1
    WHERE c.group_id = ANY(groups) AND c.made_at > now() - interval '90 days';
    DELETE FROM chat_person p WHERE p.user_id::text = forget_user.user_id;
    DELETE FROM chat_setting s WHERE s.chat_id::text = forget_user.user_id;
    DELETE FROM chat_message c WHERE c.chat_id::text = forget_user.user_id;
    UPDATE telegram_update t SET body = NULL, handled_at = coalesce(t.handled_at, now())
    WHERE t.body #>> '{message,from,id}' = forget_user.user_id
       OR t.body #>> '{callback_query,from,id}' = forget_user.user_id
       OR t.body #>> '{message_reaction,user,id}' = forget_user.user_id
       OR t.body #>> '{my_chat_member,from,id}' = forget_user.user_id;
    RETURN n;
END $$;
CREATE INDEX user_hour_user ON user_hour (user_id);
CREATE INDEX user_day_user ON user_day (user_id);

SELECT pg_advisory_xact_lock(hashtext('nabat.groups'));
-- What is counted but not added up is still to come.
INSERT INTO project_hour (hour, project_id, severity, events)
SELECT hour, project_id, severity, sum(events) FROM event_hour WHERE origin <> 'nabat_selftest' GROUP BY 1, 2, 3;
INSERT INTO project_day (day, project_id, severity, events)
SELECT day, project_id, severity, sum(events) FROM event_day WHERE origin <> 'nabat_selftest' GROUP BY 1, 2, 3;
INSERT INTO group_day AS d (group_id, day, events)
SELECT group_id, date_trunc('day', hour, 'UTC'), sum(events) FROM group_hour WHERE hour < date_trunc('day', now(), 'UTC') GROUP BY 1, 2
ON CONFLICT (group_id, day) DO UPDATE SET events = d.events + excluded.events;
INSERT INTO service_setting (name, value) VALUES ('group_days_until', date_trunc('day', now(), 'UTC')::text);
CREATE TABLE nabat_made AS
SELECT date_trunc('hour', e.received_at, 'UTC') AS hour, e.project_id, e.severity, e.origin, coalesce(e.release, '') AS release, count(*) AS n
FROM error_group g
CROSS JOIN LATERAL (SELECT * FROM event e WHERE e.group_id = g.id AND e.received_at >= g.first_seen - interval '1 hour'
                    AND e.received_at < g.first_seen + interval '1 hour' ORDER BY e.id LIMIT 1) e
WHERE g.origin <> 'nabat_selftest' GROUP BY 1, 2, 3, 4, 5;
UPDATE event_hour h SET made = m.n FROM nabat_made m
WHERE m.hour = h.hour AND m.project_id = h.project_id AND m.severity = h.severity AND m.origin = h.origin AND m.release = h.release;
UPDATE project_hour h SET made = m.n
FROM (SELECT hour, project_id, severity, sum(n) AS n FROM nabat_made GROUP BY 1, 2, 3) m
WHERE m.hour = h.hour AND m.project_id = h.project_id AND m.severity = h.severity;
DROP TABLE nabat_made;
