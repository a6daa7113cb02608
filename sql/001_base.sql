-- 001_base.sql -- the whole store: projects, groups, events by day, alerts, chat, and what psql sees.
--
-- Runs in one transaction under nabat's migration lock, with search_path set to the schema alone.
-- Function bodies name relations without a schema: each function keeps the search_path that it was
-- made with (SET search_path FROM CURRENT), so it can't be led astray by its caller's.
--
-- makes: project error_group event error_stack event_kept group_user group_delta event_inbox
-- makes: event_inbox_failed alert_due alert_outbox alert_card alert_state error_group_history
-- makes: service_lease service_setting telegram_update chat_member bot_error_event open_errors
-- makes: error_stats_24h

CREATE TABLE project (
    id           integer PRIMARY KEY,
    slug         text NOT NULL UNIQUE,
    public_key   text NOT NULL UNIQUE CHECK (public_key ~ '^[0-9a-f]{32}$'),
    enabled      boolean NOT NULL DEFAULT true,
    max_severity text NOT NULL DEFAULT 'critical'
                 CHECK (max_severity IN ('debug', 'info', 'warning', 'error', 'critical')),
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- Small facts of the service itself: instance-independent, key by key.
CREATE TABLE service_setting (
    name  text PRIMARY KEY,
    value text NOT NULL
);

-- Who decides and delivers: one row, renewed every 3 s, valid for 10. A row and not a session lock,
-- so that poolers and failover don't matter; `epoch` fences a holder that does not know it lost it.
CREATE TABLE service_lease (
    name   text PRIMARY KEY,
    holder text NOT NULL,
    epoch  bigint NOT NULL DEFAULT 0,
    until  timestamptz NOT NULL
);
INSERT INTO service_lease (name, holder, until) VALUES ('alerts', '', '-infinity');

-- ---------------------------------------------------------------------------------------- groups
-- Hot row: counters change with every batch. No index on them and room on the page keep those
-- updates HOT; the trigger below fires only when a person's columns changed.
CREATE SEQUENCE error_group_id_seq;
CREATE TABLE error_group (
    id                 bigint PRIMARY KEY DEFAULT nextval('error_group_id_seq'),
    project_id         integer NOT NULL DEFAULT 1 REFERENCES project (id),
    fingerprint        text COLLATE "C" NOT NULL,
    title              text NOT NULL,
    culprit            text,
    origin             text NOT NULL,
    severity           text NOT NULL
                       CHECK (severity IN ('debug', 'info', 'warning', 'error', 'critical')),
    status             text NOT NULL DEFAULT 'new'
                       CHECK (status IN ('new', 'in_progress', 'resolved')),
    occurrences        bigint NOT NULL DEFAULT 0,
    users_affected     bigint NOT NULL DEFAULT 0,
    first_seen         timestamptz NOT NULL DEFAULT now(),
    last_seen          timestamptz NOT NULL DEFAULT now(),
    assigned_to        text,
    assigned_to_id     bigint,
    note               text,
    muted_until        timestamptz,
    muted_until_count  bigint,
    resolved_at        timestamptz,
    resolved_by_person boolean NOT NULL DEFAULT false,
    taken_at           timestamptz,
    handler            text,
    touched            boolean NOT NULL DEFAULT false, -- a person changed it
    UNIQUE (project_id, fingerprint)
) WITH (fillfactor = 60);
ALTER SEQUENCE error_group_id_seq OWNED BY error_group.id;
CREATE INDEX error_group_open ON error_group (status, id) WHERE status <> 'resolved';

-- Counters for a group whose row a person's open transaction holds: added to it when it is free, so
-- that nobody's psql can stop ingest.
CREATE TABLE group_delta (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id      bigint NOT NULL,
    occurrences   bigint NOT NULL,
    last_seen     timestamptz NOT NULL,
    severity      text NOT NULL,
    users         bigint NOT NULL DEFAULT 0
);

CREATE TABLE group_user (
    group_id bigint NOT NULL,
    user_id  text NOT NULL,
    PRIMARY KEY (group_id, user_id)
);

-- ---------------------------------------------------------------------------------------- events
-- One sequence for every way in; growing with time, below 2^53.
CREATE SEQUENCE event_id_seq CACHE 1 MAXVALUE 9007199254740991;

-- Partitions by UTC day of receipt are made by nabat_make_day; there is no DEFAULT partition,
-- because that forbids DETACH CONCURRENTLY.
CREATE TABLE event (
    id             bigint NOT NULL,
    received_at    timestamptz NOT NULL,
    occurred_at    timestamptz NOT NULL,
    group_id       bigint NOT NULL,
    project_id     integer NOT NULL,
    chat_id        bigint,
    event_id       text COLLATE "C" NOT NULL,
    severity       text NOT NULL,
    origin         text NOT NULL,
    handler        text,
    message        text,
    exception_type text,
    user_id        text,
    gen_request_id text,
    request_id     text,
    session_id     text,
    trace_id       text,
    environment    text,
    release        text,
    server_name    text,
    stack_hash     uuid,
    payload        jsonb,
    tags           jsonb,
    breadcrumbs    jsonb
) PARTITION BY RANGE (received_at);
CREATE INDEX event_id_idx ON event (id);
CREATE INDEX event_group_idx ON event (group_id, id);
CREATE INDEX event_origin_idx ON event (origin, received_at);
CREATE INDEX event_critical_idx ON event (id, group_id) WHERE severity = 'critical';

-- The text of each distinct stack once a day; it goes with its day.
CREATE TABLE error_stack (
    received_day date NOT NULL,
    hash         uuid NOT NULL,
    body         text NOT NULL,
    PRIMARY KEY (received_day, hash)
) PARTITION BY RANGE (received_day);

-- What must outlive its day is copied here first, stack and all; the view includes it.
CREATE TABLE event_kept (
    LIKE event,
    stacktrace text,
    PRIMARY KEY (id)
);

-- lz4 costs a third of pglz where the server was built with it.
DO $$
DECLARE c text;
BEGIN
    FOREACH c IN ARRAY ARRAY['payload', 'tags', 'breadcrumbs', 'message'] LOOP
        EXECUTE format('ALTER TABLE event ALTER COLUMN %I SET COMPRESSION lz4', c);
    END LOOP;
    ALTER TABLE error_stack ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
    RAISE NOTICE 'this server has no lz4; pglz is used';
END $$;

-- Makes the leaves of one UTC day, if missing: LIKE, leaf index, ATTACH, because CREATE ... PARTITION
-- OF would lock out readers. Safe to be called by two sessions at once.
-- SECURITY DEFINER, because only the owner of `event` may attach to it and the service may run as
-- another role; what it can be asked to make is bounded.
CREATE FUNCTION nabat_make_day(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    leaf  text := 'event_' || to_char(day, 'YYYYMMDD');
    stack text := 'error_stack_' || to_char(day, 'YYYYMMDD');
    from_ts text := to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00';
    to_ts   text := to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00';
BEGIN
    IF day > (now() AT TIME ZONE 'UTC')::date + 14 OR day < DATE '2020-01-01' THEN
        RAISE EXCEPTION 'no tables are made for %', day;
    END IF;
    IF to_regclass(quote_ident(current_schema()) || '.' || leaf) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('nabat.make_day'), hashtext(current_schema()::text));
    IF to_regclass(quote_ident(current_schema()) || '.' || leaf) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING '
                   'COMPRESSION, CONSTRAINT %I CHECK (received_at >= %L AND received_at < %L))',
                   leaf, leaf || '_day', from_ts, to_ts);
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (project_id, event_id)', leaf || '_repeat', leaf);
    EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   leaf, from_ts, to_ts);
    EXECUTE format('CREATE TABLE %I (LIKE error_stack INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING '
                   'COMPRESSION, CONSTRAINT %I CHECK (received_day = %L))',
                   stack, stack || '_day', day);
    EXECUTE format('ALTER TABLE error_stack ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   stack, day, day + 1);
    RETURN true;
END $$;

SELECT nabat_make_day((now() AT TIME ZONE 'UTC')::date + n) FROM generate_series(0, 3) AS n;

-- ---------------------------------------------------------------------------------------- alerts
-- Facts written by many, decided on by one: how many events of which severity a batch brought to a
-- group ('event'), or that somebody changed it ('change'). Appended and deleted, never updated, so
-- writers and the decider do not wait for each other.
CREATE TABLE alert_due (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('event', 'change', 'reopen')),
    group_id      bigint NOT NULL,
    n             bigint NOT NULL DEFAULT 0,
    severity      text,
    occurred_max  timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now()
);

