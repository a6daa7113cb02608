/* sign.c -- HMAC-SHA256 by libcrypto. */
#include "net/sign.h"

#include "core/limits.h"
#include "core/random.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { SECRET_BYTES_MAX = 512 };

/* False: it is no base64. */
static bool key_of(const char *secret, unsigned char key[SECRET_BYTES_MAX], int *len)
{
    static const char PREFIX[] = "whsec_";
    size_t n = strlen(secret);
    if (n >= SECRET_BYTES_MAX)
        return false;
    if (strncmp(secret, PREFIX, sizeof PREFIX - 1) != 0) {
        memcpy(key, secret, n + 1);
        *len = (int)n;
        return true;
    }
    const char *text = secret + sizeof PREFIX - 1;
    size_t size = strlen(text);
    *len = EVP_DecodeBlock(key, (const unsigned char *)text, (int)size);
    while (*len > 0 && size > 0 && text[size - 1] == '=') {
        size--;
        (*len)--;
    }
    return *len > 0;
}

bool sign_webhook(const char *secret, const char *id, int64_t timestamp_s, const char *body,
                  struct buf *signature)
{
    unsigned char key[SECRET_BYTES_MAX];
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned char text[2 * EVP_MAX_MD_SIZE];
    unsigned int mac_len = 0;
    int key_len = 0;
    struct buf signed_text;
    if (!key_of(secret, key, &key_len))
        return false;
    buf_init(&signed_text, 2 * MIB);
    buf_addf(&signed_text, "%s.%lld.%s", id, (long long)timestamp_s, body);
    bool ok = !signed_text.full &&
              HMAC(EVP_sha256(), key, key_len, (const unsigned char *)buf_text(&signed_text),
                   signed_text.len, mac, &mac_len);
    buf_fini(&signed_text);
    if (!ok)
        return false;
    EVP_EncodeBlock(text, mac, (int)mac_len);
    buf_addf(signature, "v1,%s", (const char *)text);
    return true;
}

bool sign_github_fits(const char *secret, const char *body, size_t len, const char *header,
                      size_t header_len)
{
    static const char PREFIX[] = "sha256=";
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int mac_len = 0;
    char want[sizeof PREFIX + 64];
    char got[sizeof want];
    if (header_len != sizeof PREFIX - 1 + 64 ||
        !HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)body, len, mac,
              &mac_len))
        return false;
    memcpy(want, PREFIX, sizeof PREFIX);
    for (unsigned i = 0; i < mac_len; i++)
        snprintf(want + sizeof PREFIX - 1 + (size_t)2 * i, 3, "%02x", mac[i]);
    memcpy(got, header, header_len);
    got[header_len] = '\0';
    return secret_equal(got, want);
}
