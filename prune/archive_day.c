/* archive_day.c -- a day's tables into ARCHIVE_DIR and back.
 *
 *     nabat-20261101.ndjson.zst    a line a row, {"table": "event", "row": {…}}, as PostgreSQL's row_to_json has it
 *     nabat-20261101.json          the manifest: day, rows by table, SHA-256 of the file, version
 *
 * The manifest is written last: a day without one is not archived. */
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

static bool write_tables(struct pruning *p, const char *day, struct archive_file *file,
                         int64_t rows[TABLES])
{
    for (int i = 0; i < TABLES; i++) {
        char sql[256];
        char leaf[64];
        struct writing w = {.file = file};
        snprintf(leaf, sizeof leaf, "%s_%s", NAMES[i], day);
        PGresult *there = prune_ask(p, "SELECT to_regclass($1) IS NOT NULL", leaf);
        bool ok = there != NULL;
        bool any = ok && PQgetvalue(there, 0, 0)[0] == 't';
        PQclear(there);
        snprintf(sql, sizeof sql,
                 "COPY (SELECT json_build_object('table', '%s', 'row', row_to_json(t)) FROM %s t) "
                 "TO STDOUT " RAW_LINES,
                 NAMES[i], leaf);
        if (!ok || (any && !session_copy_out(p->session, sql, on_row, &w, p->err)))
            return false;
        rows[i] = w.rows;
    }
    return true;
}

static bool write_manifest(const char *path, const char *day, const int64_t rows[TABLES],
                           const char *sum, struct err *err)
{
    char part[PATH_BYTES + 8];
    snprintf(part, sizeof part, "%s.part", path);
    FILE *out = fopen(part, "we");
    bool ok = out != NULL;
    if (ok)
        fprintf(
            out,
            "{\"day\": \"%.4s-%.2s-%.2s\", \"file\": \"nabat-%s.ndjson.zst\", \"sha256\": \"%s\",\n"
            " \"rows\": {\"event\": %" PRId64 ", \"error_stack\": %" PRId64
            ", \"event_attachment\": %" PRId64 "}, \"nabat\": \"%s\"}\n",
            day, day + 4, day + 6, day, sum, rows[0], rows[1], rows[2], NABAT_VERSION);
    ok = ok && fclose(out) == 0 && rename(part, path) == 0;
    return ok || err_set(err, ERR_RETRY, "can't write %s", path);
}

bool prune_archive(struct pruning *p, const char *day)
{
    char path[PATH_BYTES];
    char sum[ARCHIVE_SUM_BYTES] = "";
    int64_t rows[TABLES] = {0};
    const char *folder = p->options->archive_dir;
    if (!folder)
        return true;
    if (mkdir(folder, 0700) == 0)
        printf("made %s\n", folder);
    snprintf(path, sizeof path, "%s/nabat-%s.ndjson.zst", folder, day);
    struct archive_file *file = archive_create(path, p->err);
    if (!file)
        return false;
    if (!write_tables(p, day, file, rows)) {
        archive_give_up(file);
        return false;
    }
    if (!archive_close(file, sum, p->err))
        return false;
    snprintf(path, sizeof path, "%s/nabat-%s.json", folder, day);
    if (!write_manifest(path, day, rows, sum, p->err))
        return false;
    printf("            archived as %s/nabat-%s.ndjson.zst\n", folder, day);
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
static bool check_manifest(const char *file, char date[16], struct err *err)
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
    FILE *in = fopen(path, "re");
    size_t n = in ? fread(text, 1, sizeof text - 1, in) : 0;
    if (in)
        fclose(in);
    text[n] = '\0';
    if (!manifest_word(text, "\"sha256\": \"", want, sizeof want) ||
        !manifest_word(text, "\"day\": \"", date, 16))
        return err_set(err, ERR_INPUT, "%.300s is no manifest of an archived day", path);
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

static bool restore(struct pruning *p, const char *file, const char *date)
{
    struct archive_reader *reader = archive_open(file, p->err);
    bool ok =
        reader && prune_do(p, "BEGIN", NULL) &&
        prune_do(p, "CREATE TEMPORARY TABLE archived (line json) ON COMMIT DROP", NULL) &&
        session_copy_in(p->session, "COPY archived FROM STDIN " RAW_LINES, give, reader, p->err) &&
        prune_do(p, "SELECT nabat_make_day($1::date)", date);
    for (int i = 0; ok && i < TABLES; i++)
        ok = prune_do(p, RESTORE_SQL[i], NULL);
    ok = ok &&
         /* what was copied out of the day is in it again */
         prune_do(p,
                  "DELETE FROM event_kept WHERE received_at >= $1::timestamptz "
                  "AND received_at < $1::timestamptz + interval '1 day'",
                  date) &&
         prune_do(p,
                  "INSERT INTO service_setting (name, value) VALUES ('restored_day:' || "
                  "replace($1, '-', ''), now()::text) ON CONFLICT (name) DO UPDATE "
                  "SET value = excluded.value",
                  date) &&
         prune_do(p, "COMMIT", NULL);
    if (reader)
        archive_reader_free(reader);
    return ok;
}

bool prune_restore(const char *url, const char *schema, const char *file, struct err *err)
{
    char date[16];
    struct pruning p = {.err = err};
    if (!check_manifest(file, date, err))
        return false;
    p.session = session_open(url, schema, "nabat restore", err);
    if (!p.session)
        return false;
    bool ok = prune_do(&p, "SET TIME ZONE 'UTC'", NULL) && restore(&p, file, date);
    session_close(p.session);
    if (ok)
        printf("restored %s from %s: it stays for a week\n", date, file);
    return ok;
}
