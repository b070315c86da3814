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

bool outbox_is_long(const struct outbox *o, unsigned times) {
  return o->n > (size_t)times * CONTROL_QUEUE_MAX || o->bytes > (size_t)times * CONTROL_QUEUE_BYTES;
}

/* Room for one more at the end. */
static void make_room(struct outbox *o) {
  if (o->first > 0 && o->first >= o->n) /* so that each message is moved once at most */
    memmove(o->v, o->v + o->first, o->n * sizeof(struct msg *));
  if (o->first >= o->n)
    o->first = 0;
  if (o->first + o->n < o->cap)
    return;
  o->cap = o->cap ? o->cap * 2 : 8;
  o->v = realloc(o->v, o->cap * sizeof(struct msg *));
  if (!o->v)
    abort();
}

void outbox_put(struct outbox *o, struct msg *m) {
  make_room(o);
  m->refs++;
  o->v[o->first + o->n++] = m;
  o->bytes += m->len;
}

void outbox_release(struct outbox *o) {
  o->ready = o->n;
}

void outbox_revoke(struct outbox *o, void (*each)(void *ctx, json_int_t id), void *ctx) {
  size_t from = o->ready, to = o->n;
  o->n = o->ready;
  for (size_t i = from; i < to; i++)
    o->bytes -= o->v[o->first + i]->len;
  /* `each` may put error replies: they go where the revoked ones stood, so copy those away first */
  size_t n = to - from;
  struct msg **old = n ? malloc(n * sizeof(struct msg *)) : NULL;
  if (n && !old)
    abort();
  if (n)
    memcpy(old, o->v + o->first + from, n * sizeof(struct msg *));
  for (size_t i = 0; i < n; i++) {
    if (old[i]->reply_to)
      each(ctx, old[i]->reply_to);
    msg_unref(old[i]);
  }
  free(old);
}

size_t outbox_next_size(const struct outbox *o) {
  return o->ready ? o->v[o->first]->len : 0;
}

struct msg *outbox_next(struct outbox *o) {
  msg_unref(o->current);
  o->current = NULL;
  if (o->ready == 0)
    return NULL;
  o->current = o->v[o->first++];
  o->n--;
  o->ready--;
  o->bytes -= o->current->len;
  if (o->n == 0) { /* most have nothing waiting most of the time */
    free(o->v);
    o->v = NULL;
    o->first = o->cap = 0;
  }
  return o->current;
}

void outbox_free(struct outbox *o) {
  msg_unref(o->current);
  for (size_t i = 0; i < o->n; i++)
    msg_unref(o->v[o->first + i]);
  free(o->v);
  memset(o, 0, sizeof *o);
}
