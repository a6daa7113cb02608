/* session.h -- a blocking connection, for command-line tools only: never in the loop. */
#ifndef NABAT_STORE_SESSION_H
#define NABAT_STORE_SESSION_H

#include "core/err.h"

#include <libpq-fe.h>
#include <stddef.h>

struct session;

/* Whether `url` can be understood at all; ERR_INPUT names DATABASE_URL. */
bool session_check_url(const char *url, struct err *err);

/* `schema` becomes the search_path. ERR_RETRY: can't be reached. */
struct session *session_open(const char *url, const char *schema, const char *name,
                             struct err *err);
void session_close(struct session *session);
/* Text parameters, text results; NULL on error. The caller PQclears. */
PGresult *session_run(struct session *session, const char *sql, size_t count,
                      const char *const *params, struct err *err);
/* The rows of `COPY … TO STDOUT`, one call each; false from `take` ends it with its error. */
typedef bool session_row_fn(void *ctx, const char *data, size_t len, struct err *err);
bool session_copy_out(struct session *session, const char *sql, session_row_fn *take, void *ctx,
                      struct err *err);
/* What `give` writes goes into `COPY … FROM STDIN`: false ends it, an error of its own in `err` undoes it. */
typedef bool session_give_fn(void *ctx, char *out, size_t size, size_t *len, struct err *err);
bool session_copy_in(struct session *session, const char *sql, session_give_fn *give, void *ctx,
                     struct err *err);
int session_server_version(struct session *session); /* 150018 */

/* The private PostgreSQL of ./run: found beside the program's build folder, or in the current one.
 * False: there is none. */
bool session_find_local(char *url, size_t size);

#endif
