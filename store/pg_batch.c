/* pg_batch.c -- statements and their parameters, copied into one growing block. */
#include "store/pg_internal.h"

#include "core/clock.h"
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
enum {
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_TEXT = 25,
    OID_TIMESTAMPTZ = 1184,
    OID_UUID = 2950,
    OID_UUID_ARRAY = 2951
};
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
    for (size_t i = 0; i < batch->params_count; i++)
        free(batch->params[i].owned);
    buf_fini(&batch->bytes);
    free(batch->statements);
    free(batch->params);
    free(batch);
}

void pg_batch_continue(struct pg_batch *batch)
{
    batch->continues = true;
}

void pg_batch_prepare(struct pg_batch *batch)
{
    batch->is_prepared = true;
}

void pg_batch_more(struct pg_batch *batch, pg_more_fn *more, void *ctx)
{
    batch->more = more;
    batch->more_ctx = ctx;
}

size_t pg_batch_count(const struct pg_batch *batch)
{
    return batch->count;
}

void pg_add(struct pg_batch *batch, const char *sql)
{
    batch->statements =
        mem_realloc(batch->statements, (batch->count + 1) * sizeof *batch->statements);
    batch->statements[batch->count++] =
        (struct pg_statement){.sql = sql, .first_param = batch->params_count};
}

static struct pg_param *new_param(struct pg_batch *batch, Oid type)
{
    if (batch->params_count == batch->params_cap) {
        batch->params_cap = batch->params_cap ? batch->params_cap * 2 : 16;
        batch->params = mem_realloc(batch->params, batch->params_cap * sizeof *batch->params);
    }
    struct pg_param *param = &batch->params[batch->params_count++];
    *param = (struct pg_param){.offset = batch->bytes.len, .is_null = true, .type = type};
    batch->statements[batch->count - 1].params++;
    return param;
}

static void add_param(struct pg_batch *batch, const char *text, Oid type)
{
    struct pg_param *param = new_param(batch, type);
    if (!text)
        return;
    param->is_null = false;
    param->len = (int)strlen(text);
    buf_add(&batch->bytes, text, (size_t)param->len + 1);
}

void pg_text(struct pg_batch *batch, const char *text)
{
    add_param(batch, text, OID_UNSPECIFIED);
}

void pg_i64(struct pg_batch *batch, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    add_param(batch, text, OID_INT8);
}

void pg_i64_or_null(struct pg_batch *batch, int64_t value)
{
    if (value)
        pg_i64(batch, value);
    else
        add_param(batch, NULL, OID_INT8);
}

void pg_time(struct pg_batch *batch, int64_t ms)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format_utc(ms, text);
    pg_text(batch, text);
}

void pg_bool(struct pg_batch *batch, bool value)
{
    add_param(batch, value ? "t" : "f", OID_BOOL);
}

static void put32(struct buf *out, int32_t value)
{
    uint32_t net = htonl((uint32_t)value);
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
    [PG_UUID_ARRAY] = {OID_UUID, OID_UUID_ARRAY},
};

/* One dimension: dimensions, has-nulls, element type, count (filled in later), lower bound. */
void pg_array_init(struct pg_array *array, enum pg_array_type type, size_t bytes_max)
{
    buf_init(&array->bytes, bytes_max);
    array->type = type;
    array->count = 0;
    array->any = false;
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

/* A length and that many bytes, in one step. */
static void put_element(struct pg_array *array, const void *data, size_t len)
{
    uint32_t net = htonl((uint32_t)len);
    array->count++;
    array->any = true;
    if (!buf_reserve(&array->bytes, sizeof net + len))
        return;
    char *at = array->bytes.data + array->bytes.len;
    memcpy(at, &net, sizeof net);
    memcpy(at + sizeof net, data, len);
    array->bytes.len += sizeof net + len;
}

void pg_array_bytes(struct pg_array *array, const void *data, size_t len)
{
    if (data)
        put_element(array, data, len);
    else
        pg_array_null(array);
}

void pg_array_uuid(struct pg_array *array, const unsigned char bytes[16])
{
    pg_array_bytes(array, bytes, 16);
}

void pg_array_i64(struct pg_array *array, int64_t value)
{
    uint64_t net = htobe64((uint64_t)value);
    put_element(array, &net, sizeof net);
}

void pg_array_time(struct pg_array *array, int64_t ms)
{
    pg_array_i64(array, (ms - PG_EPOCH_MS) * 1000);
}

void pg_array_bool(struct pg_array *array, bool value)
{
    put_element(array, value ? "\1" : "\0", 1);
}

void pg_array_param(struct pg_batch *batch, struct pg_array *array)
{
    struct pg_param *param = new_param(batch, ARRAY_TYPES[array->type].array);
    if (!array->any && array->count > 0) {
        pg_array_fini(array);
        return;
    }
    uint32_t count = htonl((uint32_t)array->count);
    memcpy(array->bytes.data + 12, &count, sizeof count);
    param->is_null = false;
    param->binary = true;
    param->len = (int)array->bytes.len;
    param->owned = buf_take(&array->bytes);
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
