/* ban_rule.c: what a rule of a ban says, which addresses a block holds, whom a ban would hit besides. */
#include "core/room/room_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- rules ---- */

/* A decimal number up to max, all of s. */
static bool read_number(const char *s, uint64_t max, uint64_t *out) {
  *out = 0;
  if (!*s)
    return false;
  for (; *s; s++) {
    if (*s < '0' || *s > '9' || *out > (max - (uint64_t)(*s - '0')) / 10)
      return false;
    *out = *out * 10 + (uint64_t)(*s - '0');
  }
  return true;
}

/* An address of IPv6 alone means its network. */
static bool read_cidr(const char *s, struct cidr *out) {
  bool alone;
  if (!cidr_read(s, out, &alone))
    return false;
  if (alone)
    *out = cidr_make(out->addr, 8 * (unsigned)addr_network(out->addr));
  return !cidr_is_wide(out);
}

static bool read_user(const char *s, char out[ROOM_USER_MAX + 1]) {
  char clean[TEXT_LINE_MAX + 1];
  size_t n = strlen(s);
  if (n == 0 || n > ROOM_USER_MAX || text_clean_line(s, n, clean) != ERR_OK || strcmp(s, clean) != 0)
    return false;
  memcpy(out, s, n + 1);
  return true;
}

bool room_ban_rule(const char *text, struct ban *out) {
  *out = (struct ban){0};
  if (strncmp(text, "user:", 5) == 0)
    return read_user(text + 5, out->user);
  if (strncmp(text, "invite:", 7) == 0)
    return read_number(text + 7, INT64_MAX, &out->invite) && out->invite != 0;
  return strncmp(text, "cidr:", 5) == 0 && read_cidr(text + 5, &out->cidr);
}

/* ---- whom a ban would hit besides ---- */

/* The targets in order of id, of user, and of device: whom they hit also is found fast among thousands. */
static int by_id(const void *a, const void *b) {
  const struct member *x = *(const struct member *const *)a, *y = *(const struct member *const *)b;
  return (x->id > y->id) - (x->id < y->id);
}

static int by_user(const void *a, const void *b) {
  return strcmp((*(const struct member *const *)a)->user, (*(const struct member *const *)b)->user);
}

/* Of one device first those without a user: they match whoever has it. */
static int by_device(const void *a, const void *b) {
  const struct member *x = *(const struct member *const *)a, *y = *(const struct member *const *)b;
  int c = memcmp(x->device, y->device, sizeof x->device);
  return c ? c : (x->user[0] != '\0') - (y->user[0] != '\0');
}

typedef int cmp_fn(const void *, const void *);

/* Whether one of the n in order of `cmp` is equal to m by it. */
static bool has_equal(const struct member **v, size_t n, const struct member *m, cmp_fn *cmp) {
  return n && bsearch((const void *)&m, (const void *)v, n, sizeof *v, cmp) != NULL;
}

static bool hits_also(const struct member **v[3], size_t n, const struct member *m) {
  static const uint8_t ZERO[16];
  struct member guest = *m;
  guest.user[0] = '\0';
  if (m->role == ROLE_OWNER || has_equal(v[0], n, m, by_id))
    return false;
  if (m->user[0] && has_equal(v[1], n, m, by_user))
    return true;
  if (memcmp(m->device, ZERO, sizeof ZERO) == 0)
    return false;
  bool hit = has_equal(v[2], n, &guest, by_device);
  guest.user[0] = 'x';
  return hit || (!m->user[0] && has_equal(v[2], n, &guest, by_device));
}

size_t room_ban_also(const struct room *r, const uint32_t *targets, size_t n, uint32_t *out, size_t cap) {
  static cmp_fn *const ORDER[3] = {by_id, by_user, by_device};
  const struct member **all = malloc((3 * n + 1) * sizeof(struct member *)), **v[3];
  size_t found = 0, k = 0;
  if (!all)
    abort();
  for (size_t i = 0; i < n; i++)
    if ((all[found] = room_member(r, targets[i])))
      found++;
  for (size_t o = 0; o < 3; o++) {
    v[o] = all + o * n;
    if (o)
      memcpy((void *)v[o], (const void *)all, found * sizeof *all);
  }
  for (size_t o = 0; o < 3; o++)
    qsort((void *)v[o], found, sizeof *all, ORDER[o]);
  for (size_t i = 0; i < r->n_members && k < cap; i++)
    if (hits_also(v, found, &r->members[i]))
      out[k++] = r->members[i].id;
  free((void *)all);
  return k;
}
