/* How an event is told: its line, the toast of an act, the deeds of a card. */
#include "tui/model_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool tell_names_me(const struct model *m, const struct room_event *ev) {
  for (size_t i = 0; i < ev->n_targets; i++)
    if (ev->targets[i] == m->me)
      return true;
  return false;
}

bool tell_already(struct model *m, const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_MUTE_ALL:
    m->mute_all_group = ev->group;
    return false;
  case ROOM_EV_TIME_UP:
    m->time_up_group = ev->group;
    return false;
  case ROOM_EV_MUTED:
    return ev->group == m->mute_all_group && !tell_names_me(m, ev);
  case ROOM_EV_EXEMPT: /* unless it is an act of its own */
    return ev->seq != ev->group;
  case ROOM_EV_FLOOR:
    return ev->actor == 0 && ev->num == 0 && ev->group == m->time_up_group;
  default:
    return false;
  }
}

/* ---- toasts ---- */

static bool undoable(enum room_ev kind) {
  static const bool CAN[ROOM_EV__COUNT] = {
      [ROOM_EV_LOCKED] = true,     [ROOM_EV_LOBBY] = true,      [ROOM_EV_TOPIC] = true,
      [ROOM_EV_POLICY] = true,     [ROOM_EV_MUTE_ALL] = true,   [ROOM_EV_MUTED] = true,
      [ROOM_EV_FLOOR] = true,      [ROOM_EV_ROLE] = true,       [ROOM_EV_CHAT_MODE] = true,
      [ROOM_EV_HAND] = true,       [ROOM_EV_MUTE_ENTRY] = true, [ROOM_EV_ONE_SPEAKER] = true,
      [ROOM_EV_AUTO_ADMIT] = true, [ROOM_EV_LINKS] = true,      [ROOM_EV_NAME_HOSTS] = true,
      [ROOM_EV_SLOW] = true,       [ROOM_EV_MAX_PEOPLE] = true, [ROOM_EV_MAX_SPEAKERS] = true,
      [ROOM_EV_TALK_TIME] = true,  [ROOM_EV_AGENDA] = true,     [ROOM_EV_AGENDA_AT] = true,
      [ROOM_EV_PINNED] = true,     [ROOM_EV_RECALL] = true,     [ROOM_EV_ENDING] = true,
      [ROOM_EV_PRIORITY] = true,   [ROOM_EV_GAIN] = true,       [ROOM_EV_MOVED] = true,
      [ROOM_EV_RENAMED] = true};
  return CAN[kind];
}

/* is_final: no event of its act can be undone. */
static bool is_final(enum room_ev kind) {
  return kind == ROOM_EV_BANNED || kind == ROOM_EV_SILENCED || kind == ROOM_EV_HELD ||
         kind == ROOM_EV_REMOVED || kind == ROOM_EV_BREAKOUTS || kind == ROOM_EV_TIME_UP ||
         kind == ROOM_EV_UNDONE || kind == ROOM_EV_DECLINED || kind == ROOM_EV_CHAT_PURGED;
}

/* rank_of: what merely comes with an act is less than the act itself. */
static unsigned rank_of(const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_HAND:
  case ROOM_EV_EXEMPT:
    return 1;
  case ROOM_EV_ASKED:
    return 2;
  case ROOM_EV_FLOOR:
    return ev->num == 0 ? 3 : 4;
  case ROOM_EV_BANNED:
  case ROOM_EV_SILENCED:
  case ROOM_EV_REMOVED:
    return 5;
  default:
    return 4;
  }
}

/* voted: the poll's own counter tells the others. */
static void voted(struct model *m, int64_t answer, us_t now) {
  const char *p = m->room.poll.text;
  char text[SAY_MAX];
  for (int64_t i = 0; p != NULL && i < answer; i++) {
    p = strchr(p, '\n');
    p = p != NULL ? p + 1 : NULL;
  }
  if (p == NULL)
    return;
  snprintf(text, sizeof text, "You voted: %.*s.", (int)strcspn(p, "\n"), p);
  model_toast(m, now, STYLE_OK, text);
}

/* own_act: what I just did, with the way back; my own mute and hand are a key away, so they get no hint. */
static void own_act(struct model *m, const struct room_event *ev, us_t now) {
  bool self_only = ev->n_targets == 1 && ev->targets[0] == m->me;
  char text[SAY_MAX + 32];
  size_t len = strlen(m->said);
  bool hint = undoable(ev->kind) && !self_only && ev->group != m->final_group;
  if (ev->kind == ROOM_EV_ADMITTED && m->toast_people > 1)
    snprintf(text, sizeof text, "You let %u people in.", m->toast_people);
  else if (hint)
    snprintf(text, sizeof text, "%.*s" MODEL_UNDO_WORDS, (int)(len - (m->said[len - 1] == '.')), m->said);
  else
    snprintf(text, sizeof text, "%s", m->said);
  model_toast(m, now, STYLE_OK, text);
  m->toast_until = hint ? now + MODEL_UNDO_US : m->toast_until;
}

bool tell_toast(struct model *m, const struct room_event *ev, us_t now) {
  bool own = ev->actor == m->me, again = m->toast_group == ev->group;
  unsigned rank = rank_of(ev);
  if (is_final(ev->kind))
    m->final_group = ev->group;
  if (own && ev->kind == ROOM_EV_VOTED)
    voted(m, ev->num, now);
  if (m->said[0] == '\0' || !(own || tell_names_me(m, ev)))
    return false;
  m->toast_people = ev->kind == ROOM_EV_ADMITTED ? (again ? m->toast_people + 1 : 1) : 0;
  bool counted = m->toast_people > 1;
  /* A toast that was taken away has been read: by line mode, which says the rest of the act in its lines. */
  if (again && !counted && (rank <= m->toast_rank || (own && m->toast[0] == '\0')))
    return false;
  if (own)
    own_act(m, ev, now);
  else
    model_toast(m, now, STYLE_WARN, m->said);
  m->toast_group = ev->group;
  m->toast_rank = rank;
  return true;
}

