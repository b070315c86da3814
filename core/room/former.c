/* former.c: what was taken from people outlasts their leaving: who was lowered or lost the floor comes in
 * again with no more than that, by whatever name, as long as the room knows his user or device. A host who
 * raises him or gives him the floor ends it. */
#include "core/room/room_private.h"

#include <stdio.h>
#include <string.h>

static size_t find(const struct room *r, const struct member *m) {
  size_t i = r->n_former;
  while (i > 0 && !member_is(m, r->former[i - 1].user, r->former[i - 1].device))
    i--;
  return i;
}

static void drop(struct room *r, size_t i) {
  memmove(&r->former[i], &r->former[i + 1], (--r->n_former - i) * sizeof r->former[0]);
}

/* What he came with would give him more than he had. */
static bool has_lost(const struct member *m) {
  return m->came > m->role || (m->role >= ROLE_SPEAKER && !m->floor);
}

void former_leaves(struct room *r, const struct member *m) {
  if (m->presence == PRESENCE_WAITING && !m->held)
    return; /* he had nothing yet: what is remembered of an earlier visit stays */
  size_t i = find(r, m);
  if (i > 0)
    drop(r, i - 1);
  bool known = m->user[0] != '\0';
  for (size_t k = 0; k < sizeof m->device; k++)
    known = known || m->device[k] != 0;
  if (!known || !(m->held || has_lost(m)))
    return;
  if (r->n_former == ROOM_FORMER_MAX)
    drop(r, 0);
  r->former = room_grow(r->former, r->n_former, &r->cap_former, sizeof *r->former);
  struct former *f = &r->former[r->n_former++];
  *f = (struct former){.role = m->role, .came = m->came, .floor = m->floor || m->held, .held = m->held};
  memcpy(f->user, m->user, sizeof f->user);
  memcpy(f->device, m->device, sizeof f->device);
}

void former_enters(struct room *r, const struct member *m) {
  size_t i = find(r, m);
  if (i > 0 && m->presence != PRESENCE_WAITING)
    drop(r, i - 1); /* from now on his seat says what he has */
}

/* The seat a killed client left, or was held from: it stands until it runs out, so one may be there twice.
 * Who comes with more than he came with then is not bound by it. */
static const struct member *seat_left(const struct room *r, const struct member *m) {
  for (size_t i = r->n_members; i-- > 0;) {
    const struct member *old = &r->members[i];
    bool left = old->presence == PRESENCE_AWAY || (old->presence == PRESENCE_WAITING && old->held);
    if (left && old->id != m->id && m->came <= old->came && member_is(m, old->user, old->device))
      return old;
  }
  return NULL;
}

bool former_rights(const struct room *r, const struct member *m, struct former *out) {
  const struct member *old = seat_left(r, m);
  size_t i = find(r, m);
  *out = (struct former){.role = ROLE_OWNER, .floor = true};
  if (old)
    *out = (struct former){
        .role = old->role, .came = old->came, .floor = old->floor || old->held, .held = old->held};
  else if (i > 0)
    *out = r->former[i - 1];
  return out->held;
}
