/* sentry_store.c -- bodies of the older /store/ endpoint: base64 and deflate around JSON. */
#include "ingest/sentry.h"

#include "core/limits.h"
#include "ingest/body.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

static char first_byte(const char *body, size_t len)
{
    const char *at = json_skip_blanks(body, body + len);
    return at < body + len ? *at : '\0';
}

/* Also the URL alphabet, and without its padding: GIF requests carry it in a query. */
static bool decode_base64(const char *body, size_t len, struct buf *out)
{
    struct buf clean;
    buf_init(&clean, len + 4);
    for (size_t i = 0; i < len; i++) {
        char c = body[i] == '-' ? '+' : body[i] == '_' ? '/' : body[i];
        if (isalnum((unsigned char)c) || c == '+' || c == '/')
            buf_add_char(&clean, c);
        else if (c != '=' && !isspace((unsigned char)c))
            break;
    }
    while (clean.len % 4)
        buf_add_char(&clean, '=');
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    int n = 0;
    int last = 0;
    bool ok = ctx && clean.len > 0 && buf_reserve(out, clean.len + 4);
    if (ok) {
        EVP_DecodeInit(ctx);
        ok = EVP_DecodeUpdate(ctx, (unsigned char *)out->data + out->len, &n,
                              (const unsigned char *)clean.data, (int)clean.len) >= 0 &&
             EVP_DecodeFinal(ctx, (unsigned char *)out->data + out->len + n, &last) == 1;
    }
    EVP_ENCODE_CTX_free(ctx);
    buf_fini(&clean);
    if (!ok)
        return false;
    out->len += (size_t)(n + last);
    out->data[out->len] = '\0';
    return true;
}

bool sentry_store_open(const char **body, size_t *len, struct buf *out, struct err *err)
{
    struct buf raw;
    if (first_byte(*body, *len) == '{')
        return true;
    buf_init(&raw, INGEST_INFLATED_BYTES_MAX);
    bool ok = decode_base64(*body, *len, &raw) ||
              err_set(err, ERR_INPUT, "the body is neither JSON nor base64");
    if (ok && first_byte(raw.data, raw.len) == '{')
        ok = buf_add(out, raw.data, raw.len) ||
             err_set(err, ERR_LIMIT, "the body is over the limit of %zu bytes", out->bytes_max);
    else if (ok)
        ok = body_inflate(BODY_DEFLATE, raw.data, raw.len, out, NULL, NULL, err);
    buf_fini(&raw);
    *body = buf_text(out);
    *len = out->len;
    return ok;
}
