/* The list as views and keys use it: rows, cursor, filter, groups, marks. */
#include "tui/model_private.h"

#include <assert.h>
#include <string.h>

/* ---- asked by views and keys ---- */

const uint32_t *model_rows(const struct model *m, size_t *n, size_t *at) {
  const struct roster *p = roster_fresh(m);
  *n = p->n_rows;
  *at = m->cursor != 0 ? roster_index(p->rows, p->n_rows, m->cursor) : p->n_rows;
  if (*at == p->n_rows)
    *at = m->cursor_row < p->n_rows ? m->cursor_row : p->n_rows - (p->n_rows > 0);
  return p->rows;
}

size_t model_list(const struct model *m, uint32_t *ids, size_t cap, size_t *n_waiting) {
  const struct roster *p = roster_fresh(m);
  size_t n = 0;
  bool waiting = false;
  *n_waiting = 0;
  for (size_t i = 0; i < p->n_rows; i++) {
    uint32_t id = p->rows[i];
    if (id >= MODEL_TITLE(0))
      waiting = id == MODEL_TITLE(GROUP_WAITING);
    if (id >= MODEL_TITLE(0) || id == MODEL_ROW_LEFT)
      continue;
    if (n < cap)
      ids[n] = id;
    n++;
    *n_waiting += waiting;
  }
  return n;
}

const uint32_t *model_lobby(const struct model *m, size_t *n) {
  *n = m->roster->n_lobby;
  return m->roster->lobby;
}

const uint32_t *model_hands(const struct model *m, size_t *n) {
  *n = m->roster->n_hands;
  return m->roster->hands;
}

size_t model_count(const struct model *m, enum presence p) {
  return m->roster->count[p];
}

size_t model_group_count(const struct model *m, enum model_group g) {
  return m->roster->groups[g];
}

us_t model_talked(const struct model *m, uint32_t id) {
  const struct person *p = roster_find(m->roster, id);
  return p != NULL ? p->talked : 0;
}

/* ---- the cursor ---- */

static bool may_stand(const struct model *m, uint32_t id) {
  return id != MODEL_ROW_LEFT && (id < MODEL_TITLE(0) || m->by_role);
}

void model_move(struct model *m, int delta) {
  size_t n, at;
  const uint32_t *ids = roster_pane(m, &n);
  m->roster->moved = true;
  if (n == 0)
    return;
  at = m->cursor != 0 ? roster_index(ids, n, m->cursor) : n;
  bool here = at < n;
  if (!here)
    at = m->cursor_row < n ? m->cursor_row : n - 1;
  /* Where he stood, the next person stands now: a gone cursor comes back there, not one further. */
  bool closed = !here && ids[at] != MODEL_ROW_LEFT;
  int64_t to = (int64_t)at + (closed && delta > 0 ? delta - 1 : delta), last = (int64_t)n - 1;
  to = to < 0 ? 0 : to > last ? last : to;
  int step = delta < 0 ? -1 : 1;
  for (int turn = 0; turn < 2; turn++, step = -step)
    for (int64_t i = to; i >= 0 && i <= last; i += step)
      if (may_stand(m, ids[i])) {
        m->cursor_row = (size_t)i;
        m->cursor = ids[i];
        return;
      }
}

void model_focus(struct model *m, enum model_pane pane) {
  size_t n;
  m->pane = pane;
  m->scroll = 0;
  if (pane == PANE_CHAT)
    m->unread = 0;
  if (pane != PANE_LOBBY && pane != PANE_HANDS)
    return;
  const uint32_t *ids = roster_pane(m, &n);
  if (m->cursor == 0 || roster_index(ids, n, m->cursor) == n) {
    m->cursor = n > 0 ? ids[0] : 0;
    m->cursor_row = 0;
  }
}

enum model_pane model_pane_after(const struct model *m, enum model_pane pane, int step) {
  do
    pane = (enum model_pane)(((int)pane + PANE__COUNT + step) % PANE__COUNT);
  while ((pane == PANE_LOBBY && m->roster->n_lobby == 0) || (pane == PANE_HANDS && m->roster->n_hands == 0));
  return pane;
}

