/* Who is in the list, and in which order. */
#include "tui/model_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct roster *roster_create(void) {
  return calloc(1, sizeof(struct roster));
}

/* ---- lookups ---- */

/* place_of: where the person of that id is, or would be, among `who`. */
static size_t place_of(const struct roster *p, uint32_t id) {
  size_t lo = 0, hi = p->n;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (p->who[mid].id < id)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

struct person *roster_find(struct roster *p, uint32_t id) {
  size_t at = place_of(p, id);
  return at < p->n && p->who[at].id == id ? &p->who[at] : NULL;
}

size_t roster_index(const uint32_t *ids, size_t n, uint32_t id) {
  size_t i = 0;
  while (i < n && ids[i] != id)
    i++;
  return i;
}

static enum model_group role_group(const struct member *p) {
  if (p->presence == PRESENCE_WAITING)
    return GROUP_WAITING;
  return ROLE_IS_MODERATOR(p->role) ? GROUP_HOSTS
         : p->role == ROLE_SPEAKER  ? GROUP_SPEAKERS
         : p->role == ROLE_AUDIENCE ? GROUP_AUDIENCE
                                    : GROUP_MONITORS;
}

enum model_group model_group_of(const struct model *m, const struct member *p) {
  return m->by_role || p->presence == PRESENCE_WAITING ? role_group(p) : GROUP_EVERYONE;
}

static bool passes(const struct model *m, const char *name) {
  return m->filter[0] == '\0' || strcasestr(name, m->filter) != NULL;
}

bool roster_still(const struct model *m) {
  return (m->mode != MODE_KEYS && m->mode != MODE_CHAT) || m->roster->moved ||
         m->roster->still_until > m->now;
}

/* ---- order ---- */

struct sort_key {
  struct entry entry;
  uint64_t num;
  const char *name;
};

static struct sort_key key_of(const struct model *m, struct entry e) {
  struct sort_key k = {.entry = e, .name = "", .num = e.id};
  const struct person *p = roster_find(m->roster, e.id);
  const struct member *who = m->sort == SORT_NAME ? room_member(&m->room, e.id) : NULL;
  switch (m->sort) {
  case SORT_NAME:
    k.name = who != NULL ? who->name : "";
    break;
  case SORT_HAND:
    k.num = p == NULL || p->hand == 0 ? UINT64_MAX : p->hand;
    break;
  case SORT_TALK:
    k.num = p == NULL ? UINT64_MAX : UINT64_MAX - (uint64_t)p->talked;
    break;
  case SORT_LINE:
    k.num = 2U - model_quality(m, e.id);
    break;
  default:
    break;
  }
  return k;
}

static int key_cmp(const void *a, const void *b) {
  const struct sort_key *x = a, *y = b;
  if (x->entry.group != y->entry.group)
    return x->entry.group < y->entry.group ? -1 : 1;
  int by_name = x->name != y->name ? strcasecmp(x->name, y->name) : 0;
  if (by_name != 0)
    return by_name;
  if (x->num != y->num)
    return x->num < y->num ? -1 : 1;
  return x->entry.id < y->entry.id ? -1 : x->entry.id > y->entry.id;
}

void roster_close_gaps(struct roster *p) {
  size_t kept = 0;
  for (size_t i = 0; i < p->n_order; i++)
    if (p->order[i].id != 0)
      p->order[kept++] = p->order[i];
  p->n_order = kept;
  p->gaps = false;
  p->rows_old = true;
}

void roster_sort(const struct model *m) {
  struct roster *p = m->roster;
  struct sort_key *keys = calloc(p->n_order + 1, sizeof *keys);
  if (keys == NULL)
    abort(); /* rows rely on the groups being together */
  for (size_t i = 0; i < p->n_order; i++)
    keys[i] = key_of(m, p->order[i]);
  qsort(keys, p->n_order, sizeof *keys, key_cmp);
  for (size_t i = 0; i < p->n_order; i++)
    p->order[i] = keys[i].entry;
  free(keys);
  p->unsorted = false;
  p->rows_old = true;
  p->resort_at = m->now + MODEL_RESORT_US;
}

static void make_rows(const struct model *m) {
  struct roster *p = m->roster;
  unsigned group = GROUP__COUNT;
  p->n_rows = 0;
  for (size_t i = 0; i < p->n_order; i++) {
    const struct entry *e = &p->order[i];
    if (!e->passes)
      continue;
    if (e->group != group)
      p->rows[p->n_rows++] = MODEL_TITLE(e->group);
    group = e->group;
    if (!m->by_role || !m->folded[group] || m->filter[0] != '\0')
      p->rows[p->n_rows++] = e->id;
  }
  p->rows_old = false;
}

/* slow_sort: sorted by what changes all the time. */
static bool slow_sort(const struct model *m) {
  return m->sort == SORT_TALK || m->sort == SORT_LINE;
}

struct roster *roster_fresh(const struct model *m) {
  struct roster *p = m->roster;
  bool other = strcmp(p->filter, m->filter) != 0;
  if (p->names_old || other) {
    memcpy(p->filter, m->filter, sizeof p->filter);
    for (size_t i = 0; i < p->n_order; i++) {
      const struct member *who = room_member(&m->room, p->order[i].id);
      p->order[i].passes = who != NULL ? passes(m, who->name) : p->order[i].passes && !other;
    }
    p->names_old = false;
    p->rows_old = true;
  }
  if (!roster_still(m)) {
    if (p->gaps)
      roster_close_gaps(p);
    if (p->unsorted && (!slow_sort(m) || m->now >= p->resort_at))
      roster_sort(m);
  }
  if (p->rows_old)
    make_rows(m);
  return p;
}

/* entry_place: where someone new belongs: by the order, or last of the group while the list stands still. */
static size_t entry_place(const struct model *m, struct entry e) {
  const struct roster *p = m->roster;
  bool by_group = p->unsorted || p->gaps || roster_still(m);
  struct sort_key mine = key_of(m, e);
  size_t lo = 0, hi = p->n_order;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    struct sort_key other = {.entry = p->order[mid]};
    if (!by_group)
      other = key_of(m, p->order[mid]);
    if (by_group ? other.entry.group <= e.group : key_cmp(&other, &mine) < 0)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

static void entry_add(struct model *m, const struct member *who) {
  struct roster *p = m->roster;
  struct entry e = {who->id, (uint8_t)model_group_of(m, who), passes(m, who->name)};
  if (p->n_order == ORDER_MAX)
    roster_close_gaps(p);
  size_t at = entry_place(m, e);
  memmove(&p->order[at + 1], &p->order[at], (p->n_order - at) * sizeof e);
  p->order[at] = e;
  p->n_order++;
  p->rows_old = true;
  p->unsorted |= roster_still(m);
}

static void entry_drop(struct model *m, uint32_t id) {
  struct roster *p = m->roster;
  size_t at = 0;
  while (at < p->n_order && p->order[at].id != id)
    at++;
  if (at == p->n_order)
    return;
  p->rows_old = true;
  if (roster_still(m)) {
    p->order[at].id = MODEL_ROW_LEFT;
    p->gaps = true;
    return;
  }
  p->n_order--;
  memmove(&p->order[at], &p->order[at + 1], (p->n_order - at) * sizeof p->order[0]);
}

/* ---- who changed ---- */

static void ids_drop(uint32_t *ids, size_t *n, uint32_t id) {
  size_t at = roster_index(ids, *n, id);
  if (at < *n)
    memmove(&ids[at], &ids[at + 1], (--*n - at) * sizeof *ids);
}

/* in_line: a stands before b: by raised hand, or in the lobby, where who was put back is last. */
static bool in_line(const struct person *a, const struct person *b, bool by_hand) {
  if (by_hand)
    return a->hand < b->hand;
  return a->since_ms != b->since_ms ? a->since_ms < b->since_ms : a->id < b->id;
}

static void ids_add(struct roster *p, uint32_t *ids, size_t *n, const struct person *who, bool by_hand) {
  size_t at = *n;
  for (; at > 0; at--) {
    const struct person *before = roster_find(p, ids[at - 1]);
    if (before == NULL || in_line(before, who, by_hand))
      break;
  }
  memmove(&ids[at + 1], &ids[at], (*n - at) * sizeof *ids);
  ids[at] = who->id;
  ++*n;
}

/* count_person: by +1 or -1. */
static void count_person(struct roster *p, const struct person *who, int by) {
  p->count[who->presence] += (size_t)by;
  p->groups[who->role_group] += (size_t)by;
  if (who->role_group != GROUP_WAITING)
    p->groups[GROUP_EVERYONE] += (size_t)by;
}

static void lists_add(struct roster *p, const struct person *who) {
  count_person(p, who, 1);
  if (who->presence == PRESENCE_WAITING)
    ids_add(p, p->lobby, &p->n_lobby, who, false);
  if (who->hand != 0)
    ids_add(p, p->hands, &p->n_hands, who, true);
}

static void lists_drop(struct roster *p, const struct person *who) {
  count_person(p, who, -1);
  if (who->presence == PRESENCE_WAITING)
    ids_drop(p->lobby, &p->n_lobby, who->id);
  if (who->hand != 0)
    ids_drop(p->hands, &p->n_hands, who->id);
}

/* pane_ids: the list the cursor moves in. */
const uint32_t *roster_pane(const struct model *m, size_t *n) {
  const struct roster *p = roster_fresh(m);
  *n = m->pane == PANE_LOBBY ? p->n_lobby : m->pane == PANE_HANDS ? p->n_hands : p->n_rows;
  return m->pane == PANE_LOBBY ? p->lobby : m->pane == PANE_HANDS ? p->hands : p->rows;
}

void roster_unmark(struct model *m, uint32_t id) {
  for (size_t i = m->n_marks; i-- > 0;)
    if (m->marks[i] == id)
      m->marks[i] = m->marks[--m->n_marks];
}

static struct person fact_of(const struct member *who, us_t talked) {
  return (struct person){.id = who->id,
                         .presence = (uint8_t)who->presence,
                         .role_group = (uint8_t)role_group(who),
                         .hand = who->hand,
                         .since_ms = who->since_ms,
                         .talked = talked};
}

static void person_new(struct model *m, const struct member *who) {
  struct roster *p = m->roster;
  size_t at = place_of(p, who->id);
  if (p->n == MODEL_LIST_MAX)
    return;
  memmove(&p->who[at + 1], &p->who[at], (p->n - at) * sizeof p->who[0]);
  p->who[at] = fact_of(who, 0);
  p->n++;
  lists_add(p, &p->who[at]);
  entry_add(m, who);
}

static void person_gone(struct model *m, struct person *was) {
  struct roster *p = m->roster;
  size_t at = (size_t)(was - p->who);
  roster_unmark(m, was->id);
  lists_drop(p, was);
  entry_drop(m, was->id);
  p->n--;
  memmove(&p->who[at], &p->who[at + 1], (p->n - at) * sizeof p->who[0]);
}

static void person_changed(struct model *m, struct person *was, const struct member *who, bool renamed) {
  struct roster *p = m->roster;
  struct person is = fact_of(who, was->talked);
  bool moved = is.role_group != was->role_group &&
               (m->by_role || is.role_group == GROUP_WAITING || was->role_group == GROUP_WAITING);
  bool resort = (m->sort == SORT_HAND && is.hand != was->hand) || (m->sort == SORT_NAME && renamed);
  if (is.presence != was->presence || is.role_group != was->role_group || is.hand != was->hand) {
    lists_drop(p, was);
    *was = is;
    lists_add(p, was);
  }
  if (moved || renamed || (resort && !roster_still(m))) {
    if (moved || !roster_still(m)) {
      entry_drop(m, is.id);
      entry_add(m, who);
      return;
    }
    p->names_old = true;
  }
  p->unsorted |= resort;
}

static void sync_one(struct model *m, uint32_t id, bool renamed) {
  const struct member *who = room_member(&m->room, id);
  struct person *was = roster_find(m->roster, id);
  if (who != NULL && was == NULL)
    person_new(m, who);
  else if (who == NULL && was != NULL)
    person_gone(m, was);
  else if (who != NULL)
    person_changed(m, was, who, renamed);
}

/* cursor_settle: the cursor leaves a person who is no longer there, or no longer in the focused pane. */
static void cursor_settle(struct model *m) {
  const struct roster *p = m->roster;
  const struct person *at = roster_find(m->roster, m->cursor);
  if (m->cursor == 0 || m->cursor >= MODEL_TITLE(0))
    return;
  if (at == NULL || (m->pane == PANE_LOBBY && roster_index(p->lobby, p->n_lobby, m->cursor) == p->n_lobby) ||
      (m->pane == PANE_HANDS && roster_index(p->hands, p->n_hands, m->cursor) == p->n_hands))
    m->cursor = 0;
}

void roster_reset(struct model *m) {
  struct roster *p = m->roster, *old = malloc(sizeof *old);
  if (old != NULL)
    *old = *p;
  p->n = p->n_order = p->n_lobby = p->n_hands = 0;
  memset(p->count, 0, sizeof p->count);
  memset(p->groups, 0, sizeof p->groups);
  memcpy(p->filter, m->filter, sizeof p->filter);
  p->gaps = false;
  p->unsorted = true;
  for (size_t i = 0; i < m->room.n_members; i++) {
    person_new(m, &m->room.members[i]);
    const struct person *before = old != NULL ? roster_find(old, m->room.members[i].id) : NULL;
    if (before != NULL && p->n > 0)
      p->who[p->n - 1].talked = before->talked;
  }
  free(old);
  p->resort_at = m->now;
  for (size_t i = m->n_marks; i-- > 0;)
    if (roster_find(p, m->marks[i]) == NULL)
      roster_unmark(m, m->marks[i]);
  cursor_settle(m);
}

void roster_apply(struct model *m, const struct room_event *ev) {
  size_t n, at;
  if (m->room.n_members == 0 && m->roster->n > 0) { /* it is over */
    roster_reset(m);
    return;
  }
  const uint32_t *ids = roster_pane(m, &n);
  if (ev->n_targets > 0 && m->cursor != 0 && (at = roster_index(ids, n, m->cursor)) < n)
    m->cursor_row = at;
  for (size_t i = 0; i < ev->n_targets; i++)
    sync_one(m, ev->targets[i], ev->kind == ROOM_EV_RENAMED);
  if (ev->entry != NULL)
    sync_one(m, ev->entry->id, false);
  cursor_settle(m);
}

void roster_heard(struct model *m, uint32_t id, us_t time) {
  struct person *p = roster_find(m->roster, id);
  if (p == NULL)
    return;
  p->talked += time;
  m->roster->unsorted |= m->sort == SORT_TALK;
}

void roster_line(struct model *m) {
  m->roster->unsorted |= m->sort == SORT_LINE;
}

static bool has_news(const struct model *m) {
  const struct roster *p = m->roster;
  return p->gaps || (p->unsorted && (!slow_sort(m) || m->now >= p->resort_at));
}

bool roster_tick(struct model *m) {
  struct roster *p = m->roster;
  if (p->moved)
    p->still_until = m->now + MODEL_STILL_US;
  p->moved = false;
  if (!has_news(m) || roster_still(m))
    return false;
  (void)roster_fresh(m);
  return true;
}

us_t roster_next(const struct model *m) {
  const struct roster *p = m->roster;
  us_t next = p->still_until;
  if ((m->mode != MODE_KEYS && m->mode != MODE_CHAT) || !(p->gaps || p->unsorted))
    return US_NEVER; /* the key that closes what is open draws anyway */
  if (!p->gaps && slow_sort(m) && p->resort_at > next)
    next = p->resort_at;
  return next > m->now ? next : p->moved ? m->now : US_NEVER;
}
