-- 015_classes.sql -- what outlives its day by its class or as an example, and a store that is full.
--
-- Safe on a live database: a column with a constant default, functions.

-- An example of an open error: it stays until the error is resolved, whatever its age.
ALTER TABLE event_kept ADD COLUMN exemplar boolean NOT NULL DEFAULT false;
CREATE INDEX event_kept_group ON event_kept (group_id, id);

-- Days that an event of this severity and origin is kept: the longest of the classes (RETENTION) that name it; NULL: none does.
CREATE FUNCTION nabat_class_days(severity text, origin text, names text[], days integer[]) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT max(c.days) FROM unnest(names, days) AS c (name, days) WHERE c.name IN (severity, origin) $$;

-- What days, and what belongs to events of all days, take on disk; `days`: of the days' tables alone. Queues are not the
-- store: what waits for SENTRY_DSN must not push history out.
CREATE FUNCTION nabat_store_bytes(days boolean DEFAULT false) RETURNS bigint
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT coalesce(sum(pg_total_relation_size(r)), 0)::bigint FROM (
        SELECT inhrelid::regclass AS r FROM pg_inherits
        WHERE inhparent IN ('event'::regclass, 'error_stack'::regclass, 'event_attachment'::regclass)
        UNION ALL
        SELECT unnest(ARRAY['event_kept', 'error_group', 'group_user', 'group_hour', 'event_hour',
                            'error_group_history']::regclass[]) WHERE NOT days) t
$$;

-- Whether events are only counted, because the store takes more than `bytes_max` (STORE_MAX_BYTES; NULL: no bound) and no older
-- day could go; or a tenth more, when nabat-prune does not come. It is over when there is a twentieth of room.
CREATE FUNCTION nabat_store_is_full(bytes_max bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    bytes bigint := CASE WHEN bytes_max IS NOT NULL THEN nabat_store_bytes() ELSE 0 END;
    was_full boolean := EXISTS (SELECT 1 FROM service_setting WHERE name = 'store_full');
    has_older boolean := EXISTS (
        SELECT 1 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'event'::regclass
        AND to_date(right(c.relname, 8), 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date);
BEGIN
    IF bytes > bytes_max AND (NOT has_older OR bytes > bytes_max * 1.1) THEN
        INSERT INTO service_setting (name, value) VALUES ('store_full', now()::text) ON CONFLICT DO NOTHING;
        RETURN true;
    ELSIF was_full AND bytes < coalesce(bytes_max * 0.95, 1) THEN
        DELETE FROM service_setting WHERE name = 'store_full';
        RETURN false;
    END IF;
    RETURN was_full;
END $$;

-- Writes a day anew without events whose class is kept for less time than they are old, and swaps it in; returns how many went.
-- With them go their files, and stacks that no other event of the day has: forget_user finds both by their event. Readers go on until
-- the swap; whoever writes to that day (the spool's replay) waits. `word` says what it is without, so that it is not done
-- again. For nabat-prune.
CREATE FUNCTION nabat_thin_day(day date, names text[], days integer[], word text) RETURNS bigint
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
