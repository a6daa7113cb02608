/* nabat_client.h -- Nabat's client for C in one file: record an event, keep it on disk if it can't be sent now.
 *
 *     #define NABAT_CLIENT_IMPLEMENTATION      // in one .c file of the program
 *     #include "nabat_client.h"
 *     cc -o program program.c -lcurl
 *
 *     char why[NABAT_CLIENT_WHY];
 *     struct nabat_client *nabat = nabat_client_new(getenv("NABAT_DSN"), NULL, why);
 *     nabat_client_record(nabat, &(struct nabat_event){.severity = "critical", .message = "No space left"}, why);
 *     nabat_client_free(nabat);
 *
 * It blocks, for `timeout` at most, whatever one call sends: made for jobs, tools and daemons that fail seldom, not for a loop. What could not be sent
 * waits in a folder of this user's, one file an event, and goes with the next one that can. POSIX, libcurl; C99.
 * A client belongs to one thread at a time. */
#ifndef NABAT_CLIENT_H
#define NABAT_CLIENT_H

#include <stddef.h>
#include <stdint.h>

enum {
    NABAT_CLIENT_WHY = 256,              /* bytes of a reason, with its NUL */
    NABAT_CLIENT_EVENT_MAX = 900 * 1024, /* bytes of an event's JSON; the service takes 1 MiB */
    NABAT_CLIENT_SPOOL_FILES = 1000,     /* events that wait on disk at most */
    NABAT_CLIENT_SPOOL_BYTES = 16 * 1024 * 1024,
    NABAT_CLIENT_RESEND_MAX = 100, /* of those that wait, how many one call sends */
};

/* The fields of POST /api/events; NULL and 0 are left out. Texts are UTF-8; what is not is the service's to mend.
 * message, exception_type or stacktrace: one is needed. */
struct nabat_event {
    const char *message;
    const char *severity; /* debug info warning error critical */
    const char *origin;
    const char *handler;
    const char *exception_type;
    const char *exception_value;
    const char *stacktrace;
    int64_t chat_id;
    const char *user_id;
    const char *gen_request_id;
    const char *environment;
    const char *release;
    const char *server_name;
    const char *const *tags;        /* name, value, name, value, NULL */
    const char *const *fingerprint; /* parts, NULL */
    const char *payload_json;       /* an object, as JSON: it goes in as it is */
};

enum nabat_result {
    NABAT_SENT,    /* the service has it */
    NABAT_KEPT,    /* it waits on disk; `why` says why it was not sent */
    NABAT_LOST,    /* neither; `why` says why */
    NABAT_REFUSED, /* the service won't ever take it; `why` has its answer */
};

struct nabat_client;

/* `spool`: a folder, or NULL for $XDG_STATE_HOME, ~/.local/state or /var/tmp. NULL and a reason, without the key, if the
 * DSN (scheme://KEY@host[:port][/prefix]/PROJECT) can't be read. The caller frees. */
struct nabat_client *nabat_client_new(const char *dsn, const char *spool,
                                      char why[NABAT_CLIENT_WHY]);
void nabat_client_free(struct nabat_client *client);

/* Of one call; 10 s if it is not set. */
void nabat_client_set_timeout(struct nabat_client *client, long milliseconds);

/* Sends the event, and after it some of those that wait, all within `timeout`. `why` is "" when all is well. */
enum nabat_result nabat_client_record(struct nabat_client *client, const struct nabat_event *event,
                                      char why[NABAT_CLIENT_WHY]);

/* Sends some of those that wait, oldest first; for a program that has nothing to record now. */
void nabat_client_resend(struct nabat_client *client);

/* A check-in of a cron job: status is in_progress, ok or error. `id` is 32 hex digits, the same for begin and end
 * (nabat_client_id makes one). `seconds` below 0: not known. `crontab` (NULL: leave it) makes or changes the monitor.
 * Check-ins are of now: one that can't be sent is not kept. */
