/* disk.c -- files made, appended, synced, read, removed.
 *
 * The hard thing: after a failed write or fdatasync nobody knows what is on the disk. The file is cut
 * back to where it was good and never written again; whoever waited is told that nothing was kept. */
#include "spool/disk.h"

#include "core/limits.h"
#include "core/mem.h"
#include "core/random.h"
#include "spool/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* statfs(2): file systems that live in memory, and the writable layer of a container. */
enum { FS_TMPFS = 0x01021994, FS_OVERLAY = 0x794c7630 };
static const long FS_RAMFS = 0x858458f6L;

void disk_name(int64_t number, char *out, size_t size)
{
    snprintf(out, size, "%012lld.spool", (long long)number);
}

bool disk_is_name(const char *name, int64_t *number)
{
    char *end = NULL;
    char again[DISK_NAME_BYTES];
    *number = strtoll(name, &end, 10);
    if (end == name || *number < 1)
        return false;
    disk_name(*number, again, sizeof again);
    return strcmp(again, name) == 0;
}

static bool fail(struct err *err, const struct disk *disk, const char *what)
{
    int why = errno;
    return err_set(err, ERR_RETRY, "can't %s in %s: %s", what, disk->dir, strerror(why));
}

static void show(struct disk *disk)
{
    atomic_store(&disk->view.bytes, disk->bytes);
    atomic_store(&disk->view.files, (int64_t)disk->count);
    atomic_store(&disk->view.damaged, disk->damaged);
    atomic_store(&disk->view.is_volatile, disk->is_volatile);
}