void model_pane_next(struct model *m, int step) {
  model_focus(m, model_pane_after(m, m->pane, step));
}

const char *model_pane_name(enum model_pane pane) {
  static const char *const NAMES[PANE__COUNT] = {"people", "lobby", "hands", "chat", "log", "card"};
  assert((size_t)pane < PANE__COUNT);
  return NAMES[pane];
}

/* cursor_to_shown: someone hidden is not selected any more, but the title of his folded group, or the first
 * of those who pass the filter. */
static void cursor_to_shown(struct model *m) {
  const struct roster *p = roster_fresh(m);
  if (m->cursor != 0 && roster_index(p->rows, p->n_rows, m->cursor) < p->n_rows)
    return;
  const struct member *at = room_member(&m->room, m->cursor);
  m->cursor = at != NULL && m->filter[0] == '\0' ? MODEL_TITLE(model_group_of(m, at)) : 0;
  for (size_t i = 0; i < p->n_rows && m->cursor == 0; i++)
    if (p->rows[i] < MODEL_TITLE(0) && p->rows[i] != MODEL_ROW_LEFT) {
      m->cursor = p->rows[i];
      m->cursor_row = i;
    }
}

void model_filter_set(struct model *m, const char *text) {
  size_t len = strnlen(text, sizeof m->filter - 1);
  memcpy(m->filter, text, len);
  memset(m->filter + len, 0, sizeof m->filter - len);
  if (m->cursor != 0 || text[0] != '\0')
    cursor_to_shown(m);
}

void model_sort_set(struct model *m, enum model_sort sort) {
  m->sort = sort;
  roster_sort(m);
}

const char *model_sort_name(enum model_sort sort) {
  static const char *const NAMES[SORT__COUNT] = {"joined", "name", "hand", "talk", "line"};
  assert((size_t)sort < SORT__COUNT);
  return NAMES[sort];
}

void model_group_set(struct model *m, bool by_role) {
  struct roster *p = m->roster;
  m->by_role = by_role;
  memset(m->folded, 0, sizeof m->folded);
  for (size_t i = 0; i < p->n_order; i++) {
    const struct member *who = room_member(&m->room, p->order[i].id);
    if (who != NULL)
      p->order[i].group = (uint8_t)model_group_of(m, who);
  }
  roster_close_gaps(p);
  roster_sort(m);
  if (m->cursor >= MODEL_TITLE(0))
    m->cursor = 0;
}

bool model_fold(struct model *m) {
  const struct member *who = room_member(&m->room, m->cursor);
  if (!m->by_role || (who == NULL && m->cursor < MODEL_TITLE(0)))
    return false;
  enum model_group g = who != NULL ? model_group_of(m, who) : (enum model_group)(m->cursor - MODEL_TITLE(0));
  m->folded[g] = !m->folded[g];
  if (m->folded[g])
    m->cursor = MODEL_TITLE(g);
  m->roster->rows_old = true;
  return true;
}

/* ---- marks ---- */

bool model_marked(const struct model *m, uint32_t id) {
  return roster_index(m->marks, m->n_marks, id) < m->n_marks;
}

void model_mark(struct model *m, uint32_t id) {
  if (model_marked(m, id))
    roster_unmark(m, id);
  else if (m->n_marks < MODEL_MARKS_MAX && roster_find(m->roster, id) != NULL)
    m->marks[m->n_marks++] = id;
}

size_t model_mark_shown(struct model *m) {
  size_t n, left_out = 0;
  const uint32_t *ids = roster_pane(m, &n);
  for (size_t i = 0; i < n; i++) {
    const struct person *p = roster_find(m->roster, ids[i]);
    bool waits = p != NULL && p->presence == PRESENCE_WAITING;
    if (p == NULL || p->id == m->me || waits != (m->pane == PANE_LOBBY) || model_marked(m, p->id))
      continue;
    if (m->n_marks < MODEL_MARKS_MAX)
      m->marks[m->n_marks++] = p->id;
    else
      left_out++;
  }
  return left_out;
}
