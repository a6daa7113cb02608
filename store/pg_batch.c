/* pg_batch.c -- statements and their parameters, copied into one growing block. */
#include "store/pg_internal.h"

#include "core/limits.h"
#include "core/mem.h"

#include <arpa/inet.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_BYTES_MAX = 128 * MIB };
enum {
    OID_UNSPECIFIED = 0,
    OID_BOOL_ARRAY = 1000,
    OID_BYTEA = 17,
    OID_BYTEA_ARRAY = 1001,
    OID_TEXT_ARRAY = 1009,
    OID_INT8_ARRAY = 1016,
    OID_TIMESTAMPTZ_ARRAY = 1185
};
enum { OID_BOOL = 16, OID_INT8 = 20, OID_TEXT = 25, OID_TIMESTAMPTZ = 1184 };
/* PostgreSQL counts from 2000-01-01. */
static const int64_t PG_EPOCH_MS = INT64_C(946684800000);

struct pg_batch *pg_batch_new(void)
{
    struct pg_batch *batch = mem_alloc(sizeof *batch);
    buf_init(&batch->bytes, BATCH_BYTES_MAX);
    return batch;
}

void pg_batch_free(struct pg_batch *batch)
{
    if (!batch)
        return;
    buf_fini(&batch->bytes);
    free(batch->statements);
    free(batch->params);
    free(batch);
}

void pg_batch_continue(struct pg_batch *batch)
{
    batch->continues = true;
}

void pg_add(struct pg_batch *batch, const char *sql)
{
    batch->statements =
        mem_realloc(batch->statements, (batch->count + 1) * sizeof *batch->statements);
    batch->statements[batch->count++] =
        (struct pg_statement){.sql = sql, .first_param = batch->params_count};
}

static void add_param(struct pg_batch *batch, const void *bytes, size_t len, bool is_null,
                      bool binary, Oid type)
{
    if (batch->params_count == batch->params_cap) {
        batch->params_cap = batch->params_cap ? batch->params_cap * 2 : 16;
        batch->params = mem_realloc(batch->params, batch->params_cap * sizeof *batch->params);
    }
    batch->params[batch->params_count++] = (struct pg_param){.offset = batch->bytes.len,
                                                             .len = (int)len,
                                                             .is_null = is_null,
                                                             .binary = binary,
                                                             .type = type};
    batch->statements[batch->count - 1].params++;
    if (!is_null) {
        buf_add(&batch->bytes, bytes, len);
        buf_add(&batch->bytes, "", 1);
    }
}

void pg_text(struct pg_batch *batch, const char *text)
{
    add_param(batch, text, text ? strlen(text) : 0, !text, false, OID_UNSPECIFIED);
}

void pg_i64(struct pg_batch *batch, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    add_param(batch, text, strlen(text), false, false, OID_INT8);
}

void pg_i64_or_null(struct pg_batch *batch, int64_t value)
{
    if (value)
        pg_i64(batch, value);
    else
        add_param(batch, NULL, 0, true, false, OID_INT8);
}

void pg_bool(struct pg_batch *batch, bool value)
{
    add_param(batch, value ? "t" : "f", 1, false, false, OID_BOOL);
}

static void put32(struct buf *out, int32_t value)
{
    uint32_t net = htonl((uint32_t)value);
    buf_add(out, &net, sizeof net);
}

static void put64(struct buf *out, int64_t value)
{
    uint64_t net = htobe64((uint64_t)value);
    buf_add(out, &net, sizeof net);
}

static const struct {
    int32_t element;
    Oid array;
} ARRAY_TYPES[] = {
    [PG_TEXT_ARRAY] = {OID_TEXT, OID_TEXT_ARRAY},
    [PG_INT8_ARRAY] = {OID_INT8, OID_INT8_ARRAY},
    [PG_TIME_ARRAY] = {OID_TIMESTAMPTZ, OID_TIMESTAMPTZ_ARRAY},
    [PG_BOOL_ARRAY] = {OID_BOOL, OID_BOOL_ARRAY},
    [PG_BYTEA_ARRAY] = {OID_BYTEA, OID_BYTEA_ARRAY},
};

/* One dimension: dimensions, has-nulls, element type, count (filled in later), lower bound. */
void pg_array_init(struct pg_array *array, enum pg_array_type type, size_t bytes_max)
{
    buf_init(&array->bytes, bytes_max);
    array->type = type;
    array->count = 0;
    put32(&array->bytes, 1);
    put32(&array->bytes, 1);
    put32(&array->bytes, ARRAY_TYPES[type].element);
    put32(&array->bytes, 0);
    put32(&array->bytes, 1);
}

void pg_array_fini(struct pg_array *array)
{
    buf_fini(&array->bytes);
}

void pg_array_null(struct pg_array *array)
{
    put32(&array->bytes, -1);
    array->count++;
}

void pg_array_text(struct pg_array *array, const char *text)
{
    if (!text) {
        pg_array_null(array);
        return;
    }
    pg_array_bytes(array, text, strlen(text));
}

void pg_array_bytes(struct pg_array *array, const void *data, size_t len)
{
    if (!data) {
        pg_array_null(array);
        return;
    }
    put32(&array->bytes, (int32_t)len);
    buf_add(&array->bytes, data, len);
    array->count++;
}

void pg_array_i64(struct pg_array *array, int64_t value)
{
    put32(&array->bytes, 8);
    put64(&array->bytes, value);
    array->count++;
}

void pg_array_time(struct pg_array *array, int64_t ms)
{
    pg_array_i64(array, (ms - PG_EPOCH_MS) * 1000);
}

void pg_array_bool(struct pg_array *array, bool value)
{
    put32(&array->bytes, 1);
    buf_add(&array->bytes, value ? "\1" : "\0", 1);
    array->count++;
}

void pg_array_param(struct pg_batch *batch, struct pg_array *array)
{
    uint32_t count = htonl((uint32_t)array->count);
    memcpy(array->bytes.data + 12, &count, sizeof count);
    add_param(batch, array->bytes.data, array->bytes.len, false, true,
              ARRAY_TYPES[array->type].array);
    pg_array_fini(array);
}

int64_t pg_get_i64(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? 0
                                            : strtoll(PQgetvalue(result, row, column), NULL, 10);
}

bool pg_get_bool(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column)[0] == 't';
}

const char *pg_get_text(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}
