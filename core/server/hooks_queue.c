/* hooks_queue.c: where what waits stands: in the list of all, and in a line with what it must not overtake.
 * Nothing here walks more of a long queue than it has to. */
#include "core/base/bytes.h"
#include "core/server/hooks_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct timers *timers_of(struct hooks *q, const struct hook *h) {
  return &q->due[h->stored];
}

/* ---- lines ---- */

static struct hook_line *line_of(struct hooks *q, const struct hook *h) {
  uint8_t hash[32];
  if (h->stored)
    sha256(h->room, strlen(h->room), hash);
  else
    memset(hash, (int)h->target, sizeof hash);
  struct hook_line *l = map_get(q->lines, hash, sizeof l->key);
  if (l)
    return l;
  l = calloc(1, sizeof *l);
  if (!l)
    abort();
  l->timer = (struct timer)TIMER_IDLE;
  memcpy(l->key, hash, sizeof l->key);
  map_put(q->lines, l->key, sizeof l->key, l);
  return l;
}

/* The first of a line is due when it says so, once it is on disk and unless it is on its way. */
static void line_set(struct hooks *q, struct hook_line *l) {
  const struct hook *h = l->first;
  timers_set(timers_of(q, h), &l->timer, h->kept && !h->sent ? h->due : US_NEVER);
}

static void line_add(struct hooks *q, struct hook *h) {
  struct hook_line *l = line_of(q, h);
  struct hook **at = l->last && l->last->id < h->id ? &l->last->next : &l->first;
  while (*at && (*at)->id < h->id)
    at = &(*at)->next;
  h->next = *at;
  *at = h;
  if (!h->next)
    l->last = h;
  h->line = l;
  line_set(q, l);
}

/* Almost always the first. */
static void line_del(struct hooks *q, struct hook *h) {
  struct hook_line *l = h->line;
  struct hook *before = NULL;
  if (!l)
    return;
  for (struct hook *x = l->first; x != h; x = x->next)
    before = x;
  *(before ? &before->next : &l->first) = h->next;
  if (l->last == h)
    l->last = before;
  h->line = NULL;
  h->next = NULL;
  if (l->first) {
    line_set(q, l);
    return;
  }
  timers_set(timers_of(q, h), &l->timer, US_NEVER);
  map_del(q->lines, l->key, sizeof l->key);
  free(l);
}

void hook_wait(struct hooks *q, struct hook *h, us_t due) {
  h->due = due;
  if (!h->line)
    line_add(q, h);
  else if (h->line->first == h)
    line_set(q, h->line);
}

void hook_give_up(struct hooks *q, struct hook *h) {
  line_del(q, h);
}

/* ---- all ---- */

void hook_link(struct hooks *q, struct hook *h) {
  struct hook *after = q->last && q->last->id < h->id ? NULL : q->first;
  while (after && after->id < h->id)
    after = after->after;
  h->after = after;
  h->before = after ? after->before : q->last;
  *(h->before ? &h->before->after : &q->first) = h;
  *(after ? &after->before : &q->last) = h;
  q->count.queued++;
  line_add(q, h);
}

void hook_sent(struct hooks *q, struct hook *h) {
  size_t i = 0;
  while (i < RUNNER_AT_ONCE && q->at_work[i])
    i++;
  assert(i < RUNNER_AT_ONCE); /* HOOKS_AT_ONCE, and one of each alert line */
  q->at_work[i] = h;
  q->n_events += h->stored;
  h->sent = true;
}

void hook_returned(struct hooks *q, struct hook *h) {
  for (size_t i = 0; h->sent && i < RUNNER_AT_ONCE; i++)
    if (q->at_work[i] == h)
      q->at_work[i] = NULL;
  q->n_events -= h->sent && h->stored;
  h->sent = false;
}

void hook_unlink(struct hooks *q, struct hook *h) {
  hook_returned(q, h);
  line_del(q, h);
  *(h->before ? &h->before->after : &q->first) = h->after;
  *(h->after ? &h->after->before : &q->last) = h->before;
  h->before = h->after = NULL;
  q->count.queued--;
}

void hook_free(struct hook *h) {
  free(h->room);
  free(h->type);
  free(h->body);
  free(h);
}

void hook_remove(struct control *c, struct hook *h) {
  struct hooks *q = hooks_of(c);
  char name[HOOK_ID_MAX];
  hook_unlink(q, h);
  if (!h->stored) {
    hook_free(h);
    return;
  }
  hook_name(h->id, name);
  enum err e = store_del_doc(c->cfg.store, "hook", name);
  if (e != ERR_OK && c->group_err == ERR_OK)
    c->group_err = e;
  h->after = q->gone;
  q->gone = h;
}