void disk_init(struct disk *disk, const char *dir)
{
    *disk = (struct disk){.dir = mem_str_dup(dir), .dir_fd = -1, .lock_fd = -1, .fd = -1};
    random_bytes(&disk->salt, sizeof disk->salt);
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void disk_fini(struct disk *disk)
{
    shut(&disk->fd);
    shut(&disk->lock_fd);
    shut(&disk->dir_fd);
    free(disk->dir);
    free(disk->numbers);
}

/* ----------------------------------------------------------------------------------------- opening */

static bool make_dirs(const char *dir)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", dir);
    for (char *p = path + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            if (mkdir(path, 0755) != 0 && errno != EEXIST)
                return false;
            *p = '/';
        }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static void add_number(struct disk *disk, int64_t number)
{
    if (disk->count == disk->size) {
        disk->size = disk->size ? disk->size * 2 : 64;
        disk->numbers = mem_realloc(disk->numbers, disk->size * sizeof *disk->numbers);
    }
    disk->numbers[disk->count++] = number;
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return (*x > *y) - (*x < *y);
}

static bool ends_with(const char *name, const char *end)
{
    size_t a = strlen(name);
    size_t b = strlen(end);
    return a >= b && strcmp(name + a - b, end) == 0;
}

static bool list(struct disk *disk, struct err *err)
{
    int fd = openat(disk->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        bool ok = fail(err, disk, "list the files");
        shut(&fd);
        return ok;
    }
    disk->count = 0;
    disk->bytes = disk->damaged = 0;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        int64_t number = 0;
        struct stat st;
        bool is_events = disk_is_name(entry->d_name, &number);
        bool is_damaged = ends_with(entry->d_name, ".damaged");
        if (fstatat(disk->dir_fd, entry->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (is_events)
            add_number(disk, number);
        if (is_damaged) {
            disk->damaged++;
            number = strtoll(entry->d_name, NULL, 10);
        }
        if (number > disk->number && (is_events || is_damaged))
            disk->number = number; /* no name is given twice */
        if (is_events || is_damaged || strcmp(entry->d_name, "refused") == 0)
            disk->bytes += st.st_size;
    }
    closedir(dir);
    if (disk->count)
        qsort(disk->numbers, disk->count, sizeof *disk->numbers, compare);
    show(disk);
    return true;
}

static bool find_out_where(struct disk *disk)
{
    struct statfs fs;
    if (fstatfs(disk->dir_fd, &fs) != 0)
        return false;
    long type = (long)fs.f_type;
    return type == FS_TMPFS || type == FS_OVERLAY || type == FS_RAMFS;
}

bool disk_open_to_read(struct disk *disk, struct err *err)
{
    disk->dir_fd = open(disk->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (disk->dir_fd < 0)
        return fail(err, disk, "open the folder");
    return list(disk, err);
}

bool disk_open(struct disk *disk, struct err *err)
{
    shut(&disk->lock_fd);
    shut(&disk->dir_fd);
    if (!make_dirs(disk->dir))
        return fail(err, disk, "make the folder");
    disk->dir_fd = open(disk->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (disk->dir_fd < 0)
        return fail(err, disk, "open the folder");
    disk->lock_fd = openat(disk->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (disk->lock_fd < 0)
        return fail(err, disk, "make a file");
    if (flock(disk->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        shut(&disk->lock_fd);
        if (errno != EWOULDBLOCK)
            return fail(err, disk, "lock the folder");
        return err_set(err, ERR_RETRY,
                       "another process uses %s: give each instance a SPOOL_DIR of its own",
                       disk->dir);
    }
    disk->is_volatile = find_out_where(disk);
    bool ok = list(disk, err);
    disk->found_number = disk->count ? disk->numbers[disk->count - 1] : 0;
    return ok;
}

/* ----------------------------------------------------------------------------------------- writing */

static bool write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static int make_file(struct disk *disk, const char *name, uint32_t salt, int flags)
{
    char head[RECORD_FILE_HEAD_BYTES];
    int fd = openat(disk->dir_fd, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | flags, 0600);
    struct stat st;
    if (fd < 0)
        return -1;
    record_file_head(salt, head);
    if (fstat(fd, &st) == 0 && (st.st_size > 0 || write_all(fd, head, sizeof head)) &&
        fsync(disk->dir_fd) == 0)
        return fd;
    int why = errno;
    if (flags & O_EXCL)
        unlinkat(disk->dir_fd, name, 0);
    close(fd);
    errno = why;
    return -1;
}

static bool begin_file(struct disk *disk, struct err *err)
{
    char name[DISK_NAME_BYTES];
    disk_name(disk->number + 1, name, sizeof name);
    disk->fd = make_file(disk, name, disk->salt, O_EXCL);
    if (disk->fd < 0)
        return fail(err, disk, "make a file");
    add_number(disk, ++disk->number);
    disk->offset = RECORD_FILE_HEAD_BYTES;
    disk->bytes += RECORD_FILE_HEAD_BYTES;
    return true;
}

bool disk_append(struct disk *disk, const struct buf *records, struct err *err)
{
    if (disk->fd >= 0 && disk->offset >= SPOOL_FILE_BYTES)
        shut(&disk->fd);
    if (disk->fd < 0 && !begin_file(disk, err))
        return false;
    if (!write_all(disk->fd, records->data, records->len) || fdatasync(disk->fd) != 0) {
        fail(err, disk, "write");
        if (ftruncate(disk->fd, disk->offset) == 0)
            fdatasync(disk->fd);
        shut(&disk->fd);
        return false;
    }
    disk->offset += (int64_t)records->len;
    disk->bytes += (int64_t)records->len;
    show(disk);
    return true;
}

bool disk_append_to(struct disk *disk, const char *name, const struct buf *records, struct err *err)
{
    int fd = make_file(disk, name, RECORD_NO_SALT, 0);
    struct stat st;
    if (fd < 0)
        return fail(err, disk, "make a file");
    bool ok =
        fstat(fd, &st) == 0 && write_all(fd, records->data, records->len) && fdatasync(fd) == 0;
    if (!ok) {
        fail(err, disk, "write");
        if (ftruncate(fd, st.st_size) != 0)
            err->kind = ERR_RETRY; /* what is there now is found by its checksum */
    }
    close(fd);
    return ok;
}

bool disk_replace(struct disk *disk, const char *name, const char *text, struct err *err)
{
    char next[DISK_NAME_BYTES];
    snprintf(next, sizeof next, "%s.new", name);
    int fd = openat(disk->dir_fd, next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write_all(fd, text, strlen(text)) && fdatasync(fd) == 0 &&
              renameat(disk->dir_fd, next, disk->dir_fd, name) == 0 && fsync(disk->dir_fd) == 0;
    if (!ok)
        fail(err, disk, "write the mirror");
    shut(&fd);
    return ok;
}

/* ----------------------------------------------------------------------------------------- reading */

bool disk_read(struct disk *disk, const char *name, struct buf *out, struct err *err)
{
    int fd = openat(disk->dir_fd, name, O_RDONLY | O_CLOEXEC);
    struct stat st;
    err->kind = ERR_NONE;
    if (fd < 0 && errno == ENOENT)
        return false;
    bool ok = fd >= 0 && fstat(fd, &st) == 0;
    if (ok && !buf_reserve(out, (size_t)st.st_size)) {
        close(fd);
        return err_set(err, ERR_LIMIT, "%s in %s has %lld bytes: more than is ever written", name,
                       disk->dir, (long long)st.st_size);
    }
    for (ssize_t n = 1; ok && n != 0;) {
        n = read(fd, out->data + out->len, (size_t)st.st_size - out->len);
        ok = n >= 0 || errno == EINTR;
        out->len += n > 0 ? (size_t)n : 0;
    }
    if (!ok)
        out->len = 0;
    if (out->data)
        out->data[out->len] = '\0';
    if (!ok)
        fail(err, disk, "read");
    shut(&fd);
    return ok;
}

bool disk_read_oldest(struct disk *disk, int64_t *number, struct buf *out, struct err *err)
{
    char name[DISK_NAME_BYTES];
    err->kind = ERR_NONE;
    if (disk->count == 0)
        return false;
    *number = disk->numbers[0];
    if (*number == disk->number)
        shut(&disk->fd);
    disk_name(*number, name, sizeof name);
    if (disk_read(disk, name, out, err))
        return true;
    if (err->kind == ERR_NONE) /* somebody removed it */
        disk_remove_oldest(disk, false);
    return false;
}

void disk_remove_oldest(struct disk *disk, bool keep_aside)
{
    char name[DISK_NAME_BYTES];
    char aside[DISK_NAME_BYTES];
    if (disk->count == 0)
        return;
    disk_name(disk->numbers[0], name, sizeof name);
    snprintf(aside, sizeof aside, "%012lld.damaged", (long long)disk->numbers[0]);
    struct err ignored = {0};
    int gone = keep_aside || disk->must_keep ? renameat(disk->dir_fd, name, disk->dir_fd, aside)
                                             : unlinkat(disk->dir_fd, name, 0);
    disk->must_keep = false;
    /* what a person removed meanwhile is noticed, too */
    if (gone == 0 && list(disk, &ignored))
        return;
    disk->count--;
    memmove(disk->numbers, disk->numbers + 1, disk->count * sizeof *disk->numbers);
    show(disk);
}

void disk_remove(struct disk *disk, const char *name)
{
    unlinkat(disk->dir_fd, name, 0);
}
