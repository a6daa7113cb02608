-- 023_reports.sql -- a report knows by itself whose it is; a code that is said in a chat is looked for in all projects.
--
-- Functions of 020_reports.sql once more: states lock the group first, as whoever changes its status, and are said again after a
-- reopening; a code is looked up by its range; whoever is forgotten takes their words along.
--
-- Safe on a live database: a column without a default, which is filled from the events that are still there.

-- Whose it is in the product. Its event says so, too, but goes with its day, while the report of an open error stays.
ALTER TABLE user_report ADD COLUMN user_id text;
-- A look into the index for each report: a join might be planned as a scan of all events.
UPDATE user_report r SET user_id =
    (SELECT e.user_id FROM event e WHERE e.project_id = r.project_id AND e.event_id = r.event_id LIMIT 1);

CREATE OR REPLACE FUNCTION nabat_report_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE user_report r SET state = CASE NEW.status WHEN 'in_progress' THEN 'investigating' ELSE NEW.status END,
           said_state = CASE WHEN NEW.status = 'resolved' THEN r.said_state END
    WHERE r.group_id = NEW.id AND nabat_status_of(r.state) <> NEW.status;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION report_state(group_id bigint, state text) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE root bigint := nabat_root(group_id);
BEGIN
    IF report_state.state NOT IN ('new', 'investigating', 'confirmed', 'in_progress', 'resolved', 'wont_fix') THEN
        RAISE EXCEPTION 'state is %: it takes new, investigating, confirmed, in_progress, resolved, wont_fix', report_state.state
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM 1 FROM error_group g WHERE g.id = root FOR NO KEY UPDATE; -- first, as whoever changes its status
    UPDATE user_report r SET state = report_state.state,
           said_state = CASE WHEN nabat_status_of(report_state.state) = 'resolved' THEN r.said_state END
    WHERE r.group_id = root;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE error_group g SET status = nabat_status_of(report_state.state)
    WHERE g.id = root AND g.status <> nabat_status_of(report_state.state);
    RETURN report_state.state;
END $$;

-- By the report's own user.
CREATE OR REPLACE FUNCTION nabat_forget_more(person text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    theirs bigint[] := ARRAY(SELECT r.id FROM user_report r WHERE r.reporter_id::text = person OR r.user_id = person);
BEGIN
    DELETE FROM user_hour u WHERE u.user_id = person;
    DELETE FROM user_day u WHERE u.user_id = person;
    -- what they said of somebody else's error, and the group that is nothing but their words
    DELETE FROM alert_note t USING user_feedback f, user_report r
    WHERE r.id = ANY(theirs) AND f.project_id = r.project_id AND f.feedback_id = r.event_id
      AND t.group_id = f.group_id AND t.kind = 'feedback' AND t.body = f.message;
    DELETE FROM user_feedback f USING user_report r
    WHERE r.id = ANY(theirs) AND f.project_id = r.project_id AND f.feedback_id = r.event_id;
    UPDATE error_group g SET title = '[forgotten]' FROM user_report r
    WHERE r.id = ANY(theirs) AND g.id = r.group_id AND g.origin = 'user_report';
    UPDATE user_report r SET title = '[forgotten]', description = NULL, steps = NULL, expected = NULL, actual = NULL, url = NULL,
           browser = NULL, contact = NULL, user_id = NULL, reporter_id = NULL, reporter_chat_id = NULL, wants_word = false
    WHERE r.id = ANY(theirs);
    DELETE FROM group_comment c WHERE c.actor_id::text = person;
END $$;

-- The range is read first and sorted then: by the order of ids a plan would go through all events.
CREATE OR REPLACE FUNCTION nabat_event_of_code(project integer, low text, high text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    IF low IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (WITH m AS MATERIALIZED (
                SELECT e.id, e.event_id FROM event e WHERE e.project_id = project AND e.event_id >= low AND e.event_id <= high
                  AND e.received_at > now() - interval '7 days' LIMIT 1000)
            SELECT m.event_id FROM m ORDER BY m.id DESC LIMIT 1);
END $$;

-- The project that has an event of this code: a chat is of all projects. NULL: none has.
CREATE FUNCTION nabat_project_of_code(low text, high text) RETURNS integer
LANGUAGE sql STABLE SET search_path FROM CURRENT AS
$$ SELECT p.id FROM project p WHERE nabat_event_of_code(p.id, low, high) IS NOT NULL ORDER BY p.id LIMIT 1 $$;
