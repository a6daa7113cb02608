-- roles.sql -- least privilege: who may do what in Nabat's schema. Run by the owner after `nabat --migrate`:
--
--     psql "$OWNER_URL" -v schema=public -f deploy/roles.sql
--     psql "$OWNER_URL" -c "ALTER ROLE nabat_service LOGIN PASSWORD '…'"
--
-- nabat_service: the service. No DDL: a new release wants `nabat --migrate` by the owner first (days' tables are made
-- by functions that run as the owner). nabat_triage: a person in psql who works errors off. nabat_reader: dashboards;
-- reads errors, and neither keys nor chats. nabat-prune needs the owner, since it detaches tables.
\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I NOLOGIN', name) FROM unnest(ARRAY['nabat_service', 'nabat_triage', 'nabat_reader']) AS name
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) \gexec

GRANT USAGE ON SCHEMA :"schema" TO nabat_service, nabat_triage, nabat_reader;
SET search_path TO :"schema";

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA :"schema" TO nabat_service;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA :"schema" TO nabat_service;
REVOKE INSERT, UPDATE, DELETE ON nabat_migration FROM nabat_service;
-- what later migrations add
ALTER DEFAULT PRIVILEGES IN SCHEMA :"schema" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO nabat_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA :"schema" GRANT USAGE, SELECT ON SEQUENCES TO nabat_service;

GRANT SELECT, INSERT, UPDATE ON bot_error_event TO nabat_triage;
GRANT SELECT, UPDATE (status, assigned_to, assigned_to_id, note, muted_until, muted_until_count) ON error_group
    TO nabat_triage;
GRANT SELECT ON error_group_history, open_errors, error_stats_24h, alert_outbox TO nabat_triage;

GRANT SELECT ON bot_error_event, error_group, error_group_history, open_errors, error_stats_24h, error_hours,
    group_hours, event_day, group_day, project_day, error_users TO nabat_reader;
