/* shell_kdf.h: the one worker that hashes passwords: memory-hard, so it has one thread and a short queue.
 *
 * Invariant: at most SHELL_KDF_QUEUE jobs wait; passwords are wiped once done. Thread: give from the control
 * thread, `done` is called on the worker (it posts and wakes). */
#ifndef GAVEL_SERVER_SHELL_KDF_H
#define GAVEL_SERVER_SHELL_KDF_H

#include "core/auth/password.h"

#include <stdint.h>

#define SHELL_KDF_QUEUE 8

struct kdf_job {
  uint32_t id;
  bool make; /* hash a new password; else compare with phc */
  char password[PASSWORD_MAX + 1], phc[PASSWORD_PHC_MAX];
  bool right, rehash; /* the answer; rehash: phc is the stronger one */
};
struct kdf_worker;
/* kdf_start: the thread; wake(ctx) is called on it when a job is done. kdf_stop: without what still waits. */
MUST_CHECK enum err kdf_start(void (*wake)(void *ctx), void *ctx, struct kdf_worker **out);
/* kdf_give: ERR_BUSY when the queue is full. kdf_take: one finished job; false when there is none. */
MUST_CHECK enum err kdf_give(struct kdf_worker *w, const struct kdf_job *job);
bool kdf_take(struct kdf_worker *w, struct kdf_job *out);
void kdf_stop(struct kdf_worker *w);

#endif