struct nabat_checkin {
    const char *monitor;
    const char *id;
    const char *status;
    const char *environment;
    const char *crontab;
    const char *timezone;
    double seconds;
    long max_runtime_minutes;
};
enum nabat_result nabat_client_check_in(struct nabat_client *client,
                                        const struct nabat_checkin *checkin,
                                        char why[NABAT_CLIENT_WHY]);
void nabat_client_id(char id[33]);

/* JSON of a text, appended with its quotes; for payload_json. The buffer grows up to its ceiling, then .full is set. */
struct nabat_text {
    char *at;
    size_t len, cap;
    int full;
};
void nabat_text_add(struct nabat_text *text, const char *words);
void nabat_text_add_json(struct nabat_text *text, const char *words, size_t len);
void nabat_text_free(struct nabat_text *text);

#endif

#ifdef NABAT_CLIENT_IMPLEMENTATION
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NABAT_URL_BYTES = 600, NABAT_PATH_BYTES = 1024, NABAT_ANSWER_BYTES = 2048 };

struct nabat_client {
    CURL *curl;
    char base[NABAT_URL_BYTES]; /* scheme://host:port/prefix */
    char key[128];
    char project[24];
    char spool[NABAT_PATH_BYTES];
    long timeout_ms;
    long ends_ms, left_ms; /* of the call under way */
    char answer[NABAT_ANSWER_BYTES];
    size_t answer_len;
};

/* ------------------------------------------------------------------ text */

static int nabat_text_room(struct nabat_text *text, size_t more)
{
    if (text->full || more > NABAT_CLIENT_EVENT_MAX - text->len) {
        text->full = 1;
        return 0;
    }
    if (text->len + more + 1 > text->cap) {
        size_t cap = text->cap * 2 + more + 256;
        char *at = realloc(text->at, cap);
        if (!at) {
            text->full = 1;
            return 0;
        }
        text->at = at;
        text->cap = cap;
    }
    return 1;
}

static void nabat_text_bytes(struct nabat_text *text, const char *bytes, size_t len)
{
    if (!nabat_text_room(text, len))
        return;
    memcpy(text->at + text->len, bytes, len);
    text->len += len;
    text->at[text->len] = 0;
}

void nabat_text_add(struct nabat_text *text, const char *words)
{
    nabat_text_bytes(text, words, strlen(words));
}

void nabat_text_add_json(struct nabat_text *text, const char *words, size_t len)
{
    static const char HEX[] = "0123456789abcdef";
    nabat_text_add(text, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)words[i];
        if (c == '"' || c == '\\') {
            char escaped[2] = {'\\', (char)c};
            nabat_text_bytes(text, escaped, 2);
        } else if (c < 0x20) {
            char escaped[6] = {'\\', 'u', '0', '0', HEX[c >> 4], HEX[c & 15]};
            nabat_text_bytes(text, escaped, 6);
        } else {
            nabat_text_bytes(text, words + i, 1);
        }
    }
    nabat_text_add(text, "\"");
}

void nabat_text_free(struct nabat_text *text)
{
    free(text->at);
    memset(text, 0, sizeof *text);
}

static void nabat_member(struct nabat_text *text, const char *name, const char *value)
{
    if (!value)
        return;
    if (text->len && text->at[text->len - 1] != '{')
        nabat_text_add(text, ",");
    nabat_text_add_json(text, name, strlen(name));
    nabat_text_add(text, ":");
    nabat_text_add_json(text, value, strlen(value));
}

void nabat_client_id(char id[33])
{
    static unsigned calls;
    unsigned char bytes[16];
    size_t got = 0;
    FILE *random = fopen("/dev/urandom", "rb");
    if (random) {
        got = fread(bytes, 1, sizeof bytes, random);
        fclose(random);
    }
    if (got != sizeof bytes) { /* a chroot without /dev: unique is enough, it need not be secret */
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, &now, sizeof now < 12 ? sizeof now : 12);
        unsigned mixed = (unsigned)getpid() * 2654435761u + calls++;
        memcpy(bytes + 12, &mixed, 4);
    }
    for (int i = 0; i < 16; i++)
        snprintf(id + i * 2, 3, "%02x", bytes[i]);
}

