/* conninfo.c -- DATABASE_URL taken apart, completed, and its hosts resolved off the loop. */
#include "store/pg_internal.h"

#include "core/log.h"
#include "core/mem.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void pg_conninfo_set(struct pg_conninfo *info, const char *keyword, const char *value)
{
    for (size_t i = 0; i < info->count; i++)
        if (strcmp(info->keywords[i], keyword) == 0) {
            free(info->values[i]);
            info->values[i] = mem_str_dup(value);
            return;
        }
    size_t size = (info->count + 2) * sizeof(char *);
    info->keywords = mem_realloc(info->keywords, size);
    info->values = mem_realloc(info->values, size);
    info->keywords[info->count] = mem_str_dup(keyword);
    info->values[info->count++] = mem_str_dup(value);
    info->keywords[info->count] = NULL;
    info->values[info->count] = NULL;
}

static const char *get(const struct pg_conninfo *info, const char *keyword)
{
    for (size_t i = 0; i < info->count; i++)
        if (strcmp(info->keywords[i], keyword) == 0)
            return info->values[i];
    return NULL;
}

static void set_default(struct pg_conninfo *info, const char *keyword, const char *value)
{
    if (!get(info, keyword))
        pg_conninfo_set(info, keyword, value);
}

/* Whether any of the hosts is a name: not a socket folder, not an address. */
static bool needs_dns(const char *hosts)
{
    for (const char *at = hosts; *at;) {
        size_t len = strcspn(at, ",");
        char host[256];
        unsigned char address[16];
        snprintf(host, sizeof host, "%.*s", (int)len, at);
        bool folder = host[0] == '/' || host[0] == '@' || host[0] == '\0';
        if (!folder && inet_pton(AF_INET, host, address) != 1 &&
            inet_pton(AF_INET6, host, address) != 1)
            return true;
        at += len;
        at += *at == ',';
    }
    return false;
}

/* libpq finds this out only while connecting; then it looks like a database that is away. */
static bool ports_are_numbers(const char *ports)
{
    for (const char *at = ports; at && *at;) {
        char *end = NULL;
        long port = strtol(at, &end, 10);
        bool empty = end == at && *at == ','; /* the default, for one of several hosts */
        if ((!empty && (end == at || port < 1 || port > 65535)) || (*end && *end != ','))
            return false;
        at = *end ? end + 1 : end;
    }
    return true;
}

bool pg_conninfo_parse(const char *url, const char *application_name, struct pg_conninfo *info,
                       struct err *err)
{
    *info = (struct pg_conninfo){0};
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &why);
    if (!options) {
        /* libpq's text may quote parts of the URL, password included: it stays unsaid */
        PQfreemem(why);
        return err_set(err, ERR_INPUT,
                       "DATABASE_URL is not valid (its value is secret): it takes a "
                       "libpq URI such as postgresql://user:password@host/name");
    }
    for (PQconninfoOption *o = options; o->keyword; o++) {
        if (!o->val)
            continue;
        pg_conninfo_set(info, o->keyword, o->val);
        if (strcmp(o->keyword, "password") == 0)
            log_add_secret(o->val);
    }
    PQconninfoFree(options);
    if (!ports_are_numbers(get(info, "port"))) {
        pg_conninfo_free(info);
        return err_set(err, ERR_INPUT, "DATABASE_URL has a port that is no number from 1 to 65535");
    }
    pg_conninfo_set(info, "application_name", application_name);
    pg_conninfo_set(info, "client_encoding", "UTF8");
    set_default(info, "target_session_attrs", "read-write");
    set_default(info, "connect_timeout", "5");
    set_default(info, "keepalives_idle", "30");
    set_default(info, "keepalives_interval", "10");
    set_default(info, "keepalives_count", "3");
    set_default(info, "tcp_user_timeout", "20000");
    const char *host = get(info, "host");
    if (host && !get(info, "hostaddr") && needs_dns(host)) {
        const char *ports = get(info, "port");
        info->hosts_to_resolve = mem_str_dup(host);
        info->ports = mem_str_dup(ports ? ports : "5432");
    }
    return true;
}

void pg_conninfo_free(struct pg_conninfo *info)
{
    for (size_t i = 0; i < info->count; i++) {
        free(info->keywords[i]);
        free(info->values[i]);
    }
    free(info->keywords);
    free(info->values);
    free(info->hosts_to_resolve);
    free(info->ports);
    *info = (struct pg_conninfo){0};
}

