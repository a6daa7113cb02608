-- 010_writer.sql -- the writer may remember groups and stacks: how the database says that its memory is wrong.
--
-- A batch that relies on memory names what it stems from: the version of the rules, and of the stacks, which changes
-- when some are removed (forget_user). Groups it names by id and fingerprint, and they are looked at as they are
-- counted. Safe on a live database: one trigger, on a table that nobody but the writer and forget_user writes to, and
-- not waited for: writers would queue behind.
SET LOCAL lock_timeout = '2s';

INSERT INTO service_setting (name, value) VALUES ('stack_epoch', '1');

-- Fails the transaction of a batch that relied on what is no longer so: it is run again, looked up.
CREATE FUNCTION nabat_stale(what text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION '% is not as remembered', what USING ERRCODE = 'NB409';
END $$;

CREATE FUNCTION nabat_stacks_removed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE service_setting SET value = (value::bigint + 1)::text WHERE name = 'stack_epoch';
    RETURN NULL;
END $$;

CREATE TRIGGER error_stack_removed AFTER DELETE OR TRUNCATE ON error_stack
    FOR EACH STATEMENT EXECUTE FUNCTION nabat_stacks_removed();
