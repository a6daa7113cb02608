-- 021_issues.sql -- issues that were made of errors, and closed and reopened in step with them.
--
--     /issue N --row: making--> POST to GitHub --number--> open
--     a group's status --trigger--> wanted --PATCH--> state          GitHub's webhook --> state, and the group's status
--
-- Safe on a live database: a new table, a trigger that asks one index.
--
-- makes: issue_link

CREATE TABLE issue_link (
    group_id   bigint PRIMARY KEY,
    repository text NOT NULL, -- owner/name
    number     bigint,        -- NULL: it is being made
    url        text,
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')), -- as far as we know
    wanted     text NOT NULL DEFAULT 'open' CHECK (wanted IN ('open', 'closed')),
    tries      integer NOT NULL DEFAULT 0,
    next_try   timestamptz NOT NULL DEFAULT now(),
    trouble    text,          -- what GitHub said last; NULL: all is well
    made_by    text,
    made_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (repository, number)
);
CREATE INDEX issue_link_behind ON issue_link (next_try) WHERE number IS NOT NULL AND state <> wanted;

CREATE FUNCTION nabat_issue_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE issue_link l SET wanted = CASE NEW.status WHEN 'resolved' THEN 'closed' ELSE 'open' END, tries = 0, next_try = now()
    WHERE l.group_id = NEW.id AND l.wanted <> CASE NEW.status WHEN 'resolved' THEN 'closed' ELSE 'open' END;
    RETURN NULL;
END $$;
CREATE TRIGGER error_group_issue AFTER UPDATE OF status ON error_group FOR EACH ROW
WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION nabat_issue_follow();

-- GitHub says that an issue is closed or open: the group follows. Returns the group, NULL: it is none of ours, or says nothing new.
CREATE FUNCTION nabat_issue_said(repo text, issue bigint, said text) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    linked bigint;
    was text;
BEGIN
    SELECT l.group_id, l.state INTO linked, was FROM issue_link l
    WHERE lower(l.repository) = lower(repo) AND l.number = issue FOR UPDATE;
    IF linked IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE issue_link l SET state = said, wanted = said, trouble = NULL WHERE l.group_id = linked;
    IF said = 'closed' THEN
        UPDATE error_group g SET status = 'resolved' WHERE g.id = nabat_root(linked) AND g.status <> 'resolved';
    ELSE
        UPDATE error_group g SET status = 'new' WHERE g.id = nabat_root(linked) AND g.status = 'resolved';
    END IF;
    RETURN CASE WHEN was <> said THEN linked END;
END $$;
