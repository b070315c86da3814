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
  char *text_before, *text_after;   /* TOPIC, AGENDA, LOCKED and RENAMED only, owned */
  char of_before[ROOM_PID_MAX + 1]; /* who wrote text_before, "" unknown */
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
  uint64_t undoing;  /* group of an act that cannot be undone (an undo, a ban): it is not recorded */
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
  struct {
    size_t n, ev, target; /* how many have the floor after the events and targets counted so far */
    bool begun;
  } floors;
};

/* room_grow: room for one more in a list of `n` elements of `size` bytes; returns the list. Aborts without
 * memory. */
void *room_grow(void *list, size_t n, size_t *cap, size_t size);
char *room_strdup(const char *s);
struct member *room_find(struct room *r, uint32_t id);
/* room_name_cmp: order of names as people see them: ASCII letters without case. */
int room_name_cmp(const char *a, const char *b);
/* name_looks_like: equal, or alike to the eye; holds for all that room_name_cmp finds equal. */
bool name_looks_like(const char *a, const char *b);
/* room_mute_level: as MUTE_ALL's num: 0 no mute-all, 1 on, 2 with hold, +4 speakers free. */
int64_t room_mute_level(const struct room *r);
size_t room_count_inside(const struct room *r); /* here and away */

/* decide_event: append an event of this act, numbered and stamped. Valid until the next one is appended. */
struct room_event *decide_event(struct decision *d, enum room_ev kind, int64_t num, int64_t num2);
/* decide_target: name a person in the act's last event when that has the same kind and numbers, else in a new
 * one. */
void decide_target(struct decision *d, enum room_ev kind, int64_t num, uint32_t id);
void decide_target_num2(struct decision *d, enum room_ev kind, int64_t num, int64_t num2, uint32_t id);
/* decide_reason: say why on the act's events of this kind; "" says nothing. */
void decide_reason(struct decision *d, enum room_ev kind, const char *reason);
void room_event_target(struct room_event *ev, uint32_t id);
void room_event_entry(struct room_event *ev, const struct member *m);
void room_event_ban(struct room_event *ev, const struct ban *b);
void room_event_secret(struct room_event *ev, const struct secret *s);

/* member_enter: presence, floor and mute of one who knocks (waiting) or comes in, by his role and the room's
 * mute-all. */
void member_enter(const struct room *r, struct member *m, bool waiting);
/* member_may_unmute: no hold, or exempt from it, or a moderator. */
bool member_may_unmute(const struct room *r, const struct member *m);
/* chat_author: whether messages of this person are kept, and the highest role he wrote one in. */
bool chat_author(const struct room *r, uint32_t id, enum role *rank);
/* chat_visible: a message of this kind between these two, to this viewer. */
bool chat_visible(const struct room *r, enum chat_kind kind, uint32_t from, uint32_t to, uint32_t viewer);

/* undo_begin: called by room_apply before anything else. undo_note: just before a value changes. */
void undo_begin(struct room *r, const struct room_event *ev);
void undo_note(struct room *r, const struct room_event *ev, struct undo_item item);
void undo_forget(struct room *r, uint64_t group); /* 0: all */
struct room_undo *undo_state(struct room *r);
enum err decide_undo(struct decision *d);

/* decide_member: the i-th target. decide_any: OK when the act has an event by now, else NO_CHANGE. */
const struct member *decide_member(const struct decision *d, size_t i);
enum err decide_any(const struct decision *d);

/* decide_line: cmd.text as one line, "" when there is none. decide_clash: another person has the name. */
enum err decide_line(const struct decision *d, char out[TEXT_LINE_MAX + 1]);
/* decide_number: one event that changes a setting to `now`; NO_CHANGE when it is so already. */
enum err decide_number(struct decision *d, enum room_ev kind, int64_t now);
/* decide_floor_set: a FLOOR event, without talk timer, when that changes something. */
void decide_floor_set(struct decision *d, const struct member *m, bool on);
/* decide_floor_free: whether, after what this act has decided so far, one more below cohost may have the
 * floor. decide_floor_fits: likewise, whether one may keep it in a new role. decide_role_down: what he loses,
 * before the ROLE event; decide_role_up: what he gets, after it. decide_one_on: one speaker at a time from
 * now on. */
bool decide_floor_free(struct decision *d);
bool decide_floor_fits(struct decision *d, const struct member *m, enum role now);
void decide_role_down(struct decision *d, const struct member *m, enum role now);
enum err decide_role_up(struct decision *d, const struct member *m, enum role now);
void decide_one_on(struct decision *d);
/* floor_on_entry: of one who comes in. floor_value: as undo keeps it: 0 none, else 1 + floor_ms. */
bool floor_on_entry(const struct room *r, const struct member *m);
int64_t floor_value(const struct member *m);
void floor_apply(struct room *r, struct member *m, const struct room_event *ev);
void hands_apply(struct room *r, const struct room_event *ev);
/* name_make_unique: in place, among those inside but `self` (0: nobody); `waits`: in the lobby too. A name
 * inside says nothing of who waits: name_clash marks those in the lobby who have it, and they get another
 * when they are admitted. */
void name_make_unique(const struct room *r, uint32_t self, bool waits, char name[TEXT_NAME_MAX + 1]);
void name_clash(struct room *r, const struct member *inside);
/* text_change: a text of the room is replaced by that of an event: the item for undo_note; `of` becomes the
 * pid of who wrote the new one. */
struct undo_item text_change(const struct room *r, const struct room_event *ev, const char *before,
                             const char *after, char of[ROOM_PID_MAX + 1]);
