/* child.c -- see child.h.
 *
 *     spawn --input--> stdin        stdout, stderr --until both end--> exit status --> done
 *        \____ no room, no program ____\______ too long, too much: killed ______/            */
#include "core/child.h"

#include "core/buf.h"
#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ERROR_BYTES_MAX = 4096, READ_BYTES = 65536 };
enum child_pipe { PIPE_IN, PIPE_OUT, PIPE_ERR, PIPES };

struct child {
    struct child *next;
    struct ev_loop *loop;
    pid_t pid; /* 0: not started */
    int fds[PIPES];
    ev_io io[PIPES];
    ev_child exit;
    ev_timer deadline;
    char *input;
    size_t input_len;
    size_t input_at;
    struct buf output;
    struct buf errors;
    const char *why; /* NULL: nothing is wrong so far */
    int status;
    bool exited;
    child_done_fn *done;
    void *ctx;
};

static struct child *children;
static size_t children_count;

static void close_pipe(struct child *c, enum child_pipe which)
{
    if (c->fds[which] < 0)
        return;
    ev_io_stop(c->loop, &c->io[which]);
    close(c->fds[which]);
    c->fds[which] = -1;
}

static void leave(struct child *c)
{
    struct child **at = &children;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    children_count--;
}

static void finish(struct child *c)
{
    const char *why = c->why;
    if (!why && (!WIFEXITED(c->status) || WEXITSTATUS(c->status) != 0)) {
        why = buf_text(&c->errors);
        if (c->errors.len)
            c->errors.data[strcspn(c->errors.data, "\n")] = '\0';
        if (!*why)
            why = "it ended with an error and did not say which";
    }
    for (int i = 0; i < PIPES; i++)
        close_pipe(c, (enum child_pipe)i);
    ev_timer_stop(c->loop, &c->deadline);
    if (c->pid)
        ev_child_stop(c->loop, &c->exit);
    leave(c);
    c->done(c->ctx, buf_text(&c->output), c->output.len, why);
    buf_fini(&c->output);
    buf_fini(&c->errors);
    free(c->input);
    free(c);
}

static void finish_if_over(struct child *c)
{
    if (c->exited && c->fds[PIPE_OUT] < 0 && c->fds[PIPE_ERR] < 0)
        finish(c);
}

static void give_up(struct child *c, const char *why)
{
    c->why = c->why ? c->why : why;
    if (c->pid && !c->exited) /* once it is reaped, the number may be another's */
        kill(c->pid, SIGKILL);
    for (int i = 0; i < PIPES; i++)
        close_pipe(c, (enum child_pipe)i);
}

static void on_write(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)events;
    struct child *c = w->data;
    ssize_t n = write(w->fd, c->input + c->input_at, c->input_len - c->input_at);
    if (n > 0)
        c->input_at += (size_t)n;
    /* one that does not read to the end may have reasons, and says them */
    if ((n < 0 && errno != EAGAIN && errno != EINTR) || c->input_at == c->input_len)
        close_pipe(c, PIPE_IN);
}

static void read_pipe(struct child *c, enum child_pipe which, struct buf *into)
{
    char bytes[READ_BYTES];
    ssize_t n = read(c->fds[which], bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close_pipe(c, which);
        finish_if_over(c);
        return;
    }
    if (!buf_add(into, bytes, (size_t)n) && which == PIPE_OUT) {
        give_up(c, "it says more than it may");
        finish_if_over(c);
    }
}

static void on_output(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)events;
    struct child *c = w->data;
    read_pipe(c, PIPE_OUT, &c->output);
}

static void on_errors(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)events;
    struct child *c = w->data;
    read_pipe(c, PIPE_ERR, &c->errors);
}

static void on_exit_status(struct ev_loop *loop, ev_child *w, int events)
{
    (void)events;
    struct child *c = w->data;
    ev_child_stop(loop, w);
    c->exited = true;
    c->status = w->rstatus;
    finish_if_over(c);
}

