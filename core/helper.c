/* helper.c -- a queue in, a queue out, one thread, one wake-up of the loop.
 *
 *     loop: helper_run --queue--> thread: work --finished--> ev_async --> loop: done            */
#include "core/helper.h"

#include "core/limits.h"
#include "core/mem.h"

#include <pthread.h>
#include <stdlib.h>

struct job {
    struct job *next;
    helper_fn *work;
    helper_fn *done;
    void *ctx;
};

struct helper {
    struct ev_loop *loop;
    ev_async wake;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    struct job *todo;
    struct job *finished;
    int waiting;
    bool stop;
};

static void append(struct job **list, struct job *job)
{
    job->next = NULL;
    while (*list)
        list = &(*list)->next;
    *list = job;
}

static void *thread_main(void *arg)
{
    struct helper *h = arg;
    pthread_mutex_lock(&h->lock);
    for (;;) {
        while (!h->todo && !h->stop)
            pthread_cond_wait(&h->ready, &h->lock);
        if (h->stop)
            break;
        struct job *job = h->todo;
        h->todo = job->next;
        pthread_mutex_unlock(&h->lock);
        job->work(job->ctx);
        pthread_mutex_lock(&h->lock);
        append(&h->finished, job);
        ev_async_send(h->loop, &h->wake);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static void on_wake(struct ev_loop *loop, ev_async *w, int events)
{
    (void)loop;
    (void)events;
    struct helper *h = w->data;
    pthread_mutex_lock(&h->lock);
    struct job *list = h->finished;
    h->finished = NULL;
    pthread_mutex_unlock(&h->lock);
    while (list) {
        struct job *job = list;
        list = job->next;
        h->waiting--;
        job->done(job->ctx);
        free(job);
    }
}

struct helper *helper_new(struct ev_loop *loop)
{
    struct helper *h = mem_alloc(sizeof *h);
    h->loop = loop;
    ev_async_init(&h->wake, on_wake);
    h->wake.data = h;
    ev_async_start(loop, &h->wake);
    ev_unref(loop); /* an idle helper does not keep the loop alive */
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->ready, NULL);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, (size_t)256 * KIB);
    if (pthread_create(&h->thread, &attr, thread_main, h) != 0)
        abort();
    pthread_attr_destroy(&attr);
    return h;
}

static void free_list(struct job *list)
{
    while (list) {
        struct job *next = list->next;
        free(list);
        list = next;
    }
}

void helper_free(struct helper *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_signal(&h->ready);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    ev_ref(h->loop);
    ev_async_stop(h->loop, &h->wake);
    free_list(h->todo);
    free_list(h->finished);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->ready);
    free(h);
}

bool helper_run(struct helper *h, helper_fn *work, helper_fn *done, void *ctx)
{
    if (h->waiting >= HELPER_JOBS_MAX)
        return false;
    struct job *job = mem_alloc(sizeof *job);
    *job = (struct job){.work = work, .done = done, .ctx = ctx};
    h->waiting++;
    pthread_mutex_lock(&h->lock);
    append(&h->todo, job);
    pthread_cond_signal(&h->ready);
    pthread_mutex_unlock(&h->lock);
    return true;
}