-- What was decided to be sent: a row is one message. Only the holder of the lease moves `state`.
CREATE TABLE alert_outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id    bigint NOT NULL,
    chat_id     bigint NOT NULL,
    thread_id   bigint,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN
                ('pending', 'sending', 'sent', 'uncertain', 'folded', 'failed', 'dropped')),
    reason      text NOT NULL DEFAULT 'new',
    held        bigint NOT NULL DEFAULT 0,
    attempts    integer NOT NULL DEFAULT 0,
    last_error  text,
    possible_repeat boolean NOT NULL DEFAULT false,
    epoch       bigint,
    created_at  timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz NOT NULL DEFAULT now(),
    sent_at     timestamptz,
    message_id  bigint
);
CREATE INDEX alert_outbox_waiting ON alert_outbox (next_try_at)
    WHERE state IN ('pending', 'sending', 'uncertain');
CREATE INDEX alert_outbox_group ON alert_outbox (group_id, id);

-- Messages in a chat that are cards of a group: what may be edited, and which presses count.
CREATE TABLE alert_card (
    chat_id     bigint NOT NULL,
    message_id  bigint NOT NULL,
    group_id    bigint NOT NULL,
    thread_id   bigint,
    outbox_id   bigint,
    is_current  boolean NOT NULL DEFAULT true,
    edit        text CHECK (edit IN ('count', 'change', 'retire')), -- what it waits for
    edit_since  timestamptz,
    edited_at   timestamptz,
    edit_tries  integer NOT NULL DEFAULT 0,
    edit_seq    bigint NOT NULL DEFAULT 0, -- one more with each wish: a newer one survives an edit
    held        bigint NOT NULL DEFAULT 0,
    made_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chat_id, message_id)
);
CREATE INDEX alert_card_group ON alert_card (group_id, is_current);
CREATE INDEX alert_card_edit ON alert_card (edit_since) WHERE edit IS NOT NULL;

