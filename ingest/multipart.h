/* multipart.h -- multipart/form-data (RFC 7578, RFC 2046 section 5.1) cut into parts: pure, no copies. */
#ifndef NABAT_INGEST_MULTIPART_H
#define NABAT_INGEST_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

struct multipart_text {
    const char *at; /* NULL: not given */
    size_t len;
};

struct multipart {
    const char *at;
    const char *end;
    char delimiter[80]; /* CR LF "--" boundary */
    size_t delimiter_len;
};

struct multipart_part {
    struct multipart_text name;
    struct multipart_text file_name;
    struct multipart_text content_type;
    const char *data;
    size_t len;
};

/* False: the Content-Type is no multipart, has no boundary of 1 to 70 bytes, or the body does not
 * begin with it. */
bool multipart_open(struct multipart *m, const char *content_type, size_t type_len,
                    const char *body, size_t len);
/* False: the end, or what is left is no whole part. */
bool multipart_next(struct multipart *m, struct multipart_part *part);

#endif
