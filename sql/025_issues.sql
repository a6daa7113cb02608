-- 025_issues.sql -- what GitHub says of an issue: the echo of what we asked for is no news.
--
-- Safe on a live database: a function.

-- As in 021_issues.sql. Returns the group, NULL: it is none of ours, or says nothing new.
CREATE OR REPLACE FUNCTION nabat_issue_said(repo text, issue bigint, said text) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    linked bigint;
    was text;
BEGIN
    SELECT l.group_id INTO linked FROM issue_link l WHERE lower(l.repository) = lower(repo) AND l.number = issue;
    IF linked IS NULL THEN
        RETURN NULL;
    END IF;
    -- the group first, as whoever changes its status
    PERFORM 1 FROM error_group g WHERE g.id = nabat_root(linked) FOR NO KEY UPDATE;
    SELECT l.state INTO was FROM issue_link l WHERE l.group_id = linked FOR UPDATE;
    IF was = said THEN
        RETURN NULL; -- what we know: the echo of what we asked for, which may come after the error has come back
    END IF;
    UPDATE issue_link l SET state = said, wanted = said, trouble = NULL WHERE l.group_id = linked;
    IF said = 'closed' THEN
        UPDATE error_group g SET status = 'resolved' WHERE g.id = nabat_root(linked) AND g.status <> 'resolved';
    ELSE
        UPDATE error_group g SET status = 'new' WHERE g.id = nabat_root(linked) AND g.status = 'resolved';
    END IF;
    RETURN linked;
END $$;
