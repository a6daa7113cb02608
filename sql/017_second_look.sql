-- 017_second_look.sql -- what a second reading found in 014 and 015.
--
-- Safe on a live database: two columns with constant defaults, functions.

-- One event that the other side always fails on must not hold up those behind it: it waits by itself.
ALTER TABLE forward_queue ADD COLUMN tries integer NOT NULL DEFAULT 0;
ALTER TABLE forward_queue ADD COLUMN next_try_at timestamptz NOT NULL DEFAULT '-infinity';

-- What days, and what belongs to events of all days, take on disk; `days`: of the days' tables alone. Queues are not the
-- store: what waits for SENTRY_DSN must not push history out.
CREATE FUNCTION nabat_store_bytes(days boolean) RETURNS bigint
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT coalesce(sum(pg_total_relation_size(r)), 0)::bigint FROM (
        SELECT inhrelid::regclass AS r FROM pg_inherits
        WHERE inhparent IN ('event'::regclass, 'error_stack'::regclass, 'event_attachment'::regclass)
        UNION ALL
        SELECT unnest(ARRAY['event_kept', 'error_group', 'group_user', 'group_hour', 'event_hour',
                            'error_group_history']::regclass[]) WHERE NOT days) t
$$;
CREATE OR REPLACE FUNCTION nabat_store_bytes() RETURNS bigint
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$ SELECT nabat_store_bytes(false) $$;

-- As before, and with the events go their files, and stacks that no other event of the day has: forget_user finds both by their
-- event. What waits for the lock that the caller's lock_timeout bounds is tried again by the next run.
CREATE OR REPLACE FUNCTION nabat_thin_day(day date, names text[], days integer[], word text) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    leaf text := 'event_' || to_char(day, 'YYYYMMDD');
    thin text := leaf || '_thin';
    old bigint;
    kept bigint;
BEGIN
    EXECUTE format('LOCK TABLE %I IN SHARE MODE', leaf);
    EXECUTE format('SELECT count(*) FROM %I', leaf) INTO old;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', thin, leaf);
    EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE (nabat_class_days(severity, origin, $1, $2) < '
                   '(now() AT TIME ZONE ''UTC'')::date - $3) IS NOT TRUE', thin, leaf) USING names, days, day;
    GET DIAGNOSTICS kept = ROW_COUNT;
    IF kept < old THEN
        EXECUTE format('ALTER TABLE event DETACH PARTITION %I', leaf);
        EXECUTE format('DROP TABLE %I', leaf);
        EXECUTE format('ALTER TABLE %I RENAME TO %I', thin, leaf);
        EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', leaf,
                       to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00');
        EXECUTE format('DELETE FROM event_attachment a WHERE a.received_day = $1 AND NOT EXISTS (SELECT 1 FROM %I e '
                       'WHERE e.project_id = a.project_id AND e.event_id = a.event_id)', leaf) USING day;
        EXECUTE format('DELETE FROM error_stack s WHERE s.received_day = $1 AND NOT EXISTS (SELECT 1 FROM %I e '
                       'WHERE e.stack_hash = s.hash)', leaf) USING day;
    ELSE
        EXECUTE format('DROP TABLE %I', thin);
    END IF;
    EXECUTE format('COMMENT ON TABLE %I IS %L', leaf, word);
    RETURN old - kept;
END $$;
