/* archive_day.c -- a day's tables into ARCHIVE_DIR and back.
 *
 *     nabat-20261101.ndjson.zst    a line a row, {"table": "event", "row": {…}}, as PostgreSQL's row_to_json has it
 *     nabat-20261101.json          the manifest: day, rows by table, SHA-256 of the file, version
 *
 * The manifest is written last: a day without one is not archived. Nothing is ever written over: what came into a day after it
 * was archived makes a file more, nabat-20261101.2.ndjson.zst. */
#include "core/buf.h"
#include "core/limits.h"
#include "prune/archive.h"
#include "prune/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, TABLES = 3 };
static const char *const NAMES[TABLES] = {"event", "error_stack", "event_attachment"};

/* JSON escapes control characters: as quote and delimiter they leave each line as it is. */
#define RAW_LINES "(FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"

struct writing {
    struct archive_file *file;
    int64_t rows;
};

static bool on_row(void *ctx, const char *data, size_t len, struct err *err)
{
    struct writing *w = ctx;
    w->rows++;
    return archive_write(w->file, data, len, err);
}

/* What a day holds: as many rows of each table (-1: there is no such table), and a sum over its events' ids. As many other events
 * are not the same ones. */
struct content {
    int64_t rows[TABLES];
    int64_t ids;
};

static bool look_at_day(struct pruning *p, const char *day, struct content *out)
{
    *out = (struct content){{-1, -1, -1}, 0};
    for (int i = 0; i < TABLES; i++) {
        char sql[160];
        char leaf[64];
        snprintf(leaf, sizeof leaf, "%s_%s", NAMES[i], day);
        snprintf(sql, sizeof sql, "SELECT count(*), %s FROM %s",
                 i == 0 ? "coalesce(sum(hashint8(id)::bigint), 0)::bigint" : "0", leaf);
        PGresult *there = prune_ask(p, "SELECT to_regclass($1) IS NOT NULL", leaf);
        bool any = there && PQgetvalue(there, 0, 0)[0] == 't';
        PGresult *found = any ? prune_ask(p, sql, NULL) : NULL;
        bool ok = there && (!any || found);
        if (found) {
            out->rows[i] = prune_number(found, 0, 0);
            out->ids += prune_number(found, 0, 1);
        }
        PQclear(there);
        PQclear(found);
        if (!ok)
            return false;
    }
    return true;
}

/* `rows`: those that were written. */
static bool write_tables(struct pruning *p, const char *day, struct archive_file *file,
                         int64_t rows[TABLES])
{
    for (int i = 0; i < TABLES; i++) {
        char sql[256];
        struct writing w = {.file = file};
        snprintf(sql, sizeof sql,
                 "COPY (SELECT json_build_object('table', '%s', 'row', row_to_json(t)) FROM %s_%s "
                 "t) TO STDOUT " RAW_LINES,
                 NAMES[i], NAMES[i], day);
        if (rows[i] >= 0 && !session_copy_out(p->session, sql, on_row, &w, p->err))
            return false;
        rows[i] = w.rows;
    }
    return true;
}

/* "nabat-20261101", and "nabat-20261101.2" for what came after that was written. */
static void name_part(const char *day, int part, char out[32])
{
    if (part == 1)
        snprintf(out, 32, "nabat-%s", day);
    else
        snprintf(out, 32, "nabat-%s.%d", day, part);
}

static bool write_manifest(const char *folder, const char *name, const char *day,
                           const struct content *content, const char *sum, struct err *err)
{
    const int64_t *rows = content->rows;
    char path[PATH_BYTES];
    struct buf text;
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    buf_init(&text, 4 * KIB);
    buf_addf(&text,
             "{\"day\": \"%.4s-%.2s-%.2s\", \"file\": \"%s.ndjson.zst\", \"sha256\": \"%s\",\n"
             " \"rows\": {\"event\": %" PRId64 ", \"error_stack\": %" PRId64
             ", \"event_attachment\": %" PRId64 "}, \"ids\": %" PRId64 ", \"nabat\": \"%s\"}\n",
             day, day + 4, day + 6, name, sum, rows[0], rows[1], rows[2], content->ids,
             NABAT_VERSION);
    bool ok = archive_put(path, buf_text(&text), text.len, err);
    buf_fini(&text);
    return ok;
}

