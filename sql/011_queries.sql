-- 011_queries.sql -- lists and searches that cost the same with a million groups: docs/queries.md has their plans.
--
-- Locks error_group while it is written anew for the column: half a minute for a million groups, during which events are
-- spooled. What holds the table open for longer than the lock's timeout stops the migration, and nothing has changed.

-- Recency that an index can have: last_seen changes with every batch, and an index on it would turn each of these
-- updates into entries of every index. This changes once a minute.
ALTER TABLE error_group ADD COLUMN seen_minute timestamptz NOT NULL
    GENERATED ALWAYS AS (date_bin('1 minute', last_seen, timestamptz '2020-01-01 00:00+00')) STORED;

-- A list is the newest of each status and severity that it asks for, together.
CREATE INDEX error_group_list ON error_group (status, severity, seen_minute DESC) WHERE merged_into IS NULL;
DROP INDEX error_group_open;

-- What the service reads every few seconds, to know what would ring without the database.
CREATE INDEX error_group_taken ON error_group (id) WHERE status = 'in_progress';
CREATE INDEX alert_state_recent ON alert_state (last_ring_at);

-- What somebody owns: few, whatever the number of groups.
CREATE INDEX error_group_owner ON error_group (assigned_to) WHERE assigned_to IS NOT NULL;
CREATE INDEX error_group_owner_id ON error_group (assigned_to_id) WHERE assigned_to_id IS NOT NULL;

-- What the words of /errors are looked for in. Pages of groups with a rare word are found by trigrams; without the
-- extension, by reading all groups.
CREATE FUNCTION nabat_group_text(title text, culprit text, handler text, origin text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT lower(title || ' ' || coalesce(culprit, '') || ' ' || coalesce(handler, '') || ' ' || origin) $$;

-- Makes the index if the extension can be had, and tells whether: called here, and by hand when it was installed later.
CREATE FUNCTION nabat_index_words() RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE home text;
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    SELECT quote_ident(n.nspname) INTO home FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm';
    EXECUTE format('CREATE INDEX IF NOT EXISTS error_group_words ON error_group USING gin '
                   '(nabat_group_text(title, culprit, handler, origin) %s.gin_trgm_ops)', home);
    RETURN true;
EXCEPTION WHEN undefined_file OR feature_not_supported OR insufficient_privilege OR invalid_parameter_value THEN
    RAISE NOTICE 'pg_trgm can''t be used (%): words are looked for in all groups', SQLERRM;
    RETURN false;
END $$;
REVOKE ALL ON FUNCTION nabat_index_words() FROM PUBLIC;
SELECT nabat_index_words();
