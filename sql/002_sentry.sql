-- 002_sentry.sql -- what Sentry SDKs bring beside errors: source and variables of frames, attachments,
-- what users said, sessions, check-ins of cron jobs, keys that change.
--
-- Safe on a live database: columns are added without a default, so no row is rewritten; what is
-- made by the day is made for the days that are there already.
--
-- makes: event_attachment user_feedback alert_note session_hour monitor monitor_checkin
-- makes: release_health monitors

-- Frames with their source lines and local variables: zstd of JSON, read by the service alone.
-- EXTERNAL, because compressing it again would only cost.
ALTER TABLE event ADD COLUMN detail bytea;
ALTER TABLE event ALTER COLUMN detail SET STORAGE EXTERNAL;
DO $$
DECLARE leaf regclass;
BEGIN
    FOR leaf IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'event'::regclass LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN detail SET STORAGE EXTERNAL', leaf);
    END LOOP;
END $$;
ALTER TABLE event_kept ADD COLUMN detail bytea;

-- Files that came with an event: they go with their day. `bytes` is what was sent; body is NULL when
-- that was more than is kept.
CREATE TABLE event_attachment (
    received_day date NOT NULL,
    project_id   integer NOT NULL,
    event_id     text COLLATE "C" NOT NULL,
    n            integer NOT NULL,
    name         text NOT NULL,
    content_type text,
    bytes        bigint NOT NULL,
    body         bytea,
    PRIMARY KEY (received_day, project_id, event_id, n)
) PARTITION BY RANGE (received_day);
ALTER TABLE event_attachment ALTER COLUMN body SET STORAGE EXTERNAL;

-- One day's leaf of one parent, if missing: LIKE, CHECK, ATTACH, as in 001.
CREATE FUNCTION nabat_make_leaf(parent text, key text, day date, is_time boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    leaf    text := parent || '_' || to_char(day, 'YYYYMMDD');
    zone    text := CASE WHEN is_time THEN ' 00:00:00+00' ELSE '' END;
    from_at text := to_char(day, 'YYYY-MM-DD') || zone;
    to_at   text := to_char(day + 1, 'YYYY-MM-DD') || zone;
BEGIN
    IF parent NOT IN ('event', 'error_stack', 'event_attachment')
       OR to_regclass(quote_ident(current_schema()) || '.' || leaf) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING '
                   'COMPRESSION, CONSTRAINT %I CHECK (%I >= %L AND %I < %L))',
                   leaf, parent, leaf || '_day', key, from_at, key, to_at);
    IF parent = 'event' THEN
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (project_id, event_id)', leaf || '_repeat',
                       leaf);
    END IF;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, leaf,
                   from_at, to_at);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION nabat_make_leaf(text, text, date, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION nabat_make_day(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    suffix text := to_char(day, 'YYYYMMDD');
    here   text := quote_ident(current_schema());
    made   boolean;
BEGIN
    IF day > (now() AT TIME ZONE 'UTC')::date + 14 OR day < DATE '2020-01-01' THEN
        RAISE EXCEPTION 'no tables are made for %', day;
    END IF;
    IF to_regclass(here || '.event_' || suffix) IS NOT NULL
       AND to_regclass(here || '.event_attachment_' || suffix) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('nabat.make_day'), hashtext(current_schema()::text));
    made := nabat_make_leaf('event', 'received_at', day, true);
    PERFORM nabat_make_leaf('error_stack', 'received_day', day, false);
    PERFORM nabat_make_leaf('event_attachment', 'received_day', day, false);
    RETURN made;
END $$;

SELECT nabat_make_leaf('event_attachment', 'received_day',
                       to_date(right(c.relname, 8), 'YYYYMMDD'), false)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'event'::regclass AND c.relname ~ '^event_[0-9]{8}$';

-- ------------------------------------------------------------------------------------------ keys
-- A key that was rotated is taken until previous_until; keys that pages show have a rate.
ALTER TABLE project ADD COLUMN previous_key text UNIQUE
    CHECK (previous_key ~ '^[0-9a-f]{32}$');
ALTER TABLE project ADD COLUMN previous_until timestamptz;
ALTER TABLE project ADD COLUMN rate_per_minute integer CHECK (rate_per_minute > 0);

-- What fell due while a project was disabled is not held against its jobs: they could not check in.
ALTER TABLE project ADD COLUMN enabled_at timestamptz;
CREATE FUNCTION nabat_project_enabled() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.enabled_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER project_enabled BEFORE UPDATE OF enabled ON project FOR EACH ROW
    WHEN (NEW.enabled AND NOT OLD.enabled) EXECUTE FUNCTION nabat_project_enabled();

-- ------------------------------------------------------------------------------------ what people say
CREATE TABLE user_feedback (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feedback_id text NOT NULL,
    project_id  integer NOT NULL,
    event_id    text NOT NULL,
    group_id    bigint,          -- once the event is there: either may come first
    name        text,
    email       text,
    message     text NOT NULL,
    url         text,
    received_at timestamptz NOT NULL DEFAULT now(),
    next_try    timestamptz NOT NULL DEFAULT now(), -- when its event is looked for again
    UNIQUE (project_id, feedback_id)
);
CREATE INDEX user_feedback_group ON user_feedback (group_id, id) WHERE group_id IS NOT NULL;
CREATE INDEX user_feedback_alone ON user_feedback (next_try) WHERE group_id IS NULL;
CREATE INDEX user_feedback_age ON user_feedback (received_at);

-- Words that go under a group's card: what a user said, that a monitor recovered.
CREATE TABLE alert_note (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id   bigint NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('feedback', 'recovered')),
    author     text,          -- who said it; of 'recovered' the job
    body       text NOT NULL, -- of 'recovered': minutes it failed, and how often
    created_at timestamptz NOT NULL DEFAULT now(),
    queued_at  timestamptz
);
CREATE INDEX alert_note_waiting ON alert_note (id) WHERE queued_at IS NULL;
CREATE INDEX alert_note_group ON alert_note (group_id, queued_at);
ALTER TABLE alert_outbox ADD COLUMN note_id bigint;