/* "a,b,c" becomes "b,c,a". */
static void rotate(char *list)
{
    char *comma = list ? strchr(list, ',') : NULL;
    if (!comma)
        return;
    size_t first = (size_t)(comma - list);
    size_t rest = strlen(comma + 1);
    char *head = mem_str_dup_n(list, first);
    memmove(list, comma + 1, rest);
    list[rest] = ',';
    memcpy(list + rest + 1, head, first);
    free(head);
}

bool pg_conninfo_next_host(struct pg_conninfo *info)
{
    static const char *const LISTS[] = {"host", "hostaddr", "port"};
    bool any = info->hosts_to_resolve && strchr(info->hosts_to_resolve, ',');
    for (size_t i = 0; i < info->count; i++)
        for (size_t k = 0; k < sizeof LISTS / sizeof *LISTS; k++)
            if (strcmp(info->keywords[i], LISTS[k]) == 0) {
                any = any || strchr(info->values[i], ',');
                rotate(info->values[i]);
            }
    rotate(info->hosts_to_resolve);
    rotate(info->ports);
    return any;
}

PGconn *pg_connect_blocking(struct pg_conninfo *info)
{
    enum { HOSTS_MAX = 16 };
    PGconn *conn = NULL;
    for (int i = 0; i < HOSTS_MAX; i++) {
        PQfinish(conn);
        conn = PQconnectdbParams((const char *const *)info->keywords,
                                 (const char *const *)info->values, 0);
        const char *hosts = get(info, "host");
        if (!conn)
            mem_exhausted();
        if (PQstatus(conn) == CONNECTION_OK || !hosts || !pg_conninfo_next_host(info))
            return conn;
        int count = 1;
        for (const char *p = hosts; *p; p++)
            count += *p == ',';
        if (i + 1 >= count)
            return conn;
    }
    return conn;
}

static void add_item(struct buf *list, const char *text, size_t len)
{
    if (list->len)
        buf_add_char(list, ',');
    buf_add(list, text, len);
}

/* Every address of one host, in the resolver's order; a folder stays itself. */
static size_t add_host(struct pg_resolved *out, const char *host, size_t host_len, const char *port,
                       size_t port_len)
{
    char name[256];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    size_t found = 0;
    snprintf(name, sizeof name, "%.*s", (int)host_len, host);
    if (name[0] == '/' || name[0] == '@') {
        buf_add_str(&out->addresses, out->hosts.len ? "," : "");
        add_item(&out->hosts, host, host_len);
        add_item(&out->ports, port, port_len);
        return 1;
    }
    if (getaddrinfo(name, NULL, &hints, &list) != 0)
        return 0;
    for (struct addrinfo *a = list; a; a = a->ai_next) {
        char text[NI_MAXHOST];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST))
            continue;
        if (out->hosts.len)
            buf_add_char(&out->addresses, ',');
        buf_add_str(&out->addresses, text);
        add_item(&out->hosts, host, host_len);
        add_item(&out->ports, port, port_len);
        found++;
    }
    freeaddrinfo(list);
    return found;
}

bool pg_resolve_hosts(const char *hosts, const char *ports, struct pg_resolved *out)
{
    size_t found = 0;
    buf_init(&out->hosts, 16384);
    buf_init(&out->addresses, 16384);
    buf_init(&out->ports, 16384);
    bool one_port = strchr(ports, ',') == NULL;
    for (const char *at = hosts, *port = ports; *at;) {
        size_t len = strcspn(at, ",");
        size_t port_len = strcspn(port, ",");
        found += add_host(out, at, len, port, port_len);
        at += len;
        at += *at == ',';
        if (!one_port) {
            port += port_len;
            port += *port == ',';
        }
    }
    return found > 0;
}

void pg_resolved_fini(struct pg_resolved *out)
{
    buf_fini(&out->hosts);
    buf_fini(&out->addresses);
    buf_fini(&out->ports);
}

char *pg_quote_search_path(const char *schema)
{
    struct buf out;
    buf_init(&out, 512);
    buf_add_char(&out, '"');
    for (const char *p = schema; *p; p++) {
        if (*p == '"')
            buf_add_char(&out, '"');
        buf_add_char(&out, *p);
    }
    buf_add_str(&out, "\", pg_temp");
    return buf_take(&out);
}
