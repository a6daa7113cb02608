-- 022_leaf_day.sql -- the day of a leaf is read from its name, and from no other name.
--
-- "WHERE i.inhparent = 'event'::regclass AND to_date(right(c.relname, 8), 'YYYYMMDD') < ..." is safe only while the planner joins
-- first: with fresh statistics of pg_class it may look at every relation's name before, and to_date('tatistic') of pg_statistic ends
-- the statement. CASE is what keeps the order (PostgreSQL, 4.2.14. Expression Evaluation Rules).

-- The day of a leaf of event, error_stack or event_attachment by its name; NULL of any other name. No SET: it shall be inlined.
CREATE FUNCTION nabat_leaf_day(name text) RETURNS date LANGUAGE sql STABLE AS
$$ SELECT CASE WHEN name ~ '^(event|error_stack|event_attachment)_[0-9]{8}$' THEN to_date(right(name, 8), 'YYYYMMDD') END $$;

-- As in 015_classes.sql.
CREATE OR REPLACE FUNCTION nabat_store_is_full(bytes_max bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    bytes bigint := CASE WHEN bytes_max IS NOT NULL THEN nabat_store_bytes() ELSE 0 END;
    was_full boolean := EXISTS (SELECT 1 FROM service_setting WHERE name = 'store_full');
    has_older boolean := EXISTS (
        SELECT 1 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'event'::regclass
        AND nabat_leaf_day(c.relname) < (now() AT TIME ZONE 'UTC')::date);
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
