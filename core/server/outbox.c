#include "core/server/outbox.h"

#include "core/server/control.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct msg *msg_take(char *text) {
  size_t len = strlen(text);
  struct msg *m = malloc(sizeof *m + CONTROL_HEADROOM + len + 1);
  if (!m)
    abort();
  *m = (struct msg){.refs = 1, .len = len, .text = (char *)(m + 1) + CONTROL_HEADROOM};
  memcpy(m->text, text, len + 1);
  explicit_bzero(text, len); /* messages hand out links, keys and tokens */
  free(text);
  return m;
}

void msg_unref(struct msg *m) {
  if (!m || --m->refs > 0)
    return;
  explicit_bzero(m->text, m->len);
  free(m);
}

bool outbox_put(struct outbox *o, struct msg *m) {
  if (o->overrun || o->n >= CONTROL_QUEUE_MAX || o->bytes + m->len > CONTROL_QUEUE_BYTES) {
    o->overrun = true;
    return false;
  }
  if (o->n == o->cap) {
    o->cap = o->cap ? o->cap * 2 : 8;
    o->v = realloc(o->v, o->cap * sizeof(struct msg *));
    if (!o->v)
      abort();
  }
  m->refs++;
  o->v[o->n++] = m;
  o->bytes += m->len;
  return true;
}

void outbox_release(struct outbox *o) {
  o->ready = o->n;
}

void outbox_revoke(struct outbox *o, void (*each)(void *ctx, json_int_t id), void *ctx) {
  size_t from = o->ready, to = o->n;
  o->n = o->ready;
  for (size_t i = from; i < to; i++)
    o->bytes -= o->v[i]->len;
  /* `each` may put error replies: they go where the revoked ones stood, so copy those away first */
  size_t n = to - from;
  struct msg **old = n ? malloc(n * sizeof(struct msg *)) : NULL;
  if (n && !old)
    abort();
  if (n)
    memcpy(old, o->v + from, n * sizeof(struct msg *));
  for (size_t i = 0; i < n; i++) {
    if (old[i]->reply_to)
      each(ctx, old[i]->reply_to);
    msg_unref(old[i]);
  }
  free(old);
}

struct msg *outbox_next(struct outbox *o) {
  msg_unref(o->current);
  o->current = NULL;
  if (o->ready == 0)
    return NULL;
  o->current = o->v[0];
  o->n--;
  o->ready--;
  o->bytes -= o->current->len;
  memmove(o->v, o->v + 1, o->n * sizeof(struct msg *));
  return o->current;
}

void outbox_free(struct outbox *o) {
  msg_unref(o->current);
  for (size_t i = 0; i < o->n; i++)
    msg_unref(o->v[i]);
  free(o->v);
  memset(o, 0, sizeof *o);
}
