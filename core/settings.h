/* settings.h -- every setting of the service: one table holds name, type, default, bounds and help.
 *
 * Values come from the process environment, then from an env file; the environment wins. A wrong
 * value is an INPUT error that names the variable, what it held (unless secret), what it takes. */
#ifndef NABAT_CORE_SETTINGS_H
#define NABAT_CORE_SETTINGS_H

#include "core/buf.h"
#include "core/err.h"
#include "core/event.h"
#include "core/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SETTINGS_ADMINS_MAX = 64 };

struct id_list {
    int64_t ids[SETTINGS_ADMINS_MAX];
    size_t count;
};

/* Text is owned by the struct; NULL is "not set". */
struct settings {
    char *database_url;
    char *database_schema;
    char *telegram_bot_token;
    char *telegram_api_url;
    char *watch_bot_tokens;        /* comma separated */
    char *telegram_webhook_url;    /* NULL: long polling */
    char *telegram_webhook_secret; /* NULL: random, kept in the database */
    int64_t alert_chat_id;         /* 0: none */
    int64_t alert_thread_id;       /* 0: none */
    int64_t topics;                /* 0 none, 1 a topic an origin, 2 a topic a project */
    int64_t alert_cooldown_s;
    int64_t alert_min_severity; /* enum severity */
    int64_t retention_days;
    char *retention;         /* days by class; NULL: none */
    int64_t store_bytes_max; /* 0: no bound */
    char *archive_dir;       /* NULL: nothing is archived */
    struct id_list admin_ids;
    char *ingest_key;
    int64_t port;
    char *bind;
    char *public_url;
    char *open_url;
    char *gen_request_url;
    char *user_url;
    char *bot_language; /* "ru", "en" or NULL */
    char *time_zone;
    int64_t http_max_connections;
    int64_t http_body_memory;
    char *metrics_token;
    char *sentry_dsn;           /* NULL: nothing is forwarded */
    int64_t unhandled_severity; /* enum severity */
    char *trusted_proxies;
    int64_t group_rows_per_minute; /* 0: every event is kept */
    char *spool_dir;
    int64_t spool_bytes_max;  /* 0: no spool */
    int64_t rate_per_address; /* events a minute; 0: no limit */
    char *checks;             /* NULL: none */
    char *report_at;          /* "HH:MM" or "HH:MM ZONE"; NULL: no report comes by itself */
    char *github_token;       /* NULL: no issues are made */
    char *github_repository;  /* owner/name */
    char *github_api_url;
    char *github_assignees;
    char *github_webhook_secret; /* NULL: no webhook of GitHub is believed */
    char *scrub_fields;
    char *scrub_off;
    int64_t attachment_bytes_max;
    int64_t log_level;  /* enum log_level */
    int64_t log_format; /* 0 logfmt, 1 json */
};

enum setting_type {
    SETTING_TEXT,
    SETTING_URL,      /* http:// or https://, no blanks */
    SETTING_INT,      /* whole number within bounds */
    SETTING_DURATION, /* seconds, or 10m, 2h, 7d */
    SETTING_SIZE,     /* bytes, or KiB, MiB, GiB */
    SETTING_CHOICE,   /* one of `choices`, blank separated; stored as its index */
    SETTING_WORD,     /* one of `choices`, stored as text */
    SETTING_IDS,      /* comma separated whole numbers */
    SETTING_HEX32,    /* 32 hexadecimal digits */
    SETTING_ZONE,     /* a name of the tz database */
    SETTING_TOKEN,    /* a bot token: digits, a colon, letters */
    SETTING_SECRET,   /* 1 to 256 of A-Z a-z 0-9 _ - (Bot API: secret_token) */
    SETTING_CLASSES,  /* name=days, comma separated; core/retention.h */
    SETTING_REPO,     /* owner/name */
    SETTING_CHECKS,   /* core/check_spec.h */
    SETTING_AT,       /* HH:MM, or HH:MM and a zone */
    SETTING_DSN,      /* https://KEY@HOST/PROJECT */
    SETTING_NAME,     /* a PostgreSQL identifier of up to 63 bytes */
};

struct setting {
    const char *name;
    enum setting_type type;
    const char *preset; /* default as text; NULL: none */
    int64_t min;
    int64_t max;
    const char *choices;
    bool secret;
    size_t offset; /* into struct settings */
    const char *help;
};
/* Whether values of the type are kept as text, and not as a number or a list. */
bool settings_is_text(enum setting_type type);
/* What may change while the service runs (SIGHUP) is taken over from `fresh`, and logged; of the rest that differs the log says
 * that it waits for the next start. Values are never logged. */
void settings_take_over(struct settings *settings, const struct settings *fresh);
extern const struct setting SETTINGS[];
extern const size_t SETTINGS_COUNT;

/* `env_file` NULL: ".env" if there is one. On success the caller frees with settings_fini. Unknown
 * ERROR_*, TELEGRAM_*, NABAT_* names and names of later releases are warned about in the log. */
bool settings_load(struct settings *settings, const char *env_file, struct err *err);
void settings_fini(struct settings *settings);

/* Pure parts, for tests. */
bool settings_parse_value(const struct setting *spec, const char *value, struct settings *settings,
                          struct err *err);
/* Calls `each` for every NAME=value of an env file; false names the line that is none. */
typedef void settings_pair_fn(void *ctx, const char *name, const char *value);
bool settings_parse_env(const char *text, settings_pair_fn *each, void *ctx, struct err *err);

/* The text of --help and of .env.example. */
void settings_help(struct buf *out);
void settings_env_example(struct buf *out);

#endif