-- What the engine remembers of a group in a chat.
CREATE TABLE alert_state (
    group_id     bigint NOT NULL,
    chat_id      bigint NOT NULL,
    last_ring_at timestamptz, -- NULL: held back before it ever rang (taken, for one)
    held         bigint NOT NULL DEFAULT 0, -- events since then that did not ring
    PRIMARY KEY (group_id, chat_id)
);

-- ------------------------------------------------------------------------------------------ chat
-- Updates are stored before Telegram is told that we have them; repeats are dropped by id.
CREATE TABLE telegram_update (
    bot_id      bigint NOT NULL,
    update_id   bigint NOT NULL,
    body        jsonb,              -- emptied once handled: chats are not ours to keep
    received_at timestamptz NOT NULL DEFAULT now(),
    handled_at  timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    PRIMARY KEY (bot_id, update_id)
);
CREATE INDEX telegram_update_waiting ON telegram_update (update_id) WHERE handled_at IS NULL;
CREATE INDEX telegram_update_age ON telegram_update (received_at);

-- Owners named by `nabat --owner`.
CREATE TABLE chat_member (
    user_id  bigint PRIMARY KEY,
    role     text NOT NULL CHECK (role IN ('viewer', 'triage', 'owner')),
    added_at timestamptz NOT NULL DEFAULT now()
);