/* room_note_change: undo_note for a number. */
void room_note_change(struct room *r, const struct room_event *ev, enum room_ev kind, uint32_t id,
                      int64_t before, int64_t after);
/* member_flag: set a flag of a person, noting the change for undo. */
void member_flag(struct room *r, const struct room_event *ev, enum room_ev kind, uint32_t id, bool *flag,
                 bool v);

/* What each file does with an applied event: true when the event is one of its own. settings.c: one number of
 * the room; people.c, bans.c, chat.c, meeting.c, voice.c, sides.c likewise. */
bool settings_apply(struct room *r, const struct room_event *ev);
bool people_apply(struct room *r, const struct room_event *ev);
bool bans_apply(struct room *r, const struct room_event *ev);
bool chat_apply(struct room *r, const struct room_event *ev);
/* chat_close_sides: what was said in side rooms beyond n is not for those who come after. poll_forget: the
 * vote of one who goes while the poll is open does not count: he may come again and vote. */
void chat_close_sides(struct room *r, uint32_t n);
void poll_forget(struct room *r, uint32_t id);
bool meeting_apply(struct room *r, const struct room_event *ev);
bool voice_apply(struct room *r, const struct room_event *ev);
bool sides_apply(struct room *r, const struct room_event *ev);
/* What time alone brings, and when that is next (INT64_MAX: never). Each appends the events of one act at
 * most. */
void bans_expire(struct decision *d);
int64_t bans_next(const struct room *r);
void people_expire(struct decision *d); /* succession, and the policy when no host is here */
int64_t people_next(const struct room *r);
void meeting_expire(struct decision *d); /* the planned end */
int64_t meeting_next(const struct room *r);
void voice_expire(struct decision *d); /* talk time: floor.c */
int64_t voice_next(const struct room *r);
void sides_expire(struct decision *d); /* the recall */
int64_t sides_next(const struct room *r);
/* room_host_may_go: may an event of this kind take the last moderator away? room_host_watch: after each
 * event: since when no moderator is inside. `led`: before it, and it was of such a kind, one was. */
bool room_host_may_go(enum room_ev kind);
/* former.c: former_leaves: before someone goes. former_enters: after he is in. former_rights: the most he may
 * come in with; true when he must knock. */
void former_leaves(struct room *r, const struct member *m);
void former_enters(struct room *r, const struct member *m);
bool former_rights(const struct room *r, const struct member *m, struct former *out);
void room_host_watch(struct room *r, const struct room_event *ev, bool led);
/* member_is: the same person: by user when both are known, else by device; what is unknown matches nothing.
 */
bool member_is(const struct member *m, const char *user, const uint8_t device[16]);
/* room_is_full: for one more, when `inside` are inside; max_people does not bind moderators, nor monitors,
 * whom it does not count. */
bool room_is_full(const struct room *r, size_t inside, const struct member *m);
/* ban_on: the ban of this kind that holds this person, NULL for none; addr may be NULL. */
const struct ban *ban_on(const struct room *r, enum ban_what what, const struct member *m,
                         const uint8_t *addr);
bool is_trusted(const struct room *r, const struct member *m);
/* What check.c asks of each file: NULL, or the broken invariant. */
const char *people_check(const struct room *r);
const char *bans_check(const struct room *r);
const char *chat_check(const struct room *r);
const char *meeting_check(const struct room *r);
const char *sides_check(const struct room *r);
const char *voice_check(const struct room *r);
void meeting_free(struct room *r);

/* The acts, by the file that has them. settings.c: */
enum err decide_setting(struct decision *d);
enum err decide_topic(struct decision *d);
enum err decide_lock(struct decision *d);
/* people.c: */
enum err decide_hold(struct decision *d);
enum err decide_trust(struct decision *d);
enum err decide_untrust(struct decision *d);
enum err decide_name(struct decision *d); /* NAME and RENAME */
enum err decide_note(struct decision *d);
enum err decide_note_delete(struct decision *d);
enum err decide_succession(struct decision *d);
enum err decide_claim_code(struct decision *d);
enum err decide_claim(struct decision *d);
enum err decide_password(struct decision *d);
/* bans.c: */
enum err decide_ban(struct decision *d);
enum err decide_ban_check(struct decision *d);
enum err decide_ban_rule(struct decision *d);
enum err decide_ban_edit(struct decision *d);
enum err decide_unban(struct decision *d);
/* decide.c: REMOVED or DENIED for the targets, those inside and those who wait apart. */
void decide_gone(struct decision *d, enum room_ev kind, int64_t num, const char *reason);
/* meeting.c: */
enum err decide_agenda(struct decision *d);
enum err decide_agenda_next(struct decision *d);
enum err decide_poll(struct decision *d);
enum err decide_vote(struct decision *d);
enum err decide_poll_end(struct decision *d);
enum err decide_end(struct decision *d);
/* sides.c: */
enum err decide_breakouts(struct decision *d);
enum err decide_distribute(struct decision *d);
enum err decide_move(struct decision *d);
enum err decide_recall(struct decision *d);
/* voice.c, floor.c and chat.c: */
enum err decide_decline(struct decision *d);
enum err decide_one_speaker(struct decision *d);
enum err decide_priority(struct decision *d);
enum err decide_gain(struct decision *d);
enum err decide_talk_time(struct decision *d);
enum err decide_hands_down(struct decision *d);
enum err decide_chat_edit(struct decision *d);
enum err decide_chat_purge(struct decision *d);
enum err decide_pin(struct decision *d); /* PIN and UNPIN */
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
