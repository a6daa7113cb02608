/* sentry_upload.h -- files by multipart/form-data (RFC 7578): minidumps, and late attachments. */
#ifndef NABAT_API_SENTRY_UPLOAD_H
#define NABAT_API_SENTRY_UPLOAD_H

#include "api/sentry_path.h"
#include "ingest/sentry.h"
#include "net/http_server.h"

/* /minidump/: the part upload_file_minidump (or a body that is a dump) becomes an event with its
 * files; the parts "sentry" and "sentry[…]" say the rest of it. /events/{id}/attachments/: files of
 * an event that was sent before. INPUT: no multipart, or without what it is for. */
bool sentry_upload_read(const struct http_request *request, const struct sentry_path *path,
                        const char *body, size_t len, const struct sentry_config *config,
                        const struct sentry_limits *limits, struct arena *arena,
                        struct sentry_batch *batch, struct err *err);

#endif
