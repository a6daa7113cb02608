/* disk.h -- the spool's folder as its thread sees it: blocking calls, one at a time. */
#ifndef NABAT_SPOOL_DISK_H
#define NABAT_SPOOL_DISK_H

#include "core/buf.h"
#include "core/err.h"

#include <stdatomic.h>
#include <stdint.h>

/* What the loop may look at while the thread works; as of the end of its last call. */
struct disk_view {
    _Atomic int64_t bytes;
    _Atomic int64_t files;
    _Atomic int64_t damaged;
    _Atomic bool is_volatile;
};

struct disk {
    char *dir;
    int dir_fd;       /* -1: not open */
    int lock_fd;      /* held for as long as the folder is ours */
    int fd;           /* of the file that is written; -1: the next write makes one */
    int64_t number;   /* of that file, or of the last one there was */
    int64_t offset;   /* where it ends as far as it is good */
    int64_t *numbers; /* of event files, oldest first, the one that is written included */
    size_t count;
    size_t size;
    int64_t bytes;        /* of all files */
    int64_t damaged;      /* files kept aside */
    bool is_volatile;     /* a restart of the machine or container loses it */
    uint32_t salt;        /* of the files of events that this process makes */
    int64_t found_number; /* the last file there was at the start: a crash may have torn its end */
    bool must_keep;       /* something of the oldest file could not be put elsewhere */
    struct disk_view view;
};

void disk_init(struct disk *disk, const char *dir);
void disk_fini(struct disk *disk);
/* Makes the folder, takes the lock, lists the files. */
bool disk_open(struct disk *disk, struct err *err);
/* Lists the files without the lock, and makes nothing. */
bool disk_open_to_read(struct disk *disk, struct err *err);
/* Appends and syncs. What failed is cut off again. */
bool disk_append(struct disk *disk, const struct buf *records, struct err *err);
/* To a file beside the events ("rang", "refused"): made with its head if it is not there. */
bool disk_append_to(struct disk *disk, const char *name, const struct buf *records,
                    struct err *err);
/* Another content for it, all or nothing. */
bool disk_replace(struct disk *disk, const char *name, const char *text, struct err *err);
/* The whole file; false with ERR_NONE: there is none. `out` is empty before. */
bool disk_read(struct disk *disk, const char *name, struct buf *out, struct err *err);
/* The oldest file of events; what is written next goes into a new one. False with ERR_NONE: none. */
bool disk_read_oldest(struct disk *disk, int64_t *number, struct buf *out, struct err *err);
/* Of the file read last: gone, or under the name "NNN.damaged". */
void disk_remove_oldest(struct disk *disk, bool keep_aside);
void disk_remove(struct disk *disk, const char *name);
/* Names of event files; `size` at least DISK_NAME_BYTES. */
enum { DISK_NAME_BYTES = 40 };
void disk_name(int64_t number, char *out, size_t size);
bool disk_is_name(const char *name, int64_t *number);

#endif
