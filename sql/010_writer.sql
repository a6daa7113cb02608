-- 010_writer.sql -- the writer may remember groups and stacks: what makes its memory wrong changes the epoch.
--
-- A batch that relies on memory names the epoch that it stems from. Who removes groups or stacks, or changes
-- what rules name, changes it; a removal first takes the lock that every batch holds shared, so no batch is
-- under way meanwhile. Safe on a live database: functions and triggers only.

INSERT INTO service_setting (name, value) VALUES ('store_epoch', '1');

-- Fails the transaction of a batch that relied on what is no longer so: it is run again, looked up.
CREATE FUNCTION nabat_stale(what text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION '% is not as remembered', what USING ERRCODE = 'NB409';
END $$;

CREATE FUNCTION nabat_new_epoch() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_WHEN = 'BEFORE' THEN
        PERFORM pg_advisory_xact_lock(hashtext('nabat.groups'));
    END IF;
    UPDATE service_setting SET value = (value::bigint + 1)::text WHERE name = 'store_epoch';
    RETURN NULL;
END $$;

CREATE TRIGGER error_group_epoch BEFORE DELETE OR TRUNCATE ON error_group
    FOR EACH STATEMENT EXECUTE FUNCTION nabat_new_epoch();
CREATE TRIGGER error_stack_epoch BEFORE DELETE OR TRUNCATE ON error_stack
    FOR EACH STATEMENT EXECUTE FUNCTION nabat_new_epoch();
CREATE TRIGGER alert_rule_epoch AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON alert_rule
    FOR EACH STATEMENT EXECUTE FUNCTION nabat_new_epoch();
CREATE TRIGGER alert_inhibition_epoch AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON alert_inhibition
    FOR EACH STATEMENT EXECUTE FUNCTION nabat_new_epoch();
