/* conninfo.c -- DATABASE_URL taken apart, completed, and its hosts resolved off the loop. */
#include "store/pg_internal.h"

#include "core/log.h"
#include "core/mem.h"

#include <netdb.h>
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

/* A name that needs DNS: not a socket folder, not an address. */
static bool needs_dns(const char *hosts)
{
    bool letter = false;
    for (const char *p = hosts; *p; p++)
        letter = letter || (*p >= 'g' && *p <= 'z') || (*p >= 'G' && *p <= 'Z') || *p == '-';
    return hosts[0] != '/' && hosts[0] != '@' && letter;
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
    pg_conninfo_set(info, "application_name", application_name);
    pg_conninfo_set(info, "client_encoding", "UTF8");
    set_default(info, "target_session_attrs", "read-write");
    set_default(info, "connect_timeout", "5");
    set_default(info, "keepalives_idle", "30");
    set_default(info, "keepalives_interval", "10");
    set_default(info, "keepalives_count", "3");
    set_default(info, "tcp_user_timeout", "20000");
    const char *host = get(info, "host");
    if (host && !get(info, "hostaddr") && needs_dns(host))
        info->hosts_to_resolve = mem_str_dup(host);
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
    *info = (struct pg_conninfo){0};
}

char *pg_resolve_hosts(const char *hosts)
{
    struct buf out;
    buf_init(&out, 8192);
    const char *at = hosts;
    for (bool more = true; more;) {
        size_t len = strcspn(at, ",");
        char *host = mem_str_dup_n(at, len);
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        struct addrinfo *list = NULL;
        char text[NI_MAXHOST] = "";
        if (host[0] != '/' && getaddrinfo(host, NULL, &hints, &list) == 0 && list)
            getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST);
        if (list)
            freeaddrinfo(list);
        buf_add_str(&out, text);
        free(host);
        at += len;
        more = *at == ',';
        if (more) {
            buf_add_char(&out, ',');
            at++;
        }
    }
    return buf_take(&out);
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
