#include "core/room/room_private.h"

#include <stdlib.h>
#include <string.h>

void room_init(struct room *r) {
  *r = (struct room){.chat_mode = CHAT_MODE_ALL, .auto_admit = AUTO_ADMIT_TRUSTED};
}

void room_free(struct room *r) {
  undo_forget(r, 0);
  free(r->undo);
  for (size_t i = 0; i < r->n_chat; i++)
    free(r->chat[i].text);
  free(r->chat);
  free(r->members);
  free(r->bans);
  free(r->invites);
  free(r->trusted);
  free(r->former);
  free(r->notes);
  meeting_free(r);
  *r = (struct room){0};
}

const struct member *room_member(const struct room *r, uint32_t id) {
  size_t lo = 0, hi = r->n_members;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (r->members[mid].id == id)
      return &r->members[mid];
    if (r->members[mid].id < id)
      lo = mid + 1;
    else
      hi = mid;
  }
  return NULL;
}

struct member *room_find(struct room *r, uint32_t id) {
  const struct member *m = room_member(r, id);
  return m ? &r->members[m - r->members] : NULL;
}

const struct chat *room_chat_by_id(const struct room *r, uint64_t id) {
  size_t lo = 0, hi = r->n_chat;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (r->chat[mid].id == id)
      return &r->chat[mid];
    if (r->chat[mid].id < id)
      lo = mid + 1;
    else
      hi = mid;
  }
  return NULL;
}

static int fold(char c) {
  return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

int room_name_cmp(const char *a, const char *b) {
  while (*a && fold(*a) == fold(*b))
    a++, b++;
  return fold(*a) - fold(*b);
}

bool room_may_send(const struct room *r, uint32_t id) {
  const struct member *m = room_member(r, id);
  return m && !r->ended && m->presence != PRESENCE_WAITING && m->role > ROLE_MONITOR && m->floor &&
         !m->muted && !m->silenced;
}

bool room_may_hear(const struct room *r, uint32_t id) {
  const struct member *m = room_member(r, id);
  return m && !r->ended && m->presence != PRESENCE_WAITING;
}

size_t room_count(const struct room *r, enum presence p) {
  size_t n = 0;
  for (size_t i = 0; i < r->n_members; i++)
    n += r->members[i].presence == p;
  return n;
}

size_t room_count_inside(const struct room *r) {
  return r->n_members - room_count(r, PRESENCE_WAITING);
}

bool room_has_moderator(const struct room *r) {
  for (size_t i = 0; i < r->n_members; i++)
    if (r->members[i].presence != PRESENCE_WAITING && ROLE_IS_MODERATOR(r->members[i].role))
      return true;
  return false;
}

size_t room_hand_place(const struct room *r, uint32_t id) {
  const struct member *m = room_member(r, id);
  if (!m || m->hand == 0)
    return 0;
  size_t place = 1;
  for (size_t i = 0; i < r->n_members; i++)
    place += r->members[i].hand != 0 && r->members[i].hand < m->hand;
  return place;
}

size_t room_lobby_place(const struct room *r, uint32_t id) {
  const struct member *m = room_member(r, id);
  if (!m || m->presence != PRESENCE_WAITING)
    return 0;
  size_t place = 1;
  for (size_t i = 0; i < r->n_members; i++) { /* who was put back stands behind those who knocked before */
    const struct member *o = &r->members[i];
    bool before = o->since_ms != m->since_ms ? o->since_ms < m->since_ms : o->id < m->id;
    place += o->presence == PRESENCE_WAITING && before;
  }
  return place;
}

uint32_t room_hand_first(const struct room *r) {
  const struct member *first = NULL;
  for (size_t i = 0; i < r->n_members; i++) {
    const struct member *m = &r->members[i];
    if (m->hand != 0 && (!first || m->hand < first->hand))
      first = m;
  }
  return first ? first->id : 0;
}
