/* archive.h -- a compressed file with its checksum: lines in, lines out. Of the archive of days; nothing of databases. */
#ifndef NABAT_PRUNE_ARCHIVE_H
#define NABAT_PRUNE_ARCHIVE_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { ARCHIVE_SUM_BYTES = 65 }; /* SHA-256 in hex */

struct archive_file;

/* A new file, for its owner alone; written under another name until archive_close. */
struct archive_file *archive_create(const char *path, struct err *err);
bool archive_write(struct archive_file *file, const char *data, size_t len, struct err *err);
/* Synced and renamed. `sum` is of the compressed bytes. Frees it either way. */
bool archive_close(struct archive_file *file, char sum[ARCHIVE_SUM_BYTES], struct err *err);
/* Nothing of it stays. */
void archive_give_up(struct archive_file *file);

/* A small file at once: synced, renamed, for its owner alone. */
bool archive_put(const char *path, const char *data, size_t len, struct err *err);
/* The sum of a file as it is. */
bool archive_sum(const char *path, char sum[ARCHIVE_SUM_BYTES], struct err *err);

struct archive_reader;
struct archive_reader *archive_open(const char *path, struct err *err);
/* Up to `size` bytes; *len 0: the end. */
bool archive_read(struct archive_reader *reader, char *out, size_t size, size_t *len,
                  struct err *err);
void archive_reader_free(struct archive_reader *reader);

#endif
