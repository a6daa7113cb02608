-- 020_reports.sql -- what people report by themselves: rows beside their group, with six states where a group has three.
--
--     /report_bug, POST /api/reports --one transaction--> event_inbox: an event of origin user_report, alone in its group
--                                                     \-> user_report --joined with its group--> told to the chat
--     a group's status --trigger--> the report's state, where that says something else
--
-- Safe on a live database: new tables, a trigger that asks one index, functions.
--
-- makes: user_report group_comment

CREATE TABLE user_report (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id       integer NOT NULL REFERENCES project (id),
    event_id         text COLLATE "C" NOT NULL UNIQUE, -- of the event that it is
    group_id         bigint, -- once that is there
    state            text NOT NULL DEFAULT 'new'
                     CHECK (state IN ('new', 'investigating', 'confirmed', 'in_progress', 'resolved', 'wont_fix')),
    title            text NOT NULL,
    description      text,
    steps            text,
    expected         text,
    actual           text,
    category         text NOT NULL DEFAULT 'bug',
    url              text,
    browser          text,
    contact          text,
    about_event_id   text COLLATE "C", -- the error that its code named
    reporter_id      bigint,           -- a Telegram user
    reporter_chat_id bigint,
    language         text,
    wants_word       boolean NOT NULL DEFAULT false, -- when it is over
    said_state       text,             -- that the reporter was told
    said_assignee    bigint,           -- who was told that it is theirs
    shown_at         timestamptz,      -- in the chat
    created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX user_report_group ON user_report (group_id);
CREATE INDEX user_report_open ON user_report (id) WHERE state NOT IN ('resolved', 'wont_fix');
CREATE INDEX user_report_followed ON user_report (id) WHERE wants_word;
CREATE INDEX user_report_waiting ON user_report (id) WHERE shown_at IS NULL;

CREATE TABLE group_comment (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id bigint NOT NULL,
    body     text NOT NULL CHECK (length(body) BETWEEN 1 AND 4000),
    actor    text NOT NULL,
    actor_id bigint,
    source   text NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX group_comment_group ON group_comment (group_id, id);

-- Which of a group's three a report's state is.
CREATE FUNCTION nabat_status_of(state text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN state = 'new' THEN 'new' WHEN state IN ('resolved', 'wont_fix') THEN 'resolved' ELSE 'in_progress' END $$;

-- A state that says the same stays: what is confirmed and taken is still confirmed.
CREATE FUNCTION nabat_report_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE user_report r SET state = CASE NEW.status WHEN 'in_progress' THEN 'investigating' ELSE NEW.status END
    WHERE r.group_id = NEW.id AND nabat_status_of(r.state) <> NEW.status;
    RETURN NULL;
END $$;
CREATE TRIGGER error_group_report AFTER UPDATE OF status ON error_group FOR EACH ROW
WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.origin = 'user_report') EXECUTE FUNCTION nabat_report_follow();

-- Sets a report's state, and its group's status with it. NULL: the group is no report.
CREATE FUNCTION report_state(group_id bigint, state text) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE root bigint := nabat_root(group_id);
BEGIN
    IF report_state.state NOT IN ('new', 'investigating', 'confirmed', 'in_progress', 'resolved', 'wont_fix') THEN
        RAISE EXCEPTION 'state is %: it takes new, investigating, confirmed, in_progress, resolved, wont_fix', report_state.state
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE user_report r SET state = report_state.state WHERE r.group_id = root;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE error_group g SET status = nabat_status_of(report_state.state)
    WHERE g.id = root AND g.status <> nabat_status_of(report_state.state);
    RETURN report_state.state;
END $$;

CREATE OR REPLACE FUNCTION nabat_forget_more(person text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM user_hour u WHERE u.user_id = person;
    DELETE FROM user_day u WHERE u.user_id = person;
    UPDATE user_report r SET title = '[forgotten]', description = NULL, steps = NULL, expected = NULL, actual = NULL, url = NULL,
           browser = NULL, contact = NULL, reporter_id = NULL, reporter_chat_id = NULL, wants_word = false
    WHERE r.reporter_id::text = person OR r.reporter_chat_id::text = person
       OR r.event_id IN (SELECT e.event_id FROM event e WHERE e.user_id = person OR e.chat_id::text = person);
    DELETE FROM group_comment c WHERE c.actor_id::text = person;
END $$;

-- The event of a short code (core/event_code.h): the newest of seven days. NULL: there is none.
CREATE FUNCTION nabat_event_of_code(project integer, low text, high text) RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT e.event_id FROM event e WHERE e.project_id = project AND e.event_id >= low AND e.event_id <= high
      AND e.received_at > now() - interval '7 days' ORDER BY e.id DESC LIMIT 1
$$;

ALTER TABLE chat_message DROP CONSTRAINT chat_message_kind_check;
ALTER TABLE chat_message ADD CONSTRAINT chat_message_kind_check
    CHECK (kind IN ('list', 'events', 'note', 'settings', 'setup', 'digest', 'report'));