-- --------------------------------------------------------------------------------------- history
CREATE TABLE error_group_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id   bigint NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    what       text NOT NULL,
    old_value  text,
    new_value  text,
    actor      text NOT NULL,
    actor_id   bigint,
    source     text NOT NULL
);
CREATE INDEX error_group_history_group ON error_group_history (group_id, id);

-- Our own transactions say who and where from by nabat.actor and nabat.source; unset means psql.
CREATE FUNCTION nabat_source() RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS
$$ SELECT coalesce(nullif(current_setting('nabat.source', true), ''), 'psql') $$;

CREATE FUNCTION nabat_actor() RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS
$$ SELECT coalesce(nullif(current_setting('nabat.actor', true), ''), session_user::text) $$;

-- What follows from a status is set here, whoever set the status.
CREATE FUNCTION nabat_group_before() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.status IS DISTINCT FROM OLD.status THEN
        NEW.resolved_at := CASE WHEN NEW.status = 'resolved' THEN clock_timestamp() END;
        NEW.resolved_by_person := NEW.status = 'resolved' AND nabat_source() <> 'service';
        NEW.taken_at := CASE WHEN NEW.status = 'in_progress' THEN clock_timestamp() END;
    END IF;
    NEW.touched := OLD.touched OR nabat_source() <> 'service';
    RETURN NEW;
END $$;

CREATE TRIGGER error_group_before BEFORE UPDATE OF status, assigned_to, note, muted_until,
    muted_until_count ON error_group
    FOR EACH ROW WHEN ((OLD.status, OLD.assigned_to, OLD.note, OLD.muted_until,
                        OLD.muted_until_count)
                       IS DISTINCT FROM
                       (NEW.status, NEW.assigned_to, NEW.note, NEW.muted_until,
                        NEW.muted_until_count))
    EXECUTE FUNCTION nabat_group_before();