-- -------------------------------------------------------------------------------------- sessions
CREATE TABLE session_hour (
    project_id  integer NOT NULL,
    release     text NOT NULL,
    environment text NOT NULL,
    hour        timestamptz NOT NULL,
    started     bigint NOT NULL DEFAULT 0,
    errored     bigint NOT NULL DEFAULT 0,
    crashed     bigint NOT NULL DEFAULT 0,
    abnormal    bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, release, environment, hour)
);
CREATE INDEX session_hour_age ON session_hour (hour);

CREATE VIEW release_health AS
SELECT project_id, release, environment, min(hour) AS first_hour, max(hour) AS last_hour,
       sum(started) AS sessions, sum(crashed) AS crashed, sum(errored) AS errored,
       sum(abnormal) AS abnormal,
       CASE WHEN sum(started) > 0
            THEN round(100.0 * greatest(sum(started) - sum(crashed), 0) / sum(started), 2)
       END AS crash_free_percent
FROM session_hour GROUP BY project_id, release, environment;

-- -------------------------------------------------------------------------------------- monitors
-- A monitor is one cron job in one environment. `version` guards it: who decides on what he read
-- writes only if nobody wrote meanwhile.
CREATE TABLE monitor (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id         integer NOT NULL REFERENCES project (id),
    slug               text NOT NULL,
    environment        text NOT NULL,
    schedule           text NOT NULL,
    is_interval        boolean NOT NULL,
    timezone           text NOT NULL DEFAULT 'UTC',
    margin_min         integer NOT NULL DEFAULT 1,
    max_runtime_min    integer NOT NULL DEFAULT 30,
    failure_threshold  integer NOT NULL DEFAULT 1,
    recovery_threshold integer NOT NULL DEFAULT 1,
    enabled            boolean NOT NULL DEFAULT true,
    last_status        text,
    last_checkin_at    timestamptz,
    last_ok_at         timestamptz,
    next_at            timestamptz, -- expected; NULL before the first check-in
    bad_streak         integer NOT NULL DEFAULT 0,
    good_streak        integer NOT NULL DEFAULT 0,
    incident_since     timestamptz, -- NULL: well
    version            bigint NOT NULL DEFAULT 0,
    created_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, slug, environment)
);

CREATE TABLE monitor_checkin (
    monitor_id  bigint NOT NULL REFERENCES monitor (id) ON DELETE CASCADE,
    checkin_id  text NOT NULL,
    status      text NOT NULL CHECK (status IN ('in_progress', 'ok', 'error', 'missed', 'timeout')),
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    duration_ms bigint,
    timeout_at  timestamptz,
    release     text,
    PRIMARY KEY (monitor_id, checkin_id)
);
CREATE INDEX monitor_checkin_age ON monitor_checkin (started_at);
CREATE INDEX monitor_checkin_running ON monitor_checkin (timeout_at) WHERE status = 'in_progress';

CREATE VIEW monitors AS
SELECT m.id, p.slug AS project, m.slug, m.environment,
       CASE WHEN NOT m.enabled THEN 'disabled' WHEN m.incident_since IS NOT NULL THEN 'failing'
            WHEN m.last_status IS NULL THEN 'waiting' ELSE 'ok' END AS state,
       m.last_status, m.last_checkin_at, m.last_ok_at, m.next_at, m.incident_since, m.schedule,
       m.timezone
FROM monitor m JOIN project p ON p.id = m.project_id;

-- ------------------------------------------------------------------------------------- forgetting
CREATE OR REPLACE FUNCTION forget_user(user_id text) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    n bigint := 0;
    m bigint;
BEGIN
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
           breadcrumbs = NULL, stack_hash = NULL, detail = NULL,
           message = CASE WHEN e.message IS NOT NULL THEN '[forgotten]' END
    WHERE e.user_id = forget_user.user_id OR e.chat_id::text = forget_user.user_id;
    GET DIAGNOSTICS n = ROW_COUNT;
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
    UPDATE telegram_update t SET body = NULL, handled_at = coalesce(t.handled_at, now())
    WHERE t.body #>> '{message,from,id}' = forget_user.user_id
       OR t.body #>> '{callback_query,from,id}' = forget_user.user_id;
    RETURN n;
END $$;
