-- 018_deploys.sql -- what was put out when, so that a card can say that an error came three minutes after it.
--
--     POST /api/deploys, /deploy, Railway's and GitHub's webhooks --> deploy --> cards, /stats, /top releases
--
-- Safe on a live database: a new table.
--
-- makes: deploy

CREATE TABLE deploy (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id  integer NOT NULL DEFAULT 1 REFERENCES project (id),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200), -- what people call it: a release, a commit, "friday's"
    release     text COLLATE "C", -- as events name it; NULL: not known
    environment text,
    url         text,
    actor       text,
    source      text NOT NULL, -- api, chat, railway, github
    deployed_at timestamptz NOT NULL DEFAULT now(),
    external_id text, -- of whoever told of it: told twice, it is there once
    UNIQUE (project_id, source, external_id)
);
CREATE INDEX deploy_time ON deploy (project_id, deployed_at);