CREATE FUNCTION nabat_group_after() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    actor_id bigint := nullif(current_setting('nabat.actor_id', true), '')::bigint;
BEGIN
    INSERT INTO error_group_history (group_id, what, old_value, new_value, actor, actor_id, source)
    SELECT NEW.id, c.what, c.old_value, c.new_value, nabat_actor(), actor_id, nabat_source()
    FROM (VALUES ('status', OLD.status, NEW.status),
                 ('assigned_to', OLD.assigned_to, NEW.assigned_to),
                 ('note', OLD.note, NEW.note),
                 ('muted_until', OLD.muted_until::text, NEW.muted_until::text),
                 ('muted_until_count', OLD.muted_until_count::text, NEW.muted_until_count::text))
         AS c (what, old_value, new_value)
    WHERE c.old_value IS DISTINCT FROM c.new_value;
    INSERT INTO alert_due (kind, group_id) VALUES ('change', NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER error_group_after AFTER UPDATE OF status, assigned_to, note, muted_until,
    muted_until_count ON error_group
    FOR EACH ROW WHEN ((OLD.status, OLD.assigned_to, OLD.note, OLD.muted_until,
                        OLD.muted_until_count)
                       IS DISTINCT FROM
                       (NEW.status, NEW.assigned_to, NEW.note, NEW.muted_until,
                        NEW.muted_until_count))
    EXECUTE FUNCTION nabat_group_after();

CREATE FUNCTION nabat_history_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    -- nabat-prune and forget_user remove or blank history with its group or person
    IF current_setting('nabat.erase', true) = 'on' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    RAISE EXCEPTION 'error_group_history is append-only';
END $$;
CREATE TRIGGER error_group_history_guard BEFORE UPDATE OR DELETE ON error_group_history
    FOR EACH ROW EXECUTE FUNCTION nabat_history_guard();

-- -------------------------------------------------------------------------------- what psql sees
-- LEFT JOIN and a scalar subquery let the planner leave out what a query does not use; the union is
-- below the join, so that ORDER BY id LIMIT n walks the indexes of all leaves together.
CREATE VIEW bot_error_event AS
SELECT e.id, e.event_id, e.group_id, e.project_id, e.origin, e.severity, g.status, e.handler,
       e.message, e.exception_type, coalesce(e.kept_stack,
                (SELECT s.body FROM error_stack s
                 WHERE s.received_day = (e.received_at AT TIME ZONE 'UTC')::date
                   AND s.hash = e.stack_hash)) AS stacktrace,
       e.payload, e.tags, e.breadcrumbs, e.chat_id, e.user_id, e.gen_request_id, e.request_id,
       e.session_id, e.trace_id, e.environment, e.release, e.server_name, e.occurred_at,
       e.received_at
FROM (SELECT id, event_id, group_id, project_id, origin, severity, handler, message,
           exception_type, payload, tags, breadcrumbs, chat_id, user_id, gen_request_id,
           request_id, session_id, trace_id, environment, release, server_name, occurred_at,
           received_at, stack_hash,
             NULL::text AS kept_stack
      FROM event
      UNION ALL
      SELECT id, event_id, group_id, project_id, origin, severity, handler, message,
           exception_type, payload, tags, breadcrumbs, chat_id, user_id, gen_request_id,
           request_id, session_id, trace_id, environment, release, server_name, occurred_at,
           received_at, stack_hash,
             stacktrace
      FROM event_kept) e
LEFT JOIN error_group g ON g.id = e.group_id;

-- UPDATE of status moves the whole group, set based and guarded: a row that another session moved
-- meanwhile no longer has the status that this one saw, so one of two claimants gets UPDATE 0. (An
-- INSTEAD OF trigger would fire per event.) Any other changed column is an error that says what to
-- use.
CREATE FUNCTION nabat_check_event_update(changed text, status text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    IF changed <> '' THEN
        RAISE EXCEPTION 'only status of bot_error_event can be changed, not %', changed
            USING HINT = 'assigned_to, note and muted_until are columns of error_group; '
                         'what an event said stays as it was', ERRCODE = 'feature_not_supported';
    END IF;
    IF status IS NULL OR status NOT IN ('new', 'in_progress', 'resolved') THEN
        RAISE EXCEPTION 'status is "%": it takes new, in_progress or resolved',
                        coalesce(status, 'NULL') USING ERRCODE = 'check_violation';
    END IF;
    RETURN true;
END $$;

CREATE RULE bot_error_event_update AS ON UPDATE TO bot_error_event DO INSTEAD
    UPDATE error_group SET status = NEW.status
    WHERE error_group.id = OLD.group_id AND error_group.status = OLD.status
      AND nabat_check_event_update(concat_ws(', ',
               CASE WHEN NEW.id IS DISTINCT FROM OLD.id THEN 'id' END,
               CASE WHEN NEW.event_id IS DISTINCT FROM OLD.event_id THEN 'event_id' END,
               CASE WHEN NEW.group_id IS DISTINCT FROM OLD.group_id THEN 'group_id' END,
               CASE WHEN NEW.project_id IS DISTINCT FROM OLD.project_id THEN 'project_id' END,
               CASE WHEN NEW.origin IS DISTINCT FROM OLD.origin THEN 'origin' END,
               CASE WHEN NEW.severity IS DISTINCT FROM OLD.severity THEN 'severity' END,
               CASE WHEN NEW.handler IS DISTINCT FROM OLD.handler THEN 'handler' END,
               CASE WHEN NEW.message IS DISTINCT FROM OLD.message THEN 'message' END,
               CASE WHEN NEW.exception_type IS DISTINCT FROM OLD.exception_type THEN 'exception_type' END,
               CASE WHEN NEW.stacktrace IS DISTINCT FROM OLD.stacktrace THEN 'stacktrace' END,
               CASE WHEN NEW.payload IS DISTINCT FROM OLD.payload THEN 'payload' END,
               CASE WHEN NEW.tags IS DISTINCT FROM OLD.tags THEN 'tags' END,
               CASE WHEN NEW.breadcrumbs IS DISTINCT FROM OLD.breadcrumbs THEN 'breadcrumbs' END,
               CASE WHEN NEW.chat_id IS DISTINCT FROM OLD.chat_id THEN 'chat_id' END,
               CASE WHEN NEW.user_id IS DISTINCT FROM OLD.user_id THEN 'user_id' END,
               CASE WHEN NEW.gen_request_id IS DISTINCT FROM OLD.gen_request_id THEN 'gen_request_id' END,
               CASE WHEN NEW.request_id IS DISTINCT FROM OLD.request_id THEN 'request_id' END,
               CASE WHEN NEW.session_id IS DISTINCT FROM OLD.session_id THEN 'session_id' END,
               CASE WHEN NEW.trace_id IS DISTINCT FROM OLD.trace_id THEN 'trace_id' END,
               CASE WHEN NEW.environment IS DISTINCT FROM OLD.environment THEN 'environment' END,
               CASE WHEN NEW.release IS DISTINCT FROM OLD.release THEN 'release' END,
               CASE WHEN NEW.server_name IS DISTINCT FROM OLD.server_name THEN 'server_name' END,
               CASE WHEN NEW.occurred_at IS DISTINCT FROM OLD.occurred_at THEN 'occurred_at' END,
               CASE WHEN NEW.received_at IS DISTINCT FROM OLD.received_at THEN 'received_at' END), NEW.status)
    RETURNING OLD.id, OLD.event_id, OLD.group_id, OLD.project_id, OLD.origin, OLD.severity,
              error_group.status, OLD.handler, OLD.message, OLD.exception_type, OLD.stacktrace,
              OLD.payload, OLD.tags, OLD.breadcrumbs, OLD.chat_id, OLD.user_id,
              OLD.gen_request_id, OLD.request_id, OLD.session_id, OLD.trace_id, OLD.environment,
              OLD.release, OLD.server_name, OLD.occurred_at, OLD.received_at;

-- INSERT goes to the inbox; the service takes it from there through the same pipeline as HTTP.
CREATE TABLE event_inbox (
    id          bigint PRIMARY KEY,
    event_id    text NOT NULL,
    project_id  integer NOT NULL,
    is_import   boolean NOT NULL DEFAULT false,
    received_at timestamptz NOT NULL DEFAULT now(),
    body        jsonb NOT NULL
);
CREATE TABLE event_inbox_failed (
    LIKE event_inbox,
    failed_at timestamptz NOT NULL DEFAULT now(),
    error     text NOT NULL
);

CREATE FUNCTION nabat_event_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    import boolean := coalesce(nullif(current_setting('nabat.import', true), ''), 'off')
                      IN ('on', 'true', '1', 'yes');
BEGIN
    IF NEW.id IS NOT NULL OR NEW.group_id IS NOT NULL OR NEW.received_at IS NOT NULL THEN
        RAISE EXCEPTION '% is set by nabat, not by INSERT',
            CASE WHEN NEW.id IS NOT NULL THEN 'id'
                 WHEN NEW.group_id IS NOT NULL THEN 'group_id' ELSE 'received_at' END
            USING ERRCODE = 'feature_not_supported';
    END IF;
    NEW.project_id := coalesce(NEW.project_id, 1);
    IF NOT EXISTS (SELECT 1 FROM project p WHERE p.id = NEW.project_id) THEN
        RAISE EXCEPTION 'project_id is %: there is no such project', NEW.project_id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    NEW.severity := lower(coalesce(nullif(NEW.severity, ''), 'error'));
    NEW.severity := CASE NEW.severity WHEN 'fatal' THEN 'critical' WHEN 'high' THEN 'error'
        WHEN 'medium' THEN 'warning' WHEN 'warn' THEN 'warning' WHEN 'low' THEN 'info'
        WHEN 'err' THEN 'error' ELSE NEW.severity END;
    IF NEW.severity NOT IN ('debug', 'info', 'warning', 'error', 'critical') THEN
        RAISE EXCEPTION 'severity is "%": it takes debug, info, warning, error or critical',
                        NEW.severity USING ERRCODE = 'check_violation';
    END IF;
    NEW.status := coalesce(nullif(NEW.status, ''), 'new');
    IF NEW.status NOT IN ('new', 'in_progress', 'resolved') THEN
        RAISE EXCEPTION 'status is "%": it takes new, in_progress or resolved', NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    IF coalesce(nullif(NEW.message, ''), nullif(NEW.exception_type, ''),
                nullif(NEW.stacktrace, '')) IS NULL THEN
        RAISE EXCEPTION 'an event needs message, exception_type or stacktrace: this one has '
                        'nothing to show' USING ERRCODE = 'not_null_violation';
    END IF;
    IF coalesce(NEW.event_id, '') = '' THEN
        NEW.event_id := replace(gen_random_uuid()::text, '-', '');
    ELSE
        NEW.event_id := lower(replace(NEW.event_id, '-', ''));
        IF NEW.event_id !~ '^[0-9a-f]{32}$' THEN
            RAISE EXCEPTION 'event_id is "%": it takes 32 hexadecimal digits or a UUID',
                            NEW.event_id USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF jsonb_typeof(NEW.payload) <> 'object' OR jsonb_typeof(NEW.tags) <> 'object'
       OR jsonb_typeof(NEW.breadcrumbs) <> 'array' THEN
        RAISE EXCEPTION 'payload and tags take JSON objects, breadcrumbs an array'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT isfinite(NEW.occurred_at) THEN
        RAISE EXCEPTION 'occurred_at is %: it takes a moment in time', NEW.occurred_at
            USING ERRCODE = 'check_violation';
    END IF;
    IF pg_column_size(to_jsonb(NEW)) > 1048576 THEN
        RAISE EXCEPTION 'the event is over the limit of 1 MiB'
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    NEW.origin := left(regexp_replace(lower(coalesce(nullif(NEW.origin, ''), 'other')),
                                      '[^a-z0-9_.-]', '_', 'g'), 64);
    NEW.occurred_at := least(coalesce(NEW.occurred_at, now()), now() + interval '60 seconds');
    NEW.id := nextval('event_id_seq');
    INSERT INTO event_inbox (id, event_id, project_id, is_import, body)
    VALUES (NEW.id, NEW.event_id, NEW.project_id, import OR NEW.status <> 'new',
            jsonb_strip_nulls(jsonb_build_object(
                'event_id', NEW.event_id, 'occurred_at', extract(epoch FROM NEW.occurred_at),
                'origin', NEW.origin, 'severity', NEW.severity, 'status', NEW.status,
                'handler', NEW.handler, 'message', NEW.message,
                'exception', CASE WHEN NEW.exception_type IS NOT NULL
                                  THEN jsonb_build_object('type', NEW.exception_type) END,
                'stacktrace', NEW.stacktrace, 'chat_id', NEW.chat_id, 'user_id', NEW.user_id,
                'gen_request_id', NEW.gen_request_id, 'request_id', NEW.request_id,
                'session_id', NEW.session_id, 'trace_id', NEW.trace_id,
                'environment', NEW.environment, 'release', NEW.release,
                'server_name', NEW.server_name))
            || CASE WHEN NEW.payload IS NULL THEN '{}'
                    ELSE jsonb_build_object('payload', NEW.payload) END
            || CASE WHEN NEW.tags IS NULL THEN '{}'
                    ELSE jsonb_build_object('tags', NEW.tags) END
            || CASE WHEN NEW.breadcrumbs IS NULL THEN '{}'
                    ELSE jsonb_build_object('breadcrumbs', NEW.breadcrumbs) END);
    RETURN NEW;
END $$;
CREATE TRIGGER bot_error_event_insert INSTEAD OF INSERT ON bot_error_event
    FOR EACH ROW EXECUTE FUNCTION nabat_event_insert();

CREATE FUNCTION nabat_event_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION 'events are not deleted one by one'
        USING HINT = 'nabat-prune drops days past retention; forget_user(user_id) erases a person',
              ERRCODE = 'feature_not_supported';
END $$;
CREATE TRIGGER bot_error_event_delete INSTEAD OF DELETE ON bot_error_event
    FOR EACH ROW EXECUTE FUNCTION nabat_event_delete();

CREATE VIEW open_errors AS
SELECT id, severity, status, title, culprit, origin, occurrences, users_affected, first_seen,
       last_seen, assigned_to, note, muted_until, muted_until_count
FROM error_group WHERE status <> 'resolved'
ORDER BY array_position(ARRAY['critical', 'error', 'warning', 'info', 'debug'], severity),
         last_seen DESC;

CREATE VIEW error_stats_24h AS
SELECT e.project_id, e.origin, e.severity, count(*) AS events,
       count(DISTINCT e.group_id) AS groups, count(DISTINCT e.user_id) AS users,
       max(e.received_at) AS last_received_at
FROM event e
WHERE e.received_at > now() - interval '24 hours' AND e.origin <> 'nabat_selftest'
GROUP BY e.project_id, e.origin, e.severity;

-- ------------------------------------------------------------- changes by name, for psql and code
CREATE FUNCTION nabat_need_group(p_id bigint, p_found boolean) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT p_found THEN
        RAISE EXCEPTION 'there is no error group %', p_id USING ERRCODE = 'no_data_found';
    END IF;
END $$;

CREATE FUNCTION resolve(group_id bigint, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE error_group g SET status = 'resolved', note = coalesce(resolve.note, g.note)
    WHERE g.id = resolve.group_id;
    PERFORM nabat_need_group(resolve.group_id, FOUND);
END $$;

CREATE FUNCTION take(group_id bigint, who text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE error_group g SET status = 'in_progress', assigned_to = coalesce(take.who, nabat_actor()),
           assigned_to_id = nullif(current_setting('nabat.actor_id', true), '')::bigint
    WHERE g.id = take.group_id;
    PERFORM nabat_need_group(take.group_id, FOUND);
END $$;

CREATE FUNCTION reopen(group_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE error_group g SET status = 'new' WHERE g.id = reopen.group_id;
    PERFORM nabat_need_group(reopen.group_id, FOUND);
END $$;

CREATE FUNCTION mute(group_id bigint, duration interval) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF duration IS NULL OR duration <= interval '0' THEN
        RAISE EXCEPTION 'duration is "%": it takes an interval above zero', duration
            USING ERRCODE = 'check_violation';
    END IF;
    UPDATE error_group g SET muted_until = now() + duration, muted_until_count = NULL
    WHERE g.id = mute.group_id;
    PERFORM nabat_need_group(mute.group_id, FOUND);
END $$;

CREATE FUNCTION mute_count(group_id bigint, n bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF n IS NULL OR n <= 0 THEN
        RAISE EXCEPTION 'n is %: it takes a number above zero', n
            USING ERRCODE = 'check_violation';
    END IF;
    UPDATE error_group g SET muted_until_count = g.occurrences + n, muted_until = NULL
    WHERE g.id = mute_count.group_id;
    PERFORM nabat_need_group(mute_count.group_id, FOUND);
END $$;

CREATE FUNCTION unmute(group_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE error_group g SET muted_until = NULL, muted_until_count = NULL
    WHERE g.id = unmute.group_id;
    PERFORM nabat_need_group(unmute.group_id, FOUND);
END $$;

-- Erases a person: the id, the chat, and every free-form column of that person's events. Counters
-- stay (they name nobody). Returns how many events were blanked.
CREATE FUNCTION forget_user(user_id text) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    n bigint := 0;
    m bigint;
BEGIN
    UPDATE event e SET user_id = NULL, chat_id = NULL, session_id = NULL, request_id = NULL,
           gen_request_id = NULL, trace_id = NULL, payload = NULL, tags = NULL,
           breadcrumbs = NULL, stack_hash = NULL,
           message = CASE WHEN e.message IS NOT NULL THEN '[forgotten]' END
    WHERE e.user_id = forget_user.user_id OR e.chat_id::text = forget_user.user_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    UPDATE event_kept e SET user_id = NULL, chat_id = NULL, session_id = NULL, request_id = NULL,
           gen_request_id = NULL, trace_id = NULL, payload = NULL, tags = NULL,
           breadcrumbs = NULL, stacktrace = NULL,
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