/* The manifest of a part as text; false: there is none. */
static bool read_manifest(const char *path, char *text, size_t size)
{
    FILE *in = fopen(path, "re");
    size_t n = in ? fread(text, 1, size - 1, in) : 0;
    if (in)
        fclose(in);
    text[n] = '\0';
    return n > 0;
}

static int64_t manifest_number(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtoll(at + strlen(name), NULL, 10) : -1;
}

/* Whether one of the parts holds just this; *part: the first that is free. */
static bool is_archived(const char *folder, const char *day, const struct content *content,
                        int *part)
{
    static const char *const COUNTS[TABLES] = {
        "\"event\": ", "\"error_stack\": ", "\"event_attachment\": "};
    char name[32];
    char path[PATH_BYTES];
    char text[2048];
    bool found = false;
    for (*part = 1;; ++*part) {
        name_part(day, *part, name);
        snprintf(path, sizeof path, "%s/%s.json", folder, name);
        if (!read_manifest(path, text, sizeof text))
            return found;
        bool same = manifest_number(text, "\"ids\": ") == content->ids;
        for (int i = 0; i < TABLES; i++) {
            int64_t rows = content->rows[i] < 0 ? 0 : content->rows[i];
            same = same && manifest_number(text, COUNTS[i]) == rows;
        }
        found = found || same;
    }
}

static bool write_part(struct pruning *p, const char *day, const char *name,
                       struct content *content)
{
    char path[PATH_BYTES];
    char sum[ARCHIVE_SUM_BYTES] = "";
    snprintf(path, sizeof path, "%s/%s.ndjson.zst", p->options->archive_dir, name);
    struct archive_file *file = archive_create(path, p->err);
    if (!file)
        return false;
    if (!write_tables(p, day, file, content->rows)) {
        archive_give_up(file);
        return false;
    }
    return archive_close(file, sum, p->err) &&
           write_manifest(p->options->archive_dir, name, day, content, sum, p->err);
}

/* Without events there is nothing of the day left to archive that its events' archive does not have. */
bool prune_archive(struct pruning *p, const char *day, bool has_events)
{
    char name[32];
    struct content content;
    int part = 1;
    const char *folder = p->options->archive_dir;
    if (!folder || !has_events)
        return true;
    if (mkdir(folder, 0700) == 0)
        printf("made %s\n", folder);
    if (!look_at_day(p, day, &content))
        return false;
    if (is_archived(folder, day, &content, &part))
        return true;
    name_part(day, part, name);
    if (!write_part(p, day, name, &content))
        return false;
    printf("            archived as %s/%s.ndjson.zst\n", folder, name);
    return true;
}

/* ----------------------------------------------------------------------------------------- restoring */

static bool give(void *ctx, char *out, size_t size, size_t *len, struct err *err)
{
    return archive_read(ctx, out, size, len, err) && *len > 0;
}

/* The manifest's text after `name`, up to its quote. False: it does not say. */
static bool manifest_word(const char *text, const char *name, char *out, size_t size)
{
    const char *at = strstr(text, name);
    at = at ? at + strlen(name) : NULL;
    size_t n = at ? strcspn(at, "\"") : 0;
    if (!at || n == 0 || n >= size)
        return false;
    memcpy(out, at, n);
    out[n] = '\0';
    return true;
}

/* "…/nabat-20261101.ndjson.zst" has its manifest beside it. */
static bool check_manifest(const char *file, char date[16], int64_t *events, struct err *err)
{
    static const char TAIL[] = ".ndjson.zst";
    char path[PATH_BYTES];
    char text[2048];
    char want[ARCHIVE_SUM_BYTES];
    char sum[ARCHIVE_SUM_BYTES] = "";
    size_t len = strlen(file);
    if (len <= sizeof TAIL - 1 || len >= sizeof path ||
        strcmp(file + len - (sizeof TAIL - 1), TAIL) != 0)
        return err_set(err, ERR_INPUT, "--restore takes a file that ends with %s", TAIL);
    snprintf(path, sizeof path, "%.*s.json", (int)(len - (sizeof TAIL - 1)), file);
    if (!read_manifest(path, text, sizeof text) ||
        !manifest_word(text, "\"sha256\": \"", want, sizeof want) ||
        !manifest_word(text, "\"day\": \"", date, 16))
        return err_set(err, ERR_INPUT, "%.300s is no manifest of an archived day", path);
    *events = manifest_number(text, "\"event\": ");
    if (!archive_sum(file, sum, err))
        return false;
    if (strcmp(sum, want) != 0)
        return err_set(err, ERR_INPUT,
                       "%.300s is not what was archived: its checksum is another one", file);
    return true;
}

