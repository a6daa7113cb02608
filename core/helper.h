/* helper.h -- one thread for what can only block (name resolution); results come back to the loop. */
#ifndef NABAT_CORE_HELPER_H
#define NABAT_CORE_HELPER_H

#include <ev.h>
#include <stdbool.h>

struct helper;

struct helper *helper_new(struct ev_loop *loop);
/* Waits for the job at work; jobs still queued never run and their `done` is not called. */
void helper_free(struct helper *helper);

/* `work` runs on the helper thread, then `done` once from the loop. False when HELPER_JOBS_MAX jobs
 * wait already: nothing will be called. `ctx` must stay alive until `done`. */
typedef void helper_fn(void *ctx);
bool helper_run(struct helper *helper, helper_fn *work, helper_fn *done, void *ctx);

#endif
