/* fail.c -- a library to preload: the Nth allocation, libpq call, libcurl call, write or socket call fails.
 *
 * Which, and in how many calls, stands in a file that is shared with whoever steers it (TORTURE_CONTROL): so one
 * process goes through every N, one after another. As in curl's torture tests, the failing call is not made at all;
 * it answers what its manual says it answers when it fails. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { NOTHING, ALLOC, PQ, CURL_CALL, WRITE, SOCKET };

/* As struct.pack("=iiqq") writes it. */
struct control {
    _Atomic int32_t kind;
    int32_t unused;
    _Atomic int64_t countdown; /* fails when it reaches 0 */
    _Atomic int64_t fired;
};

static struct control *control;

__attribute__((constructor)) static void open_control(void)
{
    const char *path = getenv("TORTURE_CONTROL");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED
                      : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    control = at == MAP_FAILED ? NULL : at;
}

static bool fails(enum kind kind)
{
    if (!control || atomic_load(&control->kind) != (int32_t)kind)
        return false;
    if (atomic_fetch_sub(&control->countdown, 1) != 1)
        return false;
    atomic_fetch_add(&control->fired, 1);
    return true;
}

#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))
#define PASS(kind, failure, type, name, params, args)                                              \
    type name params                                                                               \
    {                                                                                              \
        static __typeof__(&name) real;                                                             \
        if (!real)                                                                                 \
            real = REAL(name);                                                                     \
        return fails(kind) ? (failure) : real args;                                                \
    }

/* ------------------------------------------------------------------------------------------ libpq */

PASS(PQ, NULL, PGconn *, PQconnectStartParams,
     (const char *const *k, const char *const *v, int e), (k, v, e))
PASS(PQ, NULL, PGconn *, PQconnectdbParams, (const char *const *k, const char *const *v, int e),
     (k, v, e))
PASS(PQ, PGRES_POLLING_FAILED, PostgresPollingStatusType, PQconnectPoll, (PGconn * c), (c))
PASS(PQ, 0, int, PQenterPipelineMode, (PGconn * c), (c))
PASS(PQ, -1, int, PQsetnonblocking, (PGconn * c, int a), (c, a))
PASS(PQ, 0, int, PQsendQueryParams,
     (PGconn * c, const char *q, int n, const Oid *t, const char *const *v, const int *l,
      const int *f, int r),
     (c, q, n, t, v, l, f, r))
PASS(PQ, 0, int, PQpipelineSync, (PGconn * c), (c))
PASS(PQ, -1, int, PQflush, (PGconn * c), (c))
PASS(PQ, 0, int, PQconsumeInput, (PGconn * c), (c))
PASS(PQ, NULL, PGresult *, PQexecParams,
     (PGconn * c, const char *q, int n, const Oid *t, const char *const *v, const int *l,
      const int *f, int r),
     (c, q, n, t, v, l, f, r))

/* ---------------------------------------------------------------------------------------- libcurl */

PASS(CURL_CALL, NULL, CURL *, curl_easy_init, (void), ())
PASS(CURL_CALL, CURLM_OUT_OF_MEMORY, CURLMcode, curl_multi_add_handle, (CURLM * m, CURL *e), (m, e))
PASS(CURL_CALL, NULL, struct curl_slist *, curl_slist_append, (struct curl_slist * l, const char *s),
     (l, s))
PASS(CURL_CALL, NULL, curl_mime *, curl_mime_init, (CURL * e), (e))
PASS(CURL_CALL, NULL, curl_mimepart *, curl_mime_addpart, (curl_mime * m), (m))

#undef curl_easy_setopt
CURLcode curl_easy_setopt(CURL *handle, CURLoption option, ...)
{
    static CURLcode (*real)(CURL *, CURLoption, ...);
    va_list args;
    va_start(args, option);
    void *value = va_arg(args, void *); /* every kind of argument has its width here */
    va_end(args);
    if (!real)
        real = REAL(curl_easy_setopt);
    return fails(CURL_CALL) ? CURLE_OUT_OF_MEMORY : real(handle, option, value);
}

/* ----------------------------------------------------------------------------------- files, sockets */

static bool is_file(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static ssize_t refused(int why)
{
    errno = why;
    return -1;
}

/* Standard error is a file in tests: a log line that is lost is no finding. */
ssize_t write(int fd, const void *data, size_t len)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (!real)
        real = REAL(write);
    return fd > 2 && is_file(fd) && fails(WRITE) ? refused(ENOSPC) : real(fd, data, len);
}
PASS(WRITE, (int)refused(EIO), int, fdatasync, (int fd), (fd))
PASS(WRITE, (int)refused(EIO), int, fsync, (int fd), (fd))
PASS(WRITE, (int)refused(EACCES), int, renameat, (int a, const char *b, int c, const char *d),
     (a, b, c, d))
PASS(WRITE, (int)refused(EIO), int, unlinkat, (int d, const char *n, int f), (d, n, f))

int openat(int dir, const char *name, int flags, ...)
{
    static int (*real)(int, const char *, int, ...);
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (!real)
        real = REAL(openat);
    return flags & O_CREAT && fails(WRITE) ? (int)refused(ENOSPC) : real(dir, name, flags, mode);
}

PASS(SOCKET, refused(ECONNRESET), ssize_t, send, (int s, const void *d, size_t n, int f),
     (s, d, n, f))
PASS(SOCKET, refused(ECONNRESET), ssize_t, recv, (int s, void *d, size_t n, int f), (s, d, n, f))
PASS(SOCKET, (int)refused(EMFILE), int, accept4,
     (int s, struct sockaddr *restrict a, socklen_t *restrict l, int f), (s, a, l, f))

/* ------------------------------------------------------------------------------------ allocations */

#ifdef TORTURE_ALLOC
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *block, size_t size);

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size)
{
    return fails(ALLOC) ? no_memory() : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails(ALLOC) ? no_memory() : __libc_calloc(n, size);
}

void *realloc(void *block, size_t size)
{
    return fails(ALLOC) ? no_memory() : __libc_realloc(block, size);
}
#endif