/* ---- lines ---- */

/* What people do one after the other: how the sentence of one ends, and the word for many. */
static const struct crowd {
  const char *one, *many;
} CROWDS[ROOM_EV__COUNT] = {[ROOM_EV_KNOCKED] = {" is waiting to come in.", "wait"},
                            [ROOM_EV_JOINED] = {" joined.", "joined"},
                            [ROOM_EV_LEFT] = {" left.", "left"},
                            [ROOM_EV_AWAY] = {" lost the connection.", "lost the connection"},
                            [ROOM_EV_BACK] = {" is back.", "are back"}};

/* crowd_name: of the one person it tells of; false: of more, or not of such a thing. */
static bool crowd_name(const struct model *m, const struct room_event *ev, char out[TEXT_NAME_MAX + 1]) {
  const char *end = CROWDS[ev->kind].one;
  size_t len = strlen(m->said), tail = end != NULL ? strlen(end) : 0;
  bool me = ev->actor == m->me || tell_names_me(m, ev);
  if (tail == 0 || me || ev->n_targets > 1 || len <= tail || strcmp(m->said + len - tail, end) != 0)
    return false;
  snprintf(out, TEXT_NAME_MAX + 1, "%.*s", (int)(len - tail), m->said);
  return true;
}

static void crowd_words(const struct model *m, struct model_line *l) {
  const char *many = CROWDS[l->crowd].many;
  if (l->n == 2)
    snprintf(l->text, sizeof l->text, "%s and %s %s.", m->crowd[0], m->crowd[1], many);
  else
    snprintf(l->text, sizeof l->text, "%u people %s: %s, %s and %u more.", l->n, many, m->crowd[0],
             m->crowd[1], l->n - 2);
}

/* add_to_crowd: the line before grows by that person. */
static bool add_to_crowd(struct model *m, const struct room_event *ev, bool quiet, const char *name) {
  struct model_line *l = m->n_lines > 0 ? &m->lines[m->n_lines - 1] : NULL;
  if (l == NULL || l->crowd != ev->kind || l->quiet != quiet || ev->ts_ms - l->ts_ms >= MODEL_CROWD_MS)
    return false;
  if (++l->n == 2)
    snprintf(m->crowd[1], sizeof m->crowd[1], "%s", name);
  crowd_words(m, l);
  return true;
}

/* admitted_more: those let in by one act, with what else it said between them. */
static bool admitted_more(struct model *m, const struct room_event *ev) {
  for (size_t i = m->n_lines; i-- > 0 && m->lines[i].ts_ms == ev->ts_ms;) {
    struct model_line *l = &m->lines[i];
    if (l->crowd != ROOM_EV_ADMITTED || l->group != ev->group)
      continue;
    snprintf(l->text, sizeof l->text, "%s let %u people in.", say_name(&m->room, m->me, ev->actor, true),
             ++l->n);
    return true;
  }
  return false;
}

void tell_notice(struct model *m, const struct room_event *ev) {
  char name[TEXT_NAME_MAX + 1];
  bool crowd = crowd_name(m, ev, name), admitted = ev->kind == ROOM_EV_ADMITTED;
  /* Who comes and goes in a large room would drown what people write. */
  bool quiet = (CROWDS[ev->kind].one != NULL || admitted) && ev->actor != m->me &&
               model_group_count(m, GROUP_EVERYONE) > MODEL_LARGE;
  if ((admitted && admitted_more(m, ev)) || (crowd && add_to_crowd(m, ev, quiet, name)))
    return;
  struct model_line *l = model_line_new(m, ev->ts_ms, m->said_style);
  snprintf(l->text, sizeof l->text, "%s", m->said);
  l->quiet = quiet;
  if (!crowd && !admitted)
    return;
  l->crowd = ev->kind;
  l->group = ev->group;
  l->n = 1;
  if (crowd)
    snprintf(m->crowd[0], sizeof m->crowd[0], "%s", name);
}

/* ---- cards ---- */

void tell_deed(struct model *m, const struct room_event *ev) {
  struct model_deed *d = &m->deeds[m->deed_next % MODEL_DEEDS_MAX];
  /* what one does to himself is no deed */
  bool own = ev->n_targets == 1 && ev->targets[0] == ev->actor;
  if (own || ev->kind == ROOM_EV_NOTED || ev->n_targets == 0 || m->said[0] == '\0')
    return;
  uint32_t *who = malloc(ev->n_targets * sizeof *who);
  if (who == NULL)
    return;
  memcpy(who, ev->targets, ev->n_targets * sizeof *who);
  free(d->who);
  *d = (struct model_deed){.ts_ms = ev->ts_ms, .style = m->said_style, .who = who, .n = ev->n_targets};
  snprintf(d->text, sizeof d->text, "%s", m->said);
  m->deed_next++;
}

const struct model_deed *model_deed(const struct model *m, uint32_t id, size_t i) {
  for (size_t k = 1; k <= MODEL_DEEDS_MAX && k <= m->deed_next; k++) {
    const struct model_deed *d = &m->deeds[(m->deed_next - k) % MODEL_DEEDS_MAX];
    for (size_t t = 0; t < d->n; t++)
      if (d->who[t] == id && i-- == 0)
        return d;
  }
  return NULL;
}
