#include "core/server/shell_kdf.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct ring {
  struct kdf_job job[SHELL_KDF_QUEUE];
  size_t first, n;
};
struct kdf_worker {
  void (*wake)(void *ctx);
  void *ctx;
  pthread_t thread;
  pthread_mutex_t lock; /* of all below */
  pthread_cond_t given;
  struct ring waiting, done; /* `done` has a place for every job given: see kdf_give */
  bool working, stop;
};

static void ring_put(struct ring *r, const struct kdf_job *job) {
  r->job[(r->first + r->n++) % SHELL_KDF_QUEUE] = *job;
}

static bool ring_take(struct ring *r, struct kdf_job *job) {
  if (r->n == 0)
    return false;
  *job = r->job[r->first];
  explicit_bzero(&r->job[r->first], sizeof r->job[0]);
  r->first = (r->first + 1) % SHELL_KDF_QUEUE;
  r->n--;
  return true;
}

static void hash(struct kdf_job *job) {
  job->right = job->rehash = false;
  if (job->make)
    job->right = password_hash(job->password, rng_system(), job->phc) == ERR_OK;
  else
    job->right = password_verify(job->password, job->phc, &job->rehash);
  if (job->rehash) /* kept as it is when there is no memory for the stronger one */
    job->rehash = password_hash(job->password, rng_system(), job->phc) == ERR_OK;
  explicit_bzero(job->password, sizeof job->password);
}

static void *run(void *arg) {
  struct kdf_worker *w = arg;
  struct kdf_job job;
  pthread_mutex_lock(&w->lock);
  while (!w->stop) {
    if (!ring_take(&w->waiting, &job)) {
      pthread_cond_wait(&w->given, &w->lock);
      continue;
    }
    w->working = true;
    pthread_mutex_unlock(&w->lock);
    hash(&job);
    pthread_mutex_lock(&w->lock);
    w->working = false;
    ring_put(&w->done, &job);
    pthread_mutex_unlock(&w->lock);
    w->wake(w->ctx);
    pthread_mutex_lock(&w->lock);
  }
  pthread_mutex_unlock(&w->lock);
  explicit_bzero(&job, sizeof job);
  return NULL;
}

enum err kdf_start(void (*wake)(void *ctx), void *ctx, struct kdf_worker **out) {
  struct kdf_worker *w = calloc(1, sizeof *w);
  if (!w)
    return ERR_NOMEM;
  w->wake = wake;
  w->ctx = ctx;
  pthread_mutex_init(&w->lock, NULL);
  pthread_cond_init(&w->given, NULL);
  if (pthread_create(&w->thread, NULL, run, w) != 0) {
    pthread_cond_destroy(&w->given);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return ERR_NOMEM;
  }
  *out = w;
  return ERR_OK;
}

enum err kdf_give(struct kdf_worker *w, const struct kdf_job *job) {
  pthread_mutex_lock(&w->lock);
  bool place = w->waiting.n + w->working + w->done.n < SHELL_KDF_QUEUE;
  if (place) {
    ring_put(&w->waiting, job);
    pthread_cond_signal(&w->given);
  }
  pthread_mutex_unlock(&w->lock);
  return place ? ERR_OK : ERR_BUSY;
}

bool kdf_take(struct kdf_worker *w, struct kdf_job *out) {
  pthread_mutex_lock(&w->lock);
  bool any = ring_take(&w->done, out);
  pthread_mutex_unlock(&w->lock);
  return any;
}

void kdf_stop(struct kdf_worker *w) {
  if (!w)
    return;
  pthread_mutex_lock(&w->lock);
  w->stop = true;
  pthread_cond_signal(&w->given);
  pthread_mutex_unlock(&w->lock);
  pthread_join(w->thread, NULL);
  pthread_cond_destroy(&w->given);
  pthread_mutex_destroy(&w->lock);
  explicit_bzero(w, sizeof *w);
  free(w);
}