static const char *const RESTORE_SQL[TABLES] = {
    "INSERT INTO event SELECT (json_populate_record(NULL::event, line -> 'row')).* "
    "FROM archived WHERE line ->> 'table' = 'event' ON CONFLICT DO NOTHING",
    "INSERT INTO error_stack SELECT (json_populate_record(NULL::error_stack, line -> 'row')).* "
    "FROM archived WHERE line ->> 'table' = 'error_stack' ON CONFLICT DO NOTHING",
    "INSERT INTO event_attachment SELECT (json_populate_record(NULL::event_attachment, "
    "line -> 'row')).* FROM archived WHERE line ->> 'table' = 'event_attachment' "
    "ON CONFLICT DO NOTHING",
};

/* Every row that the manifest counts is there now: else nothing of it is. */
static bool check_rows(struct pruning *p, int64_t events)
{
    PGresult *rows = prune_ask(p,
                               "SELECT (SELECT count(*) FROM archived WHERE line ->> 'table' = "
                               "'event'), count(*) FROM archived a "
                               "JOIN event e ON e.id = (a.line #>> '{row,id}')::bigint "
                               "AND e.received_at = (a.line #>> '{row,received_at}')::timestamptz "
                               "WHERE a.line ->> 'table' = 'event'",
                               NULL);
    bool ok = rows && prune_number(rows, 0, 0) == events && prune_number(rows, 0, 1) == events;
    if (rows && !ok)
        err_set(p->err, ERR_INPUT,
                "the manifest counts %" PRId64 " events, of the file %" PRId64
                " are in the database now: nothing was changed",
                events, prune_number(rows, 0, 1));
    PQclear(rows);
    return ok;
}

/* What had been copied out of the day shows once: where the day has it again. */
static const char NOT_TWICE_SQL[] =
    "DELETE FROM event_kept k USING event e WHERE e.id = k.id AND e.received_at = k.received_at "
    "AND e.received_at >= $1::timestamptz AND e.received_at < $1::timestamptz + interval '1 day'";
static const char MARK_SQL[] =
    "INSERT INTO service_setting (name, value) VALUES ('restored_day:' || replace($1, '-', ''), "
    "now()::text) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

static bool restore(struct pruning *p, const char *file, const char *date, int64_t events)
{
    struct archive_reader *reader = archive_open(file, p->err);
    bool ok =
        reader && prune_do(p, "BEGIN", NULL) &&
        prune_do(p, "CREATE TEMPORARY TABLE archived (line json) ON COMMIT DROP", NULL) &&
        session_copy_in(p->session, "COPY archived FROM STDIN " RAW_LINES, give, reader, p->err) &&
        prune_do(p, "SELECT nabat_make_day($1::date)", date);
    for (int i = 0; ok && i < TABLES; i++)
        ok = prune_do(p, RESTORE_SQL[i], NULL);
    ok = ok && check_rows(p, events) && prune_do(p, NOT_TWICE_SQL, date) &&
         prune_do(p, MARK_SQL, date) && prune_do(p, "COMMIT", NULL);
    if (reader)
        archive_reader_free(reader);
    return ok;
}

bool prune_restore(const char *url, const char *schema, const char *file, struct err *err)
{
    char date[16];
    int64_t events = 0;
    struct pruning p = {.err = err};
    if (!check_manifest(file, date, &events, err))
        return false;
    p.session = session_open(url, schema, "nabat restore", err);
    if (!p.session)
        return false;
    /* no run of nabat-prune takes the day apart meanwhile */
    bool ok =
        prune_do(&p, "SELECT pg_advisory_lock(hashtext('nabat.prune'), hashtext($1))", schema) &&
        prune_do(&p, "SET TIME ZONE 'UTC'", NULL) && restore(&p, file, date, events);
    session_close(p.session);
    if (ok)
        printf("restored %s from %s: it stays for a week\n", date, file);
    return ok;
}