static void nabat_event_json(const struct nabat_event *e, struct nabat_text *text)
{
    char id[33], number[48];
    struct timespec now;
    nabat_client_id(id);
    clock_gettime(CLOCK_REALTIME, &now);
    nabat_text_add(text, "{");
    nabat_member(text, "event_id", id);
    snprintf(number, sizeof number, ",\"occurred_at\":%lld.%03ld", (long long)now.tv_sec,
             now.tv_nsec / 1000000);
    nabat_text_add(text, number);
    nabat_member(text, "message", e->message);
    nabat_member(text, "severity", e->severity);
    nabat_member(text, "origin", e->origin);
    nabat_member(text, "handler", e->handler);
    if (e->exception_type || e->stacktrace) {
        nabat_text_add(text, ",\"exception\":{");
        nabat_member(text, "type", e->exception_type);
        nabat_member(text, "value", e->exception_value);
        nabat_member(text, "stacktrace", e->stacktrace);
        nabat_text_add(text, "}");
    }
    if (e->chat_id) {
        snprintf(number, sizeof number, ",\"chat_id\":%lld", (long long)e->chat_id);
        nabat_text_add(text, number);
    }
    nabat_member(text, "user_id", e->user_id);
    nabat_member(text, "gen_request_id", e->gen_request_id);
    nabat_member(text, "environment", e->environment);
    nabat_member(text, "release", e->release);
    nabat_member(text, "server_name", e->server_name);
    if (e->tags) {
        nabat_text_add(text, ",\"tags\":{");
        for (const char *const *tag = e->tags; tag[0] && tag[1]; tag += 2)
            nabat_member(text, tag[0], tag[1]);
        nabat_text_add(text, "}");
    }
    for (size_t i = 0; e->fingerprint && e->fingerprint[i]; i++) {
        nabat_text_add(text, i ? "," : ",\"fingerprint\":[");
        nabat_text_add_json(text, e->fingerprint[i], strlen(e->fingerprint[i]));
        if (!e->fingerprint[i + 1])
            nabat_text_add(text, "]");
    }
    if (e->payload_json) {
        nabat_text_add(text, ",\"payload\":");
        nabat_text_add(text, e->payload_json);
    }
    nabat_text_add(text, "}");
}

/* ------------------------------------------------------------------ the DSN, the folder */

static int nabat_dsn(struct nabat_client *c, const char *dsn, char *why)
{
    const char *host, *at, *slash;
    size_t scheme = !strncmp(dsn, "https://", 8) ? 8 : !strncmp(dsn, "http://", 7) ? 7 : 0;
    const char *wrong = NULL;
    if (!scheme)
        wrong = "starts with neither http:// nor https://";
    else if (!(at = strchr(dsn + scheme, '@')) || at == dsn + scheme)
        wrong = "has no key: it is scheme://KEY@host/PROJECT";
    else if (!(slash = strrchr(host = at + 1, '/')) || slash == host || !slash[1] ||
             slash[1 + strspn(slash + 1, "0123456789")])
        wrong = "does not end with the number of a project, as /1";
    else if ((size_t)(at - dsn) - scheme >= sizeof c->key ||
             strlen(slash + 1) >= sizeof c->project ||
             scheme + (size_t)(slash - host) >= sizeof c->base)
        wrong = "is too long";
    if (wrong) {
        snprintf(why, NABAT_CLIENT_WHY, "the DSN %s", wrong);
        return 0;
    }
    snprintf(c->key, sizeof c->key, "%.*s", (int)(at - dsn - (int)scheme), dsn + scheme);
    c->key[strcspn(c->key, ":")] = 0; /* old DSNs have KEY:SECRET */
    snprintf(c->project, sizeof c->project, "%s", slash + 1);
    snprintf(c->base, sizeof c->base, "%.*s%.*s", (int)scheme, dsn, (int)(slash - host), host);
    return 1;
}

