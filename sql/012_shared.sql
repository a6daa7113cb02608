-- 012_shared.sql -- what events of one stack have in common is stored once a day, with the stack.
--
-- A stack text ends (or begins) with the message of what was raised, which differs from event to event: the event keeps
-- that piece, and the text has a mark in its place. The lines of source around each frame and the list of modules are the
-- same for all events of a stack: they are the stack's. The event keeps its variables.
--
-- Safe on a live database: columns without a default, a view and two functions. Rows from before have no mark.
SET LOCAL lock_timeout = '10s';

ALTER TABLE event ADD COLUMN stack_said text;
ALTER TABLE error_stack ADD COLUMN source text; -- JSON; read by the service alone
DO $$
DECLARE leaf regclass;
BEGIN
    FOR leaf IN SELECT 'error_stack'::regclass UNION ALL
                SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'error_stack'::regclass LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN source SET COMPRESSION lz4', leaf);
    END LOOP;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
    RAISE NOTICE 'this server has no lz4; pglz is used';
END $$;

-- The whole text; of a source alone none. The mark is a control character: a text that has it by itself is stored whole.
-- An empty `said` stands for what type and message say anyway.
CREATE FUNCTION nabat_stack(body text, said text, type text, message text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN said IS NULL THEN nullif(body, '')
               ELSE replace(body, E'\x01', coalesce(nullif(said, ''), type || ': ' || message)) END $$;

CREATE OR REPLACE VIEW bot_error_event AS
SELECT e.id, e.event_id, e.group_id, e.project_id, e.origin, e.severity, g.status, e.handler,
       e.message, e.exception_type, coalesce(e.kept_stack,
                (SELECT nabat_stack(s.body, e.stack_said, e.exception_type, e.message) FROM error_stack s
                 WHERE s.received_day = (e.received_at AT TIME ZONE 'UTC')::date
                   AND s.hash = e.stack_hash)) AS stacktrace,
       e.payload, e.tags, e.breadcrumbs, e.chat_id, e.user_id, e.gen_request_id, e.request_id,
       e.session_id, e.trace_id, e.environment, e.release, e.server_name, e.occurred_at,
       e.received_at
FROM (SELECT id, event_id, group_id, project_id, origin, severity, handler, message,
           exception_type, payload, tags, breadcrumbs, chat_id, user_id, gen_request_id,
           request_id, session_id, trace_id, environment, release, server_name, occurred_at,
           received_at, stack_hash, stack_said, NULL::text AS kept_stack
      FROM event
      UNION ALL
      SELECT id, event_id, group_id, project_id, origin, severity, handler, message,
           exception_type, payload, tags, breadcrumbs, chat_id, user_id, gen_request_id,
           request_id, session_id, trace_id, environment, release, server_name, occurred_at,
           received_at, stack_hash, NULL::text, stacktrace
      FROM event_kept) e
LEFT JOIN error_group g ON g.id = e.group_id;

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
