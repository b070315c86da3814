/* settings.c: what is one value of the room: door, chat, limits, timers. One table says which act sets which.
 */
#include "core/room/room_private.h"

#include <stdio.h>
#include <string.h>

int64_t room_mute_level(const struct room *r) {
  return !r->mute_all ? 0 : (r->mute_hold ? 2 : 1) + (r->mute_speakers_free ? 4 : 0);
}

int64_t room_setting(const struct room *r, enum room_ev kind) {
  switch (kind) {
  case ROOM_EV_LOCKED:
    return r->locked;
  case ROOM_EV_LOBBY:
    return r->lobby;
  case ROOM_EV_POLICY:
    return (int64_t)r->policy;
  case ROOM_EV_CHAT_MODE:
    return (int64_t)r->chat_mode;
  case ROOM_EV_MUTE_ALL:
    return room_mute_level(r);
  case ROOM_EV_MUTE_ENTRY:
    return r->mute_entry;
  case ROOM_EV_ONE_SPEAKER:
    return r->one_speaker;
  case ROOM_EV_AUTO_ADMIT:
    return (int64_t)r->auto_admit;
  case ROOM_EV_LINKS:
    return !r->no_links;
  case ROOM_EV_NAME_HOSTS:
    return !r->hide_hosts;
  case ROOM_EV_SLOW:
    return r->slow_s;
  case ROOM_EV_MAX_PEOPLE:
    return r->max_people;
  case ROOM_EV_MAX_SPEAKERS:
    return r->max_speakers;
  case ROOM_EV_TALK_TIME:
    return 2 * r->talk_s + r->talk_take;
  case ROOM_EV_AGENDA_AT:
    return (int64_t)r->agenda_at;
  case ROOM_EV_PINNED:
    return (int64_t)r->pin;
  case ROOM_EV_BREAKOUTS:
    return r->sides;
  case ROOM_EV_RECALL:
    return r->recall_ms;
  case ROOM_EV_ENDING:
    return r->ends_ms;
  default:
    return -1;
  }
}

static void mute_all_set(struct room *r, int64_t v) {
  r->mute_all = v > 0;
  r->mute_hold = (v & 3) > 1;
  r->mute_speakers_free = v >= 4;
}

/* False: a value of another file, or of no setting. */
static bool set(struct room *r, enum room_ev kind, int64_t v) {
  switch (kind) {
  case ROOM_EV_LOBBY:
    r->lobby = v != 0;
    return true;
  case ROOM_EV_POLICY:
    r->policy = (enum host_policy)v;
    return true;
  case ROOM_EV_CHAT_MODE:
    r->chat_mode = (enum chat_mode)v;
    return true;
  case ROOM_EV_MUTE_ALL:
    mute_all_set(r, v);
    return true;
  case ROOM_EV_MUTE_ENTRY:
    r->mute_entry = v != 0;
    return true;
  case ROOM_EV_ONE_SPEAKER:
    r->one_speaker = v != 0;
    return true;
  case ROOM_EV_AUTO_ADMIT:
    r->auto_admit = (enum auto_admit)v;
    return true;
  case ROOM_EV_LINKS:
    r->no_links = v == 0;
    return true;
  case ROOM_EV_NAME_HOSTS:
    r->hide_hosts = v == 0;
    return true;
  case ROOM_EV_SLOW:
    r->slow_s = v;
    return true;
  case ROOM_EV_MAX_PEOPLE:
    r->max_people = (uint32_t)v;
    return true;
  case ROOM_EV_MAX_SPEAKERS:
    r->max_speakers = (uint32_t)v;
    return true;
  case ROOM_EV_TALK_TIME:
    r->talk_s = v / 2;
    r->talk_take = v % 2 != 0;
    return true;
  case ROOM_EV_RECALL:
    r->recall_ms = v;
    return true;
  case ROOM_EV_ENDING:
    r->ends_ms = v;
    return true;
  default:
    return false;
  }
}

struct undo_item text_change(const struct room *r, const struct room_event *ev, const char *before,
                             const char *after, char of[ROOM_PID_MAX + 1]) {
  const struct member *m = room_member(r, ev->actor);
  struct undo_item item = {
      .kind = ev->kind, .text_before = room_strdup(before), .text_after = room_strdup(after)};
  memcpy(item.of_before, of, sizeof item.of_before);
  (void)snprintf(of, ROOM_PID_MAX + 1, "%s", ev->of[0] ? ev->of : m ? m->pid : "");
  return item;
}

static void topic_set(struct room *r, const struct room_event *ev) {
  const char *text = ev->text ? ev->text : "";
  undo_note(r, ev, text_change(r, ev, r->topic, text, r->topic_of));
  (void)snprintf(r->topic, sizeof r->topic, "%s", text);
}

