-- 003_chat.sql -- the chat as a workplace: people, settings of chats, topics, messages with buttons that
-- are not cards, undo, groups joined by hand.
--
-- Safe on a live database: columns come without a default that would rewrite rows, views and
-- functions are replaced in place.
--
-- makes: chat_person chat_member_history chat_setting chat_message chat_topic

-- Whom the bot met where it may answer: so that "@ann" can be assigned to. Nobody else is remembered.
CREATE TABLE chat_person (
    user_id  bigint PRIMARY KEY,
    username text,
    name     text NOT NULL, -- @username, else the first name
    seen_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX chat_person_username ON chat_person (lower(username));

ALTER TABLE chat_member ADD COLUMN name text;
ALTER TABLE chat_member ADD COLUMN granted_by text;
ALTER TABLE chat_member ADD COLUMN granted_by_id bigint;

-- Every grant and revocation: who may see errors is itself worth a history.
CREATE TABLE chat_member_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL,
    old_role   text,
    new_role   text,
    actor      text NOT NULL,
    actor_id   bigint,
    changed_at timestamptz NOT NULL DEFAULT now()
);

-- What a chat (or a person, in private) chose by /settings; NULL: as the service is set.
CREATE TABLE chat_setting (
    chat_id    bigint PRIMARY KEY,
    language   text CHECK (language IN ('en', 'ru')),
    time_zone  text,
    is_quiet   boolean NOT NULL DEFAULT false, -- cards without stack, tags and people
    reactions  boolean NOT NULL DEFAULT false  -- reactions on cards are triage
);

-- Messages of ours with buttons, or that wait for a reply, and are no cards: a press counts only on
-- what is in here or in alert_card. `args` is what the message shows (the filter of a list).
CREATE TABLE chat_message (
    chat_id    bigint NOT NULL,
    message_id bigint NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('list', 'events', 'note', 'settings', 'setup')),
    group_id   bigint,
    args       text,
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chat_id, message_id)
);
CREATE INDEX chat_message_age ON chat_message (made_at);

-- Forum topics that the bot made (TOPICS), by what they are for.
CREATE TABLE chat_topic (
    chat_id   bigint NOT NULL,
    topic     text NOT NULL,   -- an origin or a project's slug
    thread_id bigint NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chat_id, topic)
);

-- The card's language where it was asked for in private; NULL: the chat's. 'expire' is the edit that
-- takes the Undo button away.
ALTER TABLE alert_card ADD COLUMN language text;
ALTER TABLE alert_card DROP CONSTRAINT alert_card_edit_check;
ALTER TABLE alert_card ADD CONSTRAINT alert_card_edit_check
    CHECK (edit IN ('count', 'change', 'retire', 'expire'));

-- Which holder of the lease has an update in hand: another one takes over what that one left.
ALTER TABLE telegram_update ADD COLUMN taken_by text;

-- --------------------------------------------------------------------------------------- history
ALTER TABLE error_group_history ADD COLUMN old_id bigint; -- of assigned_to: the person before
ALTER TABLE error_group_history ADD COLUMN is_undo boolean; -- NULL: no

-- ------------------------------------------------------------------------------- groups that are one
-- A merged group keeps its row, its events and its counters; it is shown, rung and changed as part of
-- the group it was merged into, and a split gives it back as it is. No chains: roots only.
ALTER TABLE error_group ADD COLUMN merged_into bigint REFERENCES error_group (id) ON DELETE SET NULL
    CHECK (merged_into <> id);
-- What the merge found: the status of the leaf, that of the root before and after. A split gives it back
-- unless somebody has changed the status since.
ALTER TABLE error_group ADD COLUMN merged_state text[];
ALTER TABLE alert_card ADD COLUMN merged_from bigint; -- the group it was the card of
CREATE INDEX error_group_merged ON error_group (merged_into) WHERE merged_into IS NOT NULL;

CREATE OR REPLACE VIEW open_errors AS
SELECT id, severity, status, title, culprit, origin, occurrences, users_affected, first_seen,
       last_seen, assigned_to, note, muted_until, muted_until_count
FROM error_group WHERE status <> 'resolved' AND merged_into IS NULL
ORDER BY array_position(ARRAY['critical', 'error', 'warning', 'info', 'debug'], severity),
         last_seen DESC;

