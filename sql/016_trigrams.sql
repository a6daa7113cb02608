-- 016_trigrams.sql -- pg_trgm out of our schema.
--
-- Safe on a live database: a function, and an extension that moves to another schema.

-- pg_trgm is the database's, not ours: with our schema it would go, and others' indexes with it. It lives in public where it may.
CREATE OR REPLACE FUNCTION nabat_index_words() RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE home text;
BEGIN
    IF (CASE WHEN to_regnamespace('public') IS NOT NULL THEN has_schema_privilege('public', 'CREATE') ELSE false END) THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
    ELSE
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    END IF;
    SELECT quote_ident(n.nspname) INTO home FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm';
    EXECUTE format('CREATE INDEX IF NOT EXISTS error_group_words ON error_group USING gin '
                   '(nabat_group_text(title, culprit, handler, origin) %s.gin_trgm_ops)', home);
    RETURN true;
EXCEPTION WHEN undefined_file OR feature_not_supported OR insufficient_privilege OR invalid_parameter_value THEN
    RAISE NOTICE 'pg_trgm can''t be used (%): words are looked for in all groups', SQLERRM;
    RETURN false;
END $$;
DO $$
BEGIN
    IF current_schema() <> 'public' AND EXISTS (SELECT 1 FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                                                WHERE e.extname = 'pg_trgm' AND n.nspname = current_schema()) THEN
        ALTER EXTENSION pg_trgm SET SCHEMA public;
    END IF;
EXCEPTION WHEN insufficient_privilege OR undefined_object OR invalid_schema_name OR dependent_objects_still_exist THEN
    RAISE NOTICE 'pg_trgm stays where it is: %', SQLERRM;
END $$;
