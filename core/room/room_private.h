/* room_private.h: what the files of core/room share; nobody else includes it.
 *
 * Invariant: only apply.c and undo.c's undo_note change a room; running out of memory aborts (a half-applied
 * event would make two folds differ). Thread: the room's. */
#ifndef GAVEL_ROOM_ROOM_PRIVATE_H
#define GAVEL_ROOM_ROOM_PRIVATE_H

#include "core/room/room.h"

/* One changed value of an act that can be undone: `kind` names the value (MUTED, FLOOR, HAND, ROLE, EXEMPT,
 * ...). */
struct undo_item {
  enum room_ev kind;
  uint32_t id; /* whose, 0 for the room's */
  int64_t before, after;
  char *text_before, *text_after; /* TOPIC only, owned */
};
struct undo_record {
  uint64_t group;
  int64_t ts_ms;
  uint32_t actor;
  bool self; /* touches nobody but the actor: the first to go when the list is full */
  struct undo_item *items;
  size_t n, cap;
};
struct room_undo {
  uint64_t undoing;  /* group of the undo being applied: its events are not recorded */
  uint64_t mute_all; /* group of the last mute-all */
  struct undo_record rec[ROOM_UNDO_KEPT];
  size_t n;
};

/* One act being decided; events go to out from index `start`. */
struct decision {
  const struct room *r;
  const struct room_cmd *cmd;
  const struct member *actor; /* NULL: the operator */
  uint32_t actor_id;
  enum role rank;
  int64_t now_ms;
  uint32_t *ids; /* targets, ascending, each once */
  size_t n_ids;
  struct room_events *out;
  size_t start;
};

/* room_grow: room for one more in a list of `n` elements of `size` bytes; returns the list. Aborts without
 * memory. */
void *room_grow(void *list, size_t n, size_t *cap, size_t size);
char *room_strdup(const char *s);
struct member *room_find(struct room *r, uint32_t id);
/* room_name_cmp: order of names as people see them: ASCII letters without case. */
int room_name_cmp(const char *a, const char *b);
/* room_mute_level: 0 no mute-all, 1 on, 2 with hold: as MUTE_ALL's num. */
int64_t room_mute_level(const struct room *r);
size_t room_count_inside(const struct room *r); /* here and away */

/* decide_event: append an event of this act, numbered and stamped. Valid until the next one is appended. */
struct room_event *decide_event(struct decision *d, enum room_ev kind, int64_t num, int64_t num2);
/* decide_target: name a person in the act's last event when that has the same kind and numbers, else in a new
 * one. */
void decide_target(struct decision *d, enum room_ev kind, int64_t num, uint32_t id);
void room_event_target(struct room_event *ev, uint32_t id);
void room_event_entry(struct room_event *ev, const struct member *m);

/* member_enter: presence, floor and mute of one who knocks (waiting) or comes in, by his role and the room's
 * mute-all. */
void member_enter(const struct room *r, struct member *m, bool waiting);
/* member_may_unmute: no hold, or exempt from it, or a moderator. */
bool member_may_unmute(const struct room *r, const struct member *m);
/* chat_visible: a message of this kind between these two, to this viewer. */
bool chat_visible(const struct room *r, enum chat_kind kind, uint32_t from, uint32_t to, uint32_t viewer);

/* undo_note: called by room_apply just before a value changes. */
void undo_note(struct room *r, const struct room_event *ev, struct undo_item item);
void undo_forget(struct room *r, uint64_t group); /* 0: all */
struct room_undo *undo_state(struct room *r);
enum err decide_undo(struct decision *d);

/* decide_member: the i-th target. decide_any: OK when the act has an event by now, else NO_CHANGE. */
const struct member *decide_member(const struct decision *d, size_t i);
enum err decide_any(const struct decision *d);

/* The acts that live in voice.c and chat.c. */
enum err decide_mute(struct decision *d);
enum err decide_mute_all(struct decision *d);
enum err decide_unmute(struct decision *d);
enum err decide_ask(struct decision *d);
enum err decide_floor(struct decision *d);
enum err decide_hand(struct decision *d);
enum err decide_hand_lower(struct decision *d);
enum err decide_next(struct decision *d);
enum err decide_chat(struct decision *d);
enum err decide_chat_delete(struct decision *d);
enum err decide_chat_clear(struct decision *d);

#endif
