-- 006_channels.sql -- where else alerts go: e-mail, Slack, Discord, webhooks, PagerDuty, ntfy; and what rings
-- when the alert chat can't be reached.
--
-- Safe on a live database: columns come without a default that would rewrite rows.
--
-- makes: alert_channel

-- A channel is a destination like a chat: its id stands where a chat's id would (rules, outbox). Ids of
-- Telegram have at most 52 bits (Bot API); these begin above and stay below 2^53.
CREATE TABLE alert_channel (
    id         bigint GENERATED ALWAYS AS IDENTITY (START WITH 5000000000000001) PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9_.-]{1,40}$'),
    kind       text NOT NULL CHECK (kind IN
               ('email', 'slack', 'discord', 'webhook', 'pagerduty', 'ntfy', 'telegram')),
    url        text NOT NULL CHECK (length(url) BETWEEN 1 AND 1000), -- may hold secrets: never shown
    secret     text CHECK (length(secret) <= 500), -- signing secret, routing key, access token
    sender     text CHECK (length(sender) <= 300), -- of e-mail
    recipients text CHECK (length(recipients) <= 2000), -- of e-mail, comma separated
    language   text CHECK (language IN ('en', 'ru')),
    enabled    boolean NOT NULL DEFAULT true,
    fallback   integer,     -- rings critical alerts when the chat can't be reached: 1 first, then 2
    last_ok_at timestamptz,
    last_error text,
    last_error_at timestamptz,
    CHECK (kind <> 'email' OR (sender IS NOT NULL AND recipients IS NOT NULL)),
    CHECK (kind <> 'pagerduty' OR secret IS NOT NULL),
    CHECK (kind <> 'telegram' OR url ~ '^-?[0-9]{1,16}$')
);
CREATE TRIGGER alert_channel_changed AFTER INSERT OR DELETE OR UPDATE OF name, kind, url, secret, sender,
    recipients, language, enabled, fallback ON alert_channel
    FOR EACH STATEMENT EXECUTE FUNCTION nabat_rules_changed();

ALTER TABLE alert_outbox ADD COLUMN fallback_from bigint; -- the chat that could not be reached