/* One folder a destination: what waits for one service is never sent to another. */
static void nabat_spool_folder(struct nabat_client *c, const char *given)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const char *part = c->base; part; part = part == c->base ? c->project : NULL)
        for (const char *p = part; *p; p++)
            hash = (hash ^ (unsigned char)*p) * 1099511628211u;
    if (given)
        snprintf(c->spool, sizeof c->spool, "%s", given);
    else if (state && state[0] == '/')
        snprintf(c->spool, sizeof c->spool, "%s/nabat-log-%016llx", state,
                 (unsigned long long)hash);
    else if (home && home[0] == '/' && !access(home, W_OK))
        snprintf(c->spool, sizeof c->spool, "%s/.local/state/nabat-log-%016llx", home,
                 (unsigned long long)hash);
    else
        snprintf(c->spool, sizeof c->spool, "/var/tmp/nabat-log-%lu-%016llx",
                 (unsigned long)geteuid(), (unsigned long long)hash);
}

/* In /var/tmp somebody else may have made it first, and put into it what we would send, or hang on. */
static int nabat_spool_is_ours(const struct nabat_client *c)
{
    struct stat found;
    return !lstat(c->spool, &found) && S_ISDIR(found.st_mode) && found.st_uid == geteuid();
}

/* Makes it with its parents. */
static int nabat_spool_ready(const struct nabat_client *c, char *why)
{
    char path[NABAT_PATH_BYTES];
    snprintf(path, sizeof path, "%s", c->spool);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    if (mkdir(c->spool, 0700) && errno != EEXIST) {
        snprintf(why, NABAT_CLIENT_WHY, "%.180s: %s", c->spool, strerror(errno));
        return 0;
    }
    if (!nabat_spool_is_ours(c)) {
        snprintf(why, NABAT_CLIENT_WHY, "%.180s is no folder of this user's", c->spool);
        return 0;
    }
    return 1;
}

/* ------------------------------------------------------------------ one request */

static size_t nabat_collect(char *bytes, size_t size, size_t count, void *client)
{
    struct nabat_client *c = client;
    size_t len = size * count, room = sizeof c->answer - 1 - c->answer_len;
    memcpy(c->answer + c->answer_len, bytes, len < room ? len : room);
    c->answer_len += len < room ? len : room;
    c->answer[c->answer_len] = 0;
    return len;
}

/* The service's own words, from {"error":…,"detail":"…"}; enough for a line on stderr. */
static void nabat_detail(const struct nabat_client *c, long status, char *why)
{
    const char *detail = strstr(c->answer, "\"detail\":\"");
    size_t len = detail ? strcspn(detail + 10, "\"") : 0;
    snprintf(why, NABAT_CLIENT_WHY, "HTTP %ld%s%.*s", status, detail ? ": " : "",
             (int)(len < 180 ? len : 180), detail ? detail + 10 : "");
}

static long nabat_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One call has one bound, however many requests it makes. */
static void nabat_begin(struct nabat_client *c)
{
    c->left_ms = c->timeout_ms;
    c->ends_ms = nabat_now_ms() + c->timeout_ms;
}

static enum nabat_result nabat_post(struct nabat_client *c, const char *url, const char *body,
                                    size_t len, char *why)
{
    char bearer[160], wrong[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    long status = 0;
    snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", c->key);
    headers = curl_slist_append(headers, bearer);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    c->answer_len = 0;
    c->answer[0] = 0;
    curl_easy_reset(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)len);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, nabat_collect);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, wrong);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, c->left_ms < 3000 ? c->left_ms : 3000L);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, c->left_ms);
    CURLcode code = curl_easy_perform(c->curl);
    c->left_ms = c->ends_ms - nabat_now_ms();
    if (code == CURLE_OK)
        curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    why[0] = 0;
    if (status >= 200 && status < 300)
        return NABAT_SENT;
    if (code != CURLE_OK)
        snprintf(why, NABAT_CLIENT_WHY, "%s", wrong[0] ? wrong : curl_easy_strerror(code));
    else
        nabat_detail(c, status, why);
    return status == 400 || status == 413 ? NABAT_REFUSED : NABAT_LOST;
}

