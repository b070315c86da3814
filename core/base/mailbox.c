#include "core/base/mailbox.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
  pthread_mutex_t lock;
  int fd; /* written when the box stops being empty, read when it is found empty: both under the lock */
  size_t size, capacity, head, count;
  unsigned char *records;
};

struct mailbox *mailbox_create(size_t size, size_t capacity) {
  assert(size > 0 && capacity > 0);
  struct mailbox *m = calloc(1, sizeof *m);
  if (!m)
    return NULL;
  m->size = size;
  m->capacity = capacity;
  m->records = calloc(capacity, size);
  m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (!m->records || m->fd < 0) {
    if (m->fd >= 0)
      close(m->fd);
    free(m->records);
    free(m);
    return NULL;
  }
  int rc = pthread_mutex_init(&m->lock, NULL);
  assert(rc == 0);
  return m;
}

bool mailbox_put(struct mailbox *m, const void *record) {
  pthread_mutex_lock(&m->lock);
  bool room = m->count < m->capacity;
  if (room) {
    size_t at = (m->head + m->count) % m->capacity;
    memcpy(m->records + at * m->size, record, m->size);
    if (m->count++ == 0) {
      ssize_t n = write(m->fd, &(uint64_t){1}, sizeof(uint64_t));
      (void)n; /* fails only when the counter is full, and then the reader is awake anyway */
    }
  }
  pthread_mutex_unlock(&m->lock);
  return room;
}

bool mailbox_get(struct mailbox *m, void *record) {
  pthread_mutex_lock(&m->lock);
  bool any = m->count > 0;
  if (any) {
    memcpy(record, m->records + m->head * m->size, m->size);
    m->head = (m->head + 1) % m->capacity;
    m->count--;
  } else {
    uint64_t wakes;
    ssize_t n = read(m->fd, &wakes, sizeof wakes);
    (void)n; /* EAGAIN: it was clear already */
  }
  pthread_mutex_unlock(&m->lock);
  return any;
}

int mailbox_fd(const struct mailbox *m) {
  return m->fd;
}

void mailbox_destroy(struct mailbox *m) {
  if (!m)
    return;
  close(m->fd);
  pthread_mutex_destroy(&m->lock);
  free(m->records);
  free(m);
}
