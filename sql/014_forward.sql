-- 014_forward.sql -- events on their way to SENTRY_DSN: appended in the batch's own transaction, gone when the other side has
-- them. Safe on a live database: a new table, and forget_user once more.
--
-- makes: forward_queue

CREATE TABLE forward_queue (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    text NOT NULL,
    body        text NOT NULL, -- JSON of a Sentry event
    queued_at   timestamptz NOT NULL DEFAULT now(),
    -- one that the other side always fails on must not hold up those behind it: it waits by itself
    tries       integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT '-infinity'
);
DO $$
BEGIN
    ALTER TABLE forward_queue ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
    RAISE NOTICE 'this server has no lz4; pglz is used';
END $$;

-- As 012 has it, and what waits to be forwarded goes first: it says more than the columns.
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