static enum nabat_result nabat_post_event(struct nabat_client *c, const char *body, size_t len,
                                          char *why)
{
    char url[NABAT_URL_BYTES + 16];
    snprintf(url, sizeof url, "%s/api/events", c->base);
    return nabat_post(c, url, body, len, why);
}

/* ------------------------------------------------------------------ what waits on disk */

static int nabat_is_waiting(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && !strcmp(entry->d_name + len - 5, ".json");
}

/* Written beside and renamed: what ends in the middle leaves no half of one. */
static int nabat_write_file(const char *path, const char *body, size_t len)
{
    char part[NABAT_PATH_BYTES + 192];
    snprintf(part, sizeof part, "%s.part", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return 0;
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(fd, body + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    int ok = done == len && !fsync(fd);
    ok = !close(fd) && ok && !rename(part, path);
    if (!ok)
        unlink(part);
    return ok;
}

static enum nabat_result nabat_keep(struct nabat_client *c, const char *body, size_t len, char *why)
{
    char path[NABAT_PATH_BYTES + 160], id[33];
    char cant[NABAT_CLIENT_WHY];
    struct dirent **names = NULL;
    struct timespec now;
    size_t used = 0;
    if (!nabat_spool_ready(c, cant)) {
        snprintf(why, NABAT_CLIENT_WHY, "%s", cant);
        return NABAT_LOST;
    }
    int count = scandir(c->spool, &names, nabat_is_waiting, NULL);
    for (int i = 0; i < count; i++) {
        struct stat found;
        snprintf(path, sizeof path, "%s/%.128s", c->spool, names[i]->d_name);
        used += stat(path, &found) ? 0 : (size_t)found.st_size;
        free(names[i]);
    }
    free(names);
    if (count >= NABAT_CLIENT_SPOOL_FILES || used + len > NABAT_CLIENT_SPOOL_BYTES) {
        snprintf(why, NABAT_CLIENT_WHY, "%.160s is full: %d events wait there", c->spool, count);
        return NABAT_LOST;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    nabat_client_id(id);
    snprintf(path, sizeof path, "%s/%020lld%09ld-%.8s.json", c->spool, (long long)now.tv_sec,
             now.tv_nsec, id);
    if (!nabat_write_file(path, body, len)) {
        snprintf(why, NABAT_CLIENT_WHY, "%.180s can't be written: %s", c->spool, strerror(errno));
        return NABAT_LOST;
    }
    return NABAT_KEPT;
}

static char *nabat_read_file(const char *path, size_t *len)
{
    struct stat found;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    FILE *file = fd >= 0 && !fstat(fd, &found) && S_ISREG(found.st_mode) ? fdopen(fd, "rb") : NULL;
    char *body = file ? malloc(NABAT_CLIENT_EVENT_MAX + 1) : NULL;
    *len = body ? fread(body, 1, NABAT_CLIENT_EVENT_MAX + 1, file) : 0;
    if (file)
        fclose(file);
    else if (fd >= 0)
        close(fd);
    return body;
}

/* Oldest first, until one can't be sent. Two programs may send the same one: it carries its id, and is stored once. */
static void nabat_resend(struct nabat_client *c)
{
    if (!nabat_spool_is_ours(c))
        return;
    struct dirent **names = NULL;
    char why[NABAT_CLIENT_WHY], path[NABAT_PATH_BYTES + 160];
    int on = 1, count = scandir(c->spool, &names, nabat_is_waiting, alphasort);
    for (int i = 0; i < count; i++) {
        if (on && c->left_ms > 0 && i < NABAT_CLIENT_RESEND_MAX) {
            size_t len;
            snprintf(path, sizeof path, "%s/%.128s", c->spool, names[i]->d_name);
            char *body = nabat_read_file(path, &len);
            /* what can't be read stays, for a person to look at */
            enum nabat_result result =
                body && len ? nabat_post_event(c, body, len, why) : NABAT_KEPT;
            on = result != NABAT_LOST && c->left_ms > 0;
            if (result == NABAT_SENT || result == NABAT_REFUSED)
                unlink(path);
            free(body);
        }
        free(names[i]);
    }
    free(names);
}

/* ------------------------------------------------------------------ the four calls */

struct nabat_client *nabat_client_new(const char *dsn, const char *spool,
                                      char why[NABAT_CLIENT_WHY])
{
    struct nabat_client *c = calloc(1, sizeof *c);
    why[0] = 0;
    if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) || !(c->curl = curl_easy_init())) {
        snprintf(why, NABAT_CLIENT_WHY, "libcurl can't be started");
        free(c);
        return NULL;
    }
    if (!dsn || !dsn[0])
        snprintf(why, NABAT_CLIENT_WHY,
                 "NABAT_DSN is not set; it is scheme://KEY@host/PROJECT, as Nabat prints it");
    if (why[0] || !nabat_dsn(c, dsn, why)) {
        nabat_client_free(c);
        return NULL;
    }
    c->timeout_ms = 10000;
    nabat_spool_folder(c, spool);
    return c;
}

void nabat_client_free(struct nabat_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    curl_global_cleanup();
    memset(client->key, 0, sizeof client->key);
    free(client);
}

void nabat_client_set_timeout(struct nabat_client *client, long milliseconds)
{
    client->timeout_ms = milliseconds;
}

enum nabat_result nabat_client_record(struct nabat_client *client, const struct nabat_event *event,
                                      char why[NABAT_CLIENT_WHY])
{
    struct nabat_text text = {0};
    char cant[NABAT_CLIENT_WHY] = "";
    nabat_begin(client);
    nabat_event_json(event, &text);
    if (text.full) {
        snprintf(why, NABAT_CLIENT_WHY, "the event is over the limit of %d bytes",
                 NABAT_CLIENT_EVENT_MAX);
        nabat_text_free(&text);
        return NABAT_REFUSED;
    }
    enum nabat_result result = nabat_post_event(client, text.at, text.len, why);
    if (result == NABAT_LOST) {
        result = nabat_keep(client, text.at, text.len, cant);
        if (result == NABAT_LOST)
            snprintf(why, NABAT_CLIENT_WHY, "%.*s", NABAT_CLIENT_WHY - 1, cant);
    } else {
        nabat_resend(client);
    }
    nabat_text_free(&text);
    return result;
}

void nabat_client_resend(struct nabat_client *client)
{
    nabat_begin(client);
    nabat_resend(client);
}

enum nabat_result nabat_client_check_in(struct nabat_client *client,
                                        const struct nabat_checkin *checkin,
                                        char why[NABAT_CLIENT_WHY])
{
    struct nabat_text text = {0};
    nabat_begin(client);
    char url[NABAT_URL_BYTES + 400], number[64];
    char *slug = curl_easy_escape(client->curl, checkin->monitor, 0);
    snprintf(url, sizeof url, "%s/api/%s/cron/%.200s/", client->base, client->project,
             slug ? slug : "");
    curl_free(slug);
    nabat_text_add(&text, "{");
    nabat_member(&text, "check_in_id", checkin->id);
    nabat_member(&text, "status", checkin->status);
    nabat_member(&text, "environment", checkin->environment);
    if (checkin->seconds >= 0) {
        snprintf(number, sizeof number, ",\"duration\":%.3f", checkin->seconds);
        nabat_text_add(&text, number);
    }
    if (checkin->crontab) {
        nabat_text_add(&text, ",\"monitor_config\":{\"schedule\":{");
        nabat_member(&text, "type", "crontab");
        nabat_member(&text, "value", checkin->crontab);
        nabat_text_add(&text, "}");
        nabat_member(&text, "timezone", checkin->timezone);
        if (checkin->max_runtime_minutes) {
            snprintf(number, sizeof number, ",\"max_runtime\":%ld", checkin->max_runtime_minutes);
            nabat_text_add(&text, number);
        }
        nabat_text_add(&text, "}");
    }
    nabat_text_add(&text, "}");
    enum nabat_result result = nabat_post(client, url, text.at ? text.at : "", text.len, why);
    nabat_text_free(&text);
    return result;
}
#endif