-- The group that stands for this one: itself, unless it was merged.
CREATE FUNCTION nabat_root(p_id bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path FROM CURRENT AS
$$ SELECT coalesce((SELECT merged_into FROM error_group WHERE id = p_id), p_id) $$;

-- How often it happened, everything that was merged into it included.
CREATE FUNCTION nabat_occurrences(p_id bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path FROM CURRENT AS
$$ SELECT coalesce(sum(occurrences), 0)::bigint FROM error_group
   WHERE id = p_id OR merged_into = p_id $$;

CREATE OR REPLACE FUNCTION nabat_group_after() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    actor_id bigint := nullif(current_setting('nabat.actor_id', true), '')::bigint;
BEGIN
    INSERT INTO error_group_history (group_id, what, old_value, new_value, actor, actor_id, source,
                                     old_id, is_undo)
    SELECT NEW.id, c.what, c.old_value, c.new_value, nabat_actor(), actor_id, nabat_source(),
           CASE WHEN c.what = 'assigned_to' THEN OLD.assigned_to_id END,
           CASE WHEN current_setting('nabat.undo', true) = 'on' THEN true END
    FROM (VALUES ('status', OLD.status, NEW.status),
                 ('assigned_to', OLD.assigned_to, NEW.assigned_to),
                 ('note', OLD.note, NEW.note),
                 ('muted_until', OLD.muted_until::text, NEW.muted_until::text),
                 ('muted_until_count', OLD.muted_until_count::text, NEW.muted_until_count::text))
         AS c (what, old_value, new_value)
    WHERE c.old_value IS DISTINCT FROM c.new_value;
    INSERT INTO alert_due (kind, group_id) VALUES ('change', coalesce(NEW.merged_into, NEW.id));
    -- What was merged has one status, wherever it is changed. The root never waits for a leaf that
    -- somebody holds (the service catches up later), so nobody's open transaction stops the decider,
    -- and no two changes wait for each other.
    IF NEW.status IS DISTINCT FROM OLD.status AND NEW.merged_into IS NOT NULL THEN
        UPDATE error_group g SET status = NEW.status
        WHERE g.id = NEW.merged_into AND g.status IS DISTINCT FROM NEW.status;
    ELSIF NEW.status IS DISTINCT FROM OLD.status THEN
        UPDATE error_group g SET status = NEW.status
        WHERE g.id IN (SELECT m.id FROM error_group m WHERE m.merged_into = NEW.id
                       AND m.status IS DISTINCT FROM NEW.status
                       ORDER BY m.id FOR NO KEY UPDATE SKIP LOCKED);
    END IF;
    RETURN NULL;
END $$;

-- Joins `from_group` to `into_group`. An open one is never hidden behind a resolved one.
CREATE FUNCTION merge_groups(into_group bigint, from_group bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    root bigint;
    leaf bigint;
    a    error_group;
    b    error_group;
    before text[];
BEGIN
    -- one merge at a time: roots are looked up after everybody else's merge is over
    PERFORM pg_advisory_xact_lock(hashtext('nabat.merge'), hashtext(current_schema()::text));
    root := nabat_root(into_group);
    leaf := nabat_root(from_group);
    SELECT * INTO a FROM error_group WHERE id = least(root, leaf) FOR NO KEY UPDATE;
    SELECT * INTO b FROM error_group WHERE id = greatest(root, leaf) FOR NO KEY UPDATE;
    PERFORM nabat_need_group(into_group, root IN (a.id, b.id));
    PERFORM nabat_need_group(from_group, leaf IN (a.id, b.id));
    IF root = leaf THEN
        RAISE EXCEPTION 'error groups % and % are one already', into_group, from_group
            USING ERRCODE = 'NB001';
    END IF;
    IF a.project_id <> b.project_id THEN
        RAISE EXCEPTION 'error groups % and % are of different projects', into_group, from_group
            USING ERRCODE = 'NB001';
    END IF;
    IF a.id <> root THEN
        SELECT * INTO a FROM error_group WHERE id = root;
        SELECT * INTO b FROM error_group WHERE id = leaf;
    END IF;
    before := ARRAY[b.status, a.status, a.status];
    IF a.status = 'resolved' AND b.status <> 'resolved' THEN
        UPDATE error_group SET status = b.status WHERE id = root;
        a.status := b.status;
        before[3] := b.status;
    END IF;
    -- "until 100 more" counts on from both together
    UPDATE error_group SET touched = true,
           muted_until_count = muted_until_count + nabat_occurrences(leaf) WHERE id = root;
    INSERT INTO error_group_history (group_id, what, old_value, new_value, actor, actor_id, source)
    SELECT h.id, h.what, NULL, h.value::text, nabat_actor(),
           nullif(current_setting('nabat.actor_id', true), '')::bigint, nabat_source()
    FROM (SELECT m.id, 'merged_into' AS what, root AS value FROM error_group m
          WHERE m.id = leaf OR m.merged_into = leaf
          UNION ALL SELECT root, 'merged', leaf) h;
    UPDATE error_group SET merged_into = root, status = a.status, touched = true,
           merged_state = CASE WHEN id = leaf THEN before ELSE merged_state END
    WHERE id = leaf OR merged_into = leaf;
    UPDATE alert_outbox SET group_id = root
    WHERE group_id = leaf AND state IN ('pending', 'uncertain');
    UPDATE alert_due SET group_id = root WHERE group_id = leaf;
    UPDATE alert_card SET group_id = root, merged_from = coalesce(merged_from, leaf)
    WHERE group_id = leaf;
    UPDATE alert_card c SET is_current = false, edit = 'retire', edit_since = now(), edit_tries = 0,
           edit_seq = edit_seq + 1
    WHERE c.group_id = root AND c.is_current
      AND EXISTS (SELECT 1 FROM alert_card n WHERE n.group_id = root AND n.chat_id = c.chat_id
                  AND n.is_current AND n.message_id > c.message_id);
    INSERT INTO alert_state AS s (group_id, chat_id, last_ring_at, held)
    SELECT root, chat_id, last_ring_at, held FROM alert_state WHERE group_id = leaf
    ON CONFLICT (group_id, chat_id) DO UPDATE SET held = s.held + excluded.held,
        last_ring_at = greatest(s.last_ring_at, excluded.last_ring_at);
    INSERT INTO alert_due (kind, group_id) VALUES ('change', root);
    RETURN root;
END $$;

-- Undoes merges: of a merged group that one, else everything merged into the group. Returns how many
-- stand alone again.
CREATE FUNCTION split_group(group_id bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    root   bigint;
    n      bigint;
    leaves bigint[];
    before  text[];
    now_is text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('nabat.merge'), hashtext(current_schema()::text));
    root := nabat_root(split_group.group_id);
    UPDATE error_group g SET muted_until_count = g.muted_until_count - l.occurrences
    FROM (SELECT coalesce(sum(m.occurrences), 0) AS occurrences FROM error_group m
          WHERE m.merged_into = root
            AND (m.id = split_group.group_id OR root = split_group.group_id)) l
    WHERE g.id = root AND g.muted_until_count IS NOT NULL AND l.occurrences > 0;
    PERFORM nabat_need_group(split_group.group_id,
                             EXISTS (SELECT 1 FROM error_group g WHERE g.id = split_group.group_id));
    SELECT array_agg(g.id) INTO leaves FROM error_group g WHERE g.merged_into IS NOT NULL
      AND (g.id = split_group.group_id OR g.merged_into = split_group.group_id);
    SELECT g.merged_state INTO before FROM error_group g WHERE g.id = ANY(leaves)
    ORDER BY g.id LIMIT 1;
    SELECT g.status INTO now_is FROM error_group g WHERE g.id = root;
    WITH gone AS (
        UPDATE error_group g SET merged_into = NULL, merged_state = NULL,
               status = CASE WHEN now_is = g.merged_state[3] THEN g.merged_state[1] ELSE g.status END
        WHERE g.id = ANY(leaves) RETURNING g.id),
    h AS (
        INSERT INTO error_group_history (group_id, what, old_value, new_value, actor, actor_id,
                                         source)
        SELECT e.id, e.what, e.value::text, NULL, nabat_actor(),
               nullif(current_setting('nabat.actor_id', true), '')::bigint, nabat_source()
        FROM (SELECT gone.id, 'merged_into' AS what, root AS value FROM gone
              UNION ALL SELECT root, 'merged', gone.id FROM gone) e),
    d AS (
        INSERT INTO alert_due (kind, group_id) SELECT 'change', root WHERE EXISTS (SELECT 1 FROM gone))
    SELECT count(*) INTO n FROM gone;
    IF n = 0 THEN
        RAISE EXCEPTION 'nothing was merged into error group %', split_group.group_id
            USING ERRCODE = 'NB001';
    END IF;
    -- the merge alone had opened the root
    UPDATE error_group g SET status = before[2]
    WHERE g.id = root AND now_is = before[3] AND g.status <> before[2]
      AND NOT EXISTS (SELECT 1 FROM error_group m WHERE m.merged_into = root);
    -- each has its own cards again: the newest in each chat is the current one
    UPDATE alert_card c SET group_id = c.merged_from, merged_from = NULL
    WHERE c.merged_from = ANY(leaves);
    UPDATE alert_card c SET is_current = true, edit = 'change', edit_since = now(), edit_tries = 0,
           edit_seq = c.edit_seq + 1
    WHERE c.group_id = ANY(leaves || root) AND c.message_id = (
        SELECT max(k.message_id) FROM alert_card k
        WHERE k.group_id = c.group_id AND k.chat_id = c.chat_id);
    UPDATE alert_card c SET is_current = false, edit = 'retire', edit_since = now(), edit_tries = 0,
           edit_seq = c.edit_seq + 1
    WHERE c.group_id = ANY(leaves || root) AND c.is_current AND c.message_id < (
        SELECT max(k.message_id) FROM alert_card k
        WHERE k.group_id = c.group_id AND k.chat_id = c.chat_id);
    RETURN n;
END $$;

-- Takes back the newest change, if somebody made it in the chat within five minutes.
CREATE FUNCTION nabat_undo(group_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    made timestamptz;
BEGIN
    SELECT l.changed_at INTO made
    FROM (SELECT h.changed_at, h.is_undo, h.source, h.what FROM error_group_history h
          WHERE h.group_id = nabat_undo.group_id ORDER BY h.id DESC LIMIT 1) l
    WHERE l.is_undo IS NULL AND l.source = 'chat' AND l.what NOT LIKE 'merged%'
      AND l.changed_at > now() - interval '5 minutes';
    IF made IS NULL THEN
        RAISE EXCEPTION 'there is nothing to undo in error group %', nabat_undo.group_id
            USING ERRCODE = 'NB001';
    END IF;
    PERFORM set_config('nabat.undo', 'on', true);
    UPDATE error_group g SET
        status = CASE WHEN 'status' = ANY(u.what) THEN u.status ELSE g.status END,
        assigned_to = CASE WHEN 'assigned_to' = ANY(u.what) THEN u.assigned_to ELSE g.assigned_to END,
        assigned_to_id = CASE WHEN 'assigned_to' = ANY(u.what) THEN u.assigned_id
                              ELSE g.assigned_to_id END,
        note = CASE WHEN 'note' = ANY(u.what) THEN u.note ELSE g.note END,
        muted_until = CASE WHEN 'muted_until' = ANY(u.what) THEN u.muted_until::timestamptz
                           ELSE g.muted_until END,
        muted_until_count = CASE WHEN 'muted_until_count' = ANY(u.what)
                                 THEN u.muted_count::bigint ELSE g.muted_until_count END
    FROM (SELECT array_agg(h.what) AS what,
                 (array_agg(h.old_value ORDER BY h.id) FILTER (WHERE h.what = 'status'))[1] AS status,
                 (array_agg(h.old_value ORDER BY h.id)
                     FILTER (WHERE h.what = 'assigned_to'))[1] AS assigned_to,
                 (array_agg(h.old_id ORDER BY h.id)
                     FILTER (WHERE h.what = 'assigned_to'))[1] AS assigned_id,
                 (array_agg(h.old_value ORDER BY h.id) FILTER (WHERE h.what = 'note'))[1] AS note,
                 (array_agg(h.old_value ORDER BY h.id)
                     FILTER (WHERE h.what = 'muted_until'))[1] AS muted_until,
                 (array_agg(h.old_value ORDER BY h.id)
                     FILTER (WHERE h.what = 'muted_until_count'))[1] AS muted_count
          FROM error_group_history h
          WHERE h.group_id = nabat_undo.group_id AND h.changed_at = made AND h.is_undo IS NULL) u
    WHERE g.id = nabat_undo.group_id
      AND u.what && ARRAY['status', 'assigned_to', 'note', 'muted_until', 'muted_until_count'];
    PERFORM set_config('nabat.undo', '', true);
END $$;

-- NB001 is "that can't be done as things are": the chat says why in its own words.
-- Changes by number reach the group that stands for it; counts include what was merged.
CREATE OR REPLACE FUNCTION resolve(group_id bigint, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE error_group g SET status = 'resolved', note = coalesce(resolve.note, g.note)
    WHERE g.id = nabat_root(resolve.group_id);
    PERFORM nabat_need_group(resolve.group_id, FOUND);
END $$;

CREATE OR REPLACE FUNCTION take(group_id bigint, who text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE error_group g SET status = 'in_progress', assigned_to = coalesce(take.who, nabat_actor()),
           assigned_to_id = nullif(current_setting('nabat.actor_id', true), '')::bigint
    WHERE g.id = nabat_root(take.group_id);
    PERFORM nabat_need_group(take.group_id, FOUND);
END $$;

CREATE OR REPLACE FUNCTION reopen(group_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE error_group g SET status = 'new' WHERE g.id = nabat_root(reopen.group_id);
    PERFORM nabat_need_group(reopen.group_id, FOUND);
END $$;

CREATE OR REPLACE FUNCTION mute(group_id bigint, duration interval) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF duration IS NULL OR duration <= interval '0' THEN
        RAISE EXCEPTION 'duration is "%": it takes an interval above zero', duration
            USING ERRCODE = 'check_violation';
    END IF;
    UPDATE error_group g SET muted_until = now() + duration, muted_until_count = NULL
    WHERE g.id = nabat_root(mute.group_id);
    PERFORM nabat_need_group(mute.group_id, FOUND);
END $$;

CREATE OR REPLACE FUNCTION mute_count(group_id bigint, n bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF n IS NULL OR n <= 0 THEN
        RAISE EXCEPTION 'n is %: it takes a number above zero', n
            USING ERRCODE = 'check_violation';
    END IF;
    UPDATE error_group g SET muted_until_count = nabat_occurrences(g.id) + n, muted_until = NULL
    WHERE g.id = nabat_root(mute_count.group_id);
    PERFORM nabat_need_group(mute_count.group_id, FOUND);
END $$;

CREATE OR REPLACE FUNCTION unmute(group_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE error_group g SET muted_until = NULL, muted_until_count = NULL
    WHERE g.id = nabat_root(unmute.group_id);
    PERFORM nabat_need_group(unmute.group_id, FOUND);
END $$;

-- Takes what nobody has: a press on an old card neither takes it from a colleague nor opens it again.
CREATE FUNCTION nabat_take_free(group_id bigint, who text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    g error_group;
BEGIN
    SELECT * INTO g FROM error_group e WHERE e.id = nabat_root(nabat_take_free.group_id)
    FOR NO KEY UPDATE;
    PERFORM nabat_need_group(nabat_take_free.group_id, FOUND);
    IF g.status = 'resolved' OR (g.status = 'in_progress' AND g.assigned_to IS NOT NULL
                                 AND g.assigned_to <> who) THEN
        RAISE EXCEPTION 'error group % is % already', g.id, g.status USING ERRCODE = 'NB001';
    END IF;
    PERFORM take(g.id, who);
END $$;

-- `who` NULL: nobody. The status stays: being asked is not yet being on it.
CREATE FUNCTION nabat_assign(group_id bigint, who text, who_id bigint DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE error_group g SET assigned_to = nabat_assign.who, assigned_to_id = nabat_assign.who_id
    WHERE g.id = nabat_root(nabat_assign.group_id);
    PERFORM nabat_need_group(nabat_assign.group_id, FOUND);
END $$;

CREATE FUNCTION nabat_annotate(group_id bigint, note text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE error_group g SET note = nullif(nabat_annotate.note, '')
    WHERE g.id = nabat_root(nabat_annotate.group_id);
    PERFORM nabat_need_group(nabat_annotate.group_id, FOUND);
END $$;

-- ------------------------------------------------------------------------------------- who may what
-- NULL role: what was granted ends.
CREATE FUNCTION nabat_grant(p_user bigint, p_role text, p_name text) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    old text;
BEGIN
    SELECT role INTO old FROM chat_member WHERE user_id = p_user FOR UPDATE;
    IF p_role IS NULL THEN
        DELETE FROM chat_member WHERE user_id = p_user;
    ELSE
        INSERT INTO chat_member AS c (user_id, role, name, granted_by, granted_by_id)
        VALUES (p_user, p_role, p_name, nabat_actor(),
                nullif(current_setting('nabat.actor_id', true), '')::bigint)
        ON CONFLICT (user_id) DO UPDATE SET role = excluded.role,
            name = coalesce(excluded.name, c.name), granted_by = excluded.granted_by,
            granted_by_id = excluded.granted_by_id;
    END IF;
    IF old IS DISTINCT FROM p_role THEN
        INSERT INTO chat_member_history (user_id, old_role, new_role, actor, actor_id)
        VALUES (p_user, old, p_role, nabat_actor(),
                nullif(current_setting('nabat.actor_id', true), '')::bigint);
    END IF;
    RETURN old;
END $$;

-- ------------------------------------------------------------------------------------- forgetting
-- As in 002, and what the chat remembers of a person.
CREATE OR REPLACE FUNCTION forget_user(user_id text) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    n bigint := 0;
    m bigint;
    groups bigint[] := ARRAY(SELECT DISTINCT nabat_root(e.group_id) FROM event e
                             WHERE e.user_id = forget_user.user_id
                                OR e.chat_id::text = forget_user.user_id);
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
