/* exec.c -- one command: its output goes on byte for byte, its signals come to it, its end is ours.
 *
 *     child --stdout--> pipe --> our stdout        poll() over the two pipes and a signalfd:
 *           --stderr--> pipe --> our stderr        SIGCHLD ends it, others go on to the child
 *                          `--> tail of each
 *
 * The hard thing: a job may leave something in the background that holds the pipes open. Once the child is gone
 * only what is in the pipes already is read. */
#include "exec.h"

#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct stream {
    struct tail *tail;
    int from;
    int to; /* -1 once nobody reads it */
};

static const int FORWARDED[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
enum { FORWARDED_COUNT = sizeof FORWARDED / sizeof *FORWARDED };

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void write_all(struct stream *s, const char *bytes, size_t len)
{
    while (len && s->to >= 0) {
        ssize_t n = write(s->to, bytes, len);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = s->to, .events = POLLOUT};
            poll(&wait, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            s->to = -1;
        } else if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
}

/* False at the end of it. */
static bool pass_on(struct stream *s)
{
    char bytes[16 * 1024];
    ssize_t n = read(s->from, bytes, sizeof bytes);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    tail_add(s->tail, bytes, (size_t)n);
    write_all(s, bytes, (size_t)n);
    /* when nobody reads us the command gets its own SIGPIPE, as it would without us */
    return s->to >= 0;
}

static void drain(struct stream *s)
{
    struct pollfd ready = {.fd = s->from, .events = POLLIN};
    if (s->from < 0)
        return;
    /* at most what a pipe holds: a background job that goes on talking would keep us for ever */
    for (int i = 0; i < 64 && poll(&ready, 1, 0) > 0 && pass_on(s); i++)
        ;
    close(s->from);
    s->from = -1;
}

/* The child's side; never returns. What stopped it is written to `told`. */
__attribute__((noreturn)) static void become(char *const *command, const int out[2],
                                             const int err[2], int told, const sigset_t *mask)
{
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(command[0], command);
    int why = errno;
    ssize_t n = write(told, &why, sizeof why);
    _exit(n == sizeof why && why == ENOENT ? EXIT_NOT_FOUND : EXIT_NO_EXEC);
}

static bool make_pipes(int pipes[3][2])
{
    for (int i = 0; i < 3; i++)
        if (pipe2(pipes[i], O_CLOEXEC))
            return false;
    return true;
}

/* Until the child has ended; its status. */
static int watch(pid_t child, int signals, struct stream streams[2])
{
    for (;;) {
        struct pollfd fds[3] = {{.fd = signals, .events = POLLIN},
                                {.fd = streams[0].from, .events = POLLIN},
                                {.fd = streams[1].from, .events = POLLIN}};
        poll(fds, 3, -1);
        for (int i = 0; i < 2; i++)
            if (fds[i + 1].revents && !pass_on(&streams[i])) {
                close(streams[i].from);
                streams[i].from = -1;
            }
        struct signalfd_siginfo info;
        if (!fds[0].revents || read(signals, &info, sizeof info) != sizeof info)
            continue;
        int status;
        bool is_told = info.ssi_code == SI_KERNEL; /* a terminal tells the child itself */
        if (info.ssi_signo == SIGCHLD && waitpid(child, &status, WNOHANG) == child)
            return status;
        if (info.ssi_signo != SIGCHLD && !is_told)
            kill(child, (int)info.ssi_signo);
    }
}

static void conclude(int status, int start_errno, struct run *run)
{
    run->start_errno = start_errno;
    if (start_errno) {
        run->code = start_errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NO_EXEC;
    } else if (WIFSIGNALED(status)) {
        run->signal = WTERMSIG(status);
        run->code = 128 + run->signal;
    } else {
        run->code = WEXITSTATUS(status);
    }
}

void exec_run(char *const *command, struct run *run)
{
    int pipes[3][2], why = 0;
    sigset_t ours, before;
    memset(run, 0, sizeof *run);
    double start = now_seconds();
    if (!make_pipes(pipes)) {
        conclude(0, errno, run);
        return;
    }
    /* a parent may have had it ignored: then no child is ever waited for */
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&ours);
    sigaddset(&ours, SIGCHLD);
    for (int i = 0; i < FORWARDED_COUNT; i++)
        sigaddset(&ours, FORWARDED[i]);
    sigprocmask(SIG_BLOCK, &ours, &before);
    signal(SIGPIPE, SIG_IGN);
    int signals = signalfd(-1, &ours, SFD_CLOEXEC);
    pid_t child = signals < 0 ? -1 : fork();
    if (child == 0)
        become(command, pipes[0], pipes[1], pipes[2][1], &before);
    why = child < 0 || signals < 0 ? errno : 0;
    for (int i = 0; i < 3; i++)
        close(pipes[i][1]);
    struct stream streams[2] = {{&run->out, pipes[0][0], STDOUT_FILENO},
                                {&run->err, pipes[1][0], STDERR_FILENO}};
    int status = child > 0 ? watch(child, signals, streams) : 0;
    drain(&streams[0]);
    drain(&streams[1]);
    if (child > 0 && read(pipes[2][0], &why, sizeof why) != sizeof why)
        why = 0;
    close(pipes[2][0]);
    close(signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    run->seconds = now_seconds() - start;
    conclude(status, why, run);
}
