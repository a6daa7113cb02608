-- 019_checks.sql -- addresses that are asked whether they answer, and addresses that jobs ask to say that they live.
--
--     the holder of the lease: due? --claimed by its next time--> asked --> state, sample; a failure as a row of event_inbox
--     GET /beat/<key> --> a check-in of the key's monitor (002_sentry.sql)
--
-- Safe on a live database: new tables.
--
-- makes: uptime_check check_sample beat_key

CREATE TABLE uptime_check (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url             text NOT NULL UNIQUE,
    every_s         integer NOT NULL DEFAULT 60 CHECK (every_s BETWEEN 10 AND 86400),
    expect          integer NOT NULL DEFAULT 0, -- a status; 0: any below 400
    under_ms        integer NOT NULL DEFAULT 0, -- 0: as slow as it likes
    cert_days       integer NOT NULL DEFAULT 14, -- its certificate must be good for as long
    enabled         boolean NOT NULL DEFAULT true,
    from_settings   boolean NOT NULL DEFAULT false, -- CHECKS says so, and may take it away
    added_by        text,
    next_at         timestamptz NOT NULL DEFAULT now(),
    troubles        text NOT NULL DEFAULT '', -- checks/machine.h
    failing         text, -- down, slow, certificate; NULL: all is well
    last_at         timestamptz,
    last_ms         integer,
    last_status     integer,
    last_error      text,
    cert_expires_at timestamptz
);
CREATE INDEX uptime_check_due ON uptime_check (next_at) WHERE enabled;

CREATE TABLE check_sample (
    check_id bigint NOT NULL REFERENCES uptime_check (id) ON DELETE CASCADE,
    at       timestamptz NOT NULL DEFAULT now(),
    ms       integer NOT NULL,
    ok       boolean NOT NULL
);
CREATE INDEX check_sample_at ON check_sample (check_id, at);

CREATE TABLE beat_key (
    key        text PRIMARY KEY CHECK (key ~ '^[0-9a-f]{32}$'),
    project_id integer NOT NULL DEFAULT 1 REFERENCES project (id),
    slug       text NOT NULL,
    every_min  integer NOT NULL CHECK (every_min BETWEEN 1 AND 44640),
    added_by   text,
    added_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, slug)
);