/* Also where it was never started: told from the loop, not inside child_run. */
static void on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    struct child *c = w->data;
    if (!c->pid) {
        finish(c);
        return;
    }
    give_up(c, "it takes too long");
    finish_if_over(c);
}

/* Ours are `ours`, not inherited and never waited for; the child's are `theirs`. */
static bool make_pipes(int ours[PIPES], int theirs[PIPES])
{
    for (int i = 0; i < PIPES; i++)
        ours[i] = theirs[i] = -1;
    for (int i = 0; i < PIPES; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
            return false;
        ours[i] = ends[i == PIPE_IN ? 1 : 0];
        theirs[i] = ends[i == PIPE_IN ? 0 : 1];
        fcntl(ours[i], F_SETFL, O_NONBLOCK);
    }
    return true;
}

static void add_variable(const char *name, char *out, size_t size, char **env, size_t *count)
{
    const char *value = getenv(name);
    if (!value || snprintf(out, size, "%s=%s", name, value) >= (int)size)
        return;
    env[(*count)++] = out;
}

static int spawn(struct child *c, const char *path, const char *arg, const int theirs[PIPES])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t defaults;
    char kept[3][1024];
    char *env[4] = {NULL};
    size_t n = 0;
    char *argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t)arg, NULL};
    add_variable("PATH", kept[0], sizeof kept[0], env, &n);
    add_variable("HOME", kept[1], sizeof kept[1], env, &n);
    add_variable("LANG", kept[2], sizeof kept[2], env, &n);
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < PIPES; i++)
        posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
    posix_spawnattr_init(&attr);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attr, &defaults);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawn(&c->pid, path, &actions, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    c->pid = failed ? 0 : c->pid;
    return failed;
}

static void start(struct child *c, const char *path, const char *arg)
{
    int theirs[PIPES];
    bool piped = make_pipes(c->fds, theirs);
    int failed = piped ? spawn(c, path, arg, theirs) : errno;
    for (int i = 0; i < PIPES; i++)
        if (theirs[i] >= 0)
            close(theirs[i]);
    if (failed)
        c->why = strerror(failed); // NOLINT(concurrency-mt-unsafe): the loop is one thread
}

void child_run(struct ev_loop *loop, const char *path, const char *arg, const char *input,
               size_t len, double seconds, child_done_fn *done, void *ctx)
{
    static void (*const ON_PIPE[PIPES])(struct ev_loop *, ev_io *, int) = {on_write, on_output,
                                                                           on_errors};
    struct child *c = mem_alloc(sizeof *c);
    *c = (struct child){.next = children, .loop = loop, .done = done, .ctx = ctx};
    children = c;
    c->input = mem_str_dup_n(input, len);
    c->input_len = len;
    buf_init(&c->output, CHILD_OUTPUT_BYTES_MAX);
    buf_init(&c->errors, ERROR_BYTES_MAX);
    for (int i = 0; i < PIPES; i++)
        c->fds[i] = -1;
    if (children_count++ >= CHILDREN_MAX)
        c->why = "too many at work";
    else
        start(c, path, arg);
    ev_timer_init(&c->deadline, on_deadline, c->why ? 0 : seconds, 0);
    c->deadline.data = c;
    ev_timer_start(loop, &c->deadline);
    for (int i = 0; i < PIPES; i++) {
        ev_io_init(&c->io[i], ON_PIPE[i], c->fds[i], i == PIPE_IN ? EV_WRITE : EV_READ);
        c->io[i].data = c;
        if (c->fds[i] >= 0 && !c->why)
            ev_io_start(loop, &c->io[i]);
    }
    if (!c->pid)
        return;
    ev_child_init(&c->exit, on_exit_status, c->pid, 0);
    c->exit.data = c;
    ev_child_start(loop, &c->exit);
}

void child_end_all(void)
{
    while (children) {
        struct child *c = children;
        give_up(c, "the service is stopping");
        if (c->pid && !c->exited)
            waitpid(c->pid, NULL, 0);
        finish(c);
    }
}

void child_path(const char *name, char *out, size_t size)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        slash[1] = '\0';
    snprintf(out, size, "%s%s", self, name);
}
