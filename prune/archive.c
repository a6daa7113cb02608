/* archive.c -- zstd streams over stdio, with a SHA-256 of what is on disk. */
#include "prune/archive.h"

#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { PATH_BYTES = 4096, CHUNK_BYTES = 128 * 1024, LEVEL = 6 };

struct archive_file {
    char path[PATH_BYTES];
    char part[PATH_BYTES]; /* its name until it is whole */
    int fd;
    ZSTD_CStream *zstd;
    EVP_MD_CTX *sum;
    char out[CHUNK_BYTES];
};

static bool io_error(struct err *err, const char *what, const char *path)
{
    return err_set(err, ERR_RETRY, "can't %s %s: %s", what, path, strerror(errno));
}

static void sum_text(EVP_MD_CTX *context, char sum[ARCHIVE_SUM_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    EVP_DigestFinal_ex(context, digest, &len);
    for (unsigned int i = 0; i < len && i < 32; i++)
        snprintf(sum + 2 * (size_t)i, 3, "%02x", digest[i]);
}

static EVP_MD_CTX *sum_new(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
        mem_exhausted();
    return context;
}

static void file_free(struct archive_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    ZSTD_freeCStream(f->zstd);
    EVP_MD_CTX_free(f->sum);
    free(f);
}

struct archive_file *archive_create(const char *path, struct err *err)
{
    struct archive_file *f = mem_alloc(sizeof *f);
    snprintf(f->path, sizeof f->path, "%s", path);
    snprintf(f->part, sizeof f->part, "%s.part", path);
    f->fd = open(f->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    f->zstd = ZSTD_createCStream();
    f->sum = sum_new();
    if (!f->zstd)
        mem_exhausted();
    ZSTD_CCtx_setParameter(f->zstd, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(f->zstd, ZSTD_c_checksumFlag, 1);
    if (f->fd < 0) {
        io_error(err, "write", f->part);
        file_free(f);
        return NULL;
    }
    return f;
}

static bool put(struct archive_file *f, size_t len, struct err *err)
{
    EVP_DigestUpdate(f->sum, f->out, len);
    for (size_t at = 0; at < len;) {
        ssize_t n = write(f->fd, f->out + at, len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(err, "write", f->part);
        at += (size_t)n;
    }
    return true;
}

static bool compress(struct archive_file *f, const char *data, size_t len, ZSTD_EndDirective end,
                     struct err *err)
{
    ZSTD_inBuffer in = {data, len, 0};
    size_t left = 0;
    do {
        ZSTD_outBuffer out = {f->out, sizeof f->out, 0};
        left = ZSTD_compressStream2(f->zstd, &out, &in, end);
        if (ZSTD_isError(left))
            return err_set(err, ERR_BUG, "zstd: %s", ZSTD_getErrorName(left));
        if (!put(f, out.pos, err))
            return false;
    } while (in.pos < in.size || (end == ZSTD_e_end && left));
    return true;
}

bool archive_write(struct archive_file *f, const char *data, size_t len, struct err *err)
{
    return compress(f, data, len, ZSTD_e_continue, err);
}

/* A rename is on disk when its folder is. */
static bool sync_folder(const char *path, struct err *err)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok || io_error(err, "sync", folder);
}

bool archive_close(struct archive_file *f, char sum[ARCHIVE_SUM_BYTES], struct err *err)
{
    bool ok = compress(f, "", 0, ZSTD_e_end, err);
    if (ok && fsync(f->fd) != 0)
        ok = io_error(err, "sync", f->part);
    if (ok && rename(f->part, f->path) != 0)
        ok = io_error(err, "rename", f->part);
    ok = ok && sync_folder(f->path, err);
    if (!ok) {
        archive_give_up(f);
        return false;
    }
    sum_text(f->sum, sum);
    file_free(f);
    return true;
}

void archive_give_up(struct archive_file *f)
{
    unlink(f->part);
    file_free(f);
}

bool archive_put(const char *path, const char *data, size_t len, struct err *err)
{
    char part[PATH_BYTES];
    snprintf(part, sizeof part, "%s.part", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, data, len) == (ssize_t)len && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    ok = ok && rename(part, path) == 0;
    return ok ? sync_folder(path, err) : io_error(err, "write", path);
}

/* ------------------------------------------------------------------------------------------ reading */

struct archive_reader {
    FILE *file;
    ZSTD_DStream *zstd;
    ZSTD_inBuffer in;
    size_t left; /* what the frame still wants; 0: it is whole */
    char data[CHUNK_BYTES];
};

bool archive_sum(const char *path, char sum[ARCHIVE_SUM_BYTES], struct err *err)
{
    char data[CHUNK_BYTES];
    size_t n = 0;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return io_error(err, "read", path);
    EVP_MD_CTX *context = sum_new();
    while ((n = fread(data, 1, sizeof data, file)) > 0)
        EVP_DigestUpdate(context, data, n);
    bool ok = !ferror(file) || io_error(err, "read", path);
    fclose(file);
    sum_text(context, sum);
    EVP_MD_CTX_free(context);
    return ok;
}

struct archive_reader *archive_open(const char *path, struct err *err)
{
    struct archive_reader *r = mem_alloc(sizeof *r);
    r->file = fopen(path, "rbe");
    r->zstd = ZSTD_createDStream();
    r->in.src = r->data;
    if (!r->zstd)
        mem_exhausted();
    if (!r->file) {
        io_error(err, "read", path);
        archive_reader_free(r);
        return NULL;
    }
    return r;
}

bool archive_read(struct archive_reader *r, char *out, size_t size, size_t *len, struct err *err)
{
    ZSTD_outBuffer to = {out, size, 0};
    while (to.pos == 0) {
        if (r->in.pos == r->in.size) {
            r->in.size = fread(r->data, 1, sizeof r->data, r->file);
            r->in.pos = 0;
            if (r->in.size == 0 && r->left)
                return err_set(err, ERR_INPUT, "the archive ends too early");
            if (r->in.size == 0)
                break;
        }
        r->left = ZSTD_decompressStream(r->zstd, &to, &r->in);
        if (ZSTD_isError(r->left))
            return err_set(err, ERR_INPUT, "the archive is damaged: %s",
                           ZSTD_getErrorName(r->left));
    }
    *len = to.pos;
    return true;
}

void archive_reader_free(struct archive_reader *r)
{
    if (r->file)
        fclose(r->file);
    ZSTD_freeDStream(r->zstd);
    free(r);
}