static void lock_set(struct room *r, const struct room_event *ev) {
  const char *text = ev->num && ev->text ? ev->text : "";
  struct undo_item item = text_change(r, ev, r->lock_text, text, r->lock_of);
  item.before = r->locked;
  item.after = ev->num != 0;
  undo_note(r, ev, item);
  r->locked = ev->num != 0;
  (void)snprintf(r->lock_text, sizeof r->lock_text, "%s", text);
}

bool settings_apply(struct room *r, const struct room_event *ev) {
  if (ev->kind == ROOM_EV_TOPIC || ev->kind == ROOM_EV_LOCKED) {
    (ev->kind == ROOM_EV_TOPIC ? topic_set : lock_set)(r, ev);
    return true;
  }
  int64_t before = room_setting(r, ev->kind);
  if (!set(r, ev->kind, ev->num))
    return false;
  if (before != ev->num)
    room_note_change(r, ev, ev->kind, 0, before, ev->num);
  if (ev->kind == ROOM_EV_MUTE_ALL && ev->num > 0 && undo_state(r)->undoing != ev->group)
    undo_state(r)->mute_all = ev->group;
  return true;
}

/* ---- deciding ---- */

enum err decide_number(struct decision *d, enum room_ev kind, int64_t now) {
  int64_t before = room_setting(d->r, kind);
  if (now == before)
    return ERR_NO_CHANGE;
  (void)decide_event(d, kind, now, before);
  return ERR_OK;
}

static const struct {
  enum act act;
  enum room_ev kind;
  bool second; /* the value is cmd.num2 */
  int64_t max;
} SETTINGS[] = {
    {ACT_LOBBY, ROOM_EV_LOBBY, false, 1},
    {ACT_AUTO_ADMIT, ROOM_EV_AUTO_ADMIT, false, AUTO_ADMIT_ACCOUNTS},
    {ACT_MUTE_ENTRY, ROOM_EV_MUTE_ENTRY, false, 1},
    {ACT_CHAT_MODE, ROOM_EV_CHAT_MODE, false, CHAT_MODE_ALL},
    {ACT_LINKS, ROOM_EV_LINKS, false, 1},
    {ACT_SLOW, ROOM_EV_SLOW, true, ROOM_SECONDS_MAX},
    {ACT_POLICY, ROOM_EV_POLICY, false, HOST_GONE_END},
    {ACT_NAME_HOSTS, ROOM_EV_NAME_HOSTS, false, 1},
    {ACT_MAX_PEOPLE, ROOM_EV_MAX_PEOPLE, false, ROOM_MEMBERS_MAX},
    {ACT_MAX_SPEAKERS, ROOM_EV_MAX_SPEAKERS, false, ROOM_MEMBERS_MAX},
};

enum err decide_setting(struct decision *d) {
  if (d->cmd->act == ACT_END_CANCEL)
    return d->r->ends_ms ? decide_number(d, ROOM_EV_ENDING, 0) : ERR_NOTHING;
  if (d->cmd->act == ACT_UNLOCK || d->cmd->act == ACT_MUTE_LIFT)
    return decide_number(d, d->cmd->act == ACT_UNLOCK ? ROOM_EV_LOCKED : ROOM_EV_MUTE_ALL, 0);
  for (size_t i = 0; i < sizeof SETTINGS / sizeof SETTINGS[0]; i++) {
    int64_t now = SETTINGS[i].second ? d->cmd->num2 : d->cmd->num;
    if (SETTINGS[i].act == d->cmd->act)
      return now < 0 || now > SETTINGS[i].max ? ERR_BAD_ARG : decide_number(d, SETTINGS[i].kind, now);
  }
  return ERR_INTERNAL;
}

enum err decide_topic(struct decision *d) {
  char text[TEXT_LINE_MAX + 1];
  enum err e = decide_line(d, text);
  if (e)
    return e;
  if (strcmp(text, d->r->topic) == 0)
    return ERR_NO_CHANGE;
  struct room_event *ev = decide_event(d, ROOM_EV_TOPIC, 0, 0);
  ev->text = room_strdup(text);
  ev->text2 = room_strdup(d->r->topic);
  return ERR_OK;
}

/* Locking a locked room with another text changes the text. */
enum err decide_lock(struct decision *d) {
  char text[TEXT_LINE_MAX + 1];
  enum err e = decide_line(d, text);
  if (e)
    return e;
  if (d->r->locked && strcmp(text, d->r->lock_text) == 0)
    return ERR_NO_CHANGE;
  decide_event(d, ROOM_EV_LOCKED, 1, d->r->locked)->text = room_strdup(text);
  return ERR_OK;
}
