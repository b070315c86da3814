#include "tui/say.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A growing sentence; what does not fit is cut. */
struct sentence {
  char *out;
  size_t len, cap;
};

static void add(struct sentence *s, const char *text) {
  int n = snprintf(s->out + s->len, s->cap - s->len, "%s", text);
  s->len += (size_t)n < s->cap - s->len ? (size_t)n : s->cap - s->len - 1;
}

const char *say_name(const struct room *r, uint32_t me, uint32_t id, bool first) {
  if (id == 0)
    return first ? "The operator" : "the operator";
  if (id == me)
    return first ? "You" : "you";
  const struct member *m = room_member(r, id);
  return m != NULL ? m->name : first ? "Someone" : "someone";
}

void say_people(const struct room *r, uint32_t me, const uint32_t *ids, size_t n, bool first, char *out,
                size_t cap) {
  struct sentence s = {out, 0, cap};
  out[0] = '\0';
  if (n > 3) {
    snprintf(out, cap, "%zu people", n);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    if (i > 0)
      add(&s, i + 1 == n ? " and " : ", ");
    add(&s, say_name(r, me, ids[i], first && i == 0));
  }
  if (n == 0)
    add(&s, first ? "Nobody" : "nobody");
}

/* The templates. %a actor, %t targets, %e who enters, %x text, %r ": reason", %i is/are of the targets, %N
 * role. A second form serves num == 0 (or, for LEFT and REMOVED, num == 1); a third is for acts on oneself,
 * or no text.
 */
struct form {
  const char *text, *other, *self;
  enum style style;
};
static const struct form FORMS[ROOM_EV__COUNT] = {
    [ROOM_EV_CREATED] = {"The room %x is open.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_ENDED] = {"%a ended the room%r.", NULL, NULL, STYLE_DANGER},
    [ROOM_EV_LOCKED] = {"%a locked the room.", "%a unlocked the room.", NULL, STYLE_NOTICE},
    [ROOM_EV_LOBBY] = {"%a turned the lobby on: newcomers wait.",
                       "%a turned the lobby off: newcomers walk in.", NULL, STYLE_NOTICE},
    [ROOM_EV_TOPIC] = {"%a set the topic: %x.", NULL, "%a removed the topic.", STYLE_NOTICE},
    [ROOM_EV_POLICY] = {"%a changed what happens when the last host drops: newcomers wait.",
                        "%a changed what happens when the last host drops: the room goes on.", NULL,
                        STYLE_NOTICE},
    [ROOM_EV_MUTE_ALL] = {"%a muted everyone.", "%a lifted mute-all: everyone may unmute.", NULL,
                          STYLE_NOTICE},
    [ROOM_EV_CHAT_MODE] = {"%a changed the chat: %c.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_KNOCKED] = {"%e is waiting to come in.", NULL, NULL, STYLE_WAITING},
    [ROOM_EV_JOINED] = {"%e joined.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_ADMITTED] = {"%a let %t in.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_DENIED] = {"%a turned %t away%r.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_AWAY] = {"%t lost the connection.", NULL, NULL, STYLE_AWAY},
    [ROOM_EV_BACK] = {"%t %i back.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_LEFT] = {"%t left.", "%t did not come back.", NULL, STYLE_NOTICE},
    [ROOM_EV_REMOVED] = {"%a removed %t%r.", "%a removed and banned %t%r.", NULL, STYLE_WARN},
    [ROOM_EV_UNBANNED] = {"%a lifted a ban.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_MUTED] = {"%a muted %t%m.", NULL, "%t %i muted.", STYLE_MUTED},
    [ROOM_EV_UNMUTED] = {"%t %i unmuted.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_ASKED] = {"%a asked %t to unmute.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_FLOOR] = {"%a gave %t the floor.", "%a took the floor from %t.", NULL, STYLE_NOTICE},
    [ROOM_EV_ROLE] = {"%a made %t %N.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_HAND] = {"%t raised a hand.", "%a lowered the hand of %t.", "%t lowered the hand.", STYLE_HAND},
    [ROOM_EV_CHAT_DELETED] = {"%a deleted a message.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_CHAT_CLEARED] = {"%a deleted the whole chat.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_INVITE] = {"%a made an invite link.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_INVITE_REVOKED] = {"%a revoked an invite link.", NULL, NULL, STYLE_NOTICE},
    [ROOM_EV_UNDONE] = {"%a undid the last act.", NULL, NULL, STYLE_NOTICE},
};

static bool on_itself(const struct room_event *ev) {
  return ev->n_targets == 1 && ev->targets[0] == ev->actor;
}

static bool has_target(const struct room_event *ev, uint32_t id) {
  for (size_t i = 0; i < ev->n_targets; i++)
    if (ev->targets[i] == id)
      return true;
  return false;
}

static const char *pick(const struct form *f, const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_LEFT:
  case ROOM_EV_REMOVED:
    return ev->num == 1 ? f->other : f->text;
  case ROOM_EV_TOPIC:
    return ev->text != NULL && ev->text[0] != '\0' ? f->text : f->self;
  case ROOM_EV_MUTED:
    return on_itself(ev) ? f->self : f->text;
  case ROOM_EV_HAND:
    return ev->num != 0 ? f->text : on_itself(ev) ? f->self : f->other;
  default:
    return f->other != NULL && ev->num == 0 ? f->other : f->text;
  }
}

static const char *with_article(enum role role) {
  static const char *const NAMES[] = {
      [ROLE_MONITOR] = "a monitor", [ROLE_AUDIENCE] = "audience", [ROLE_SPEAKER] = "a speaker",
      [ROLE_COHOST] = "a cohost",   [ROLE_HOST] = "a host",       [ROLE_OWNER] = "the owner"};
  return role > ROLE_NONE && role <= ROLE_OWNER ? NAMES[role] : "somebody else";
}

static const char *chat_words(int64_t mode) {
  static const char *const WORDS[] = {"off, except to the hosts", "messages to all only",
                                      "private messages only", "everything is open"};
  return mode >= CHAT_MODE_OFF && mode <= CHAT_MODE_ALL ? WORDS[mode] : "changed";
}

static void expand(struct sentence *s, const struct room *r, uint32_t me, const struct room_event *ev,
                   char what) {
  char people[SAY_MAX];
  bool first = s->len == 0;
  const char *text = ev->text != NULL ? ev->text : "";
  switch (what) {
  case 'a':
    add(s, say_name(r, me, ev->actor, first));
    break;
  case 't':
    say_people(r, me, ev->targets, ev->n_targets, first, people, sizeof people);
    add(s, people);
    break;
  case 'i':
    add(s, ev->n_targets == 1 && ev->targets[0] != me ? "is" : "are");
    break;
  case 'e':
    add(s, ev->entry == NULL ? "Someone" : ev->entry->id == me ? "You" : ev->entry->name);
    break;
  case 'r':
    add(s, text[0] != '\0' ? ": " : "");
    add(s, text);
    break;
  case 'm':
    add(s, has_target(ev, me) ? " (you may unmute)" : "");
    break;
  case 'N':
    add(s, with_article((enum role)ev->num));
    break;
  case 'c':
    add(s, chat_words(ev->num));
    break;
  default:
    add(s, text);
  }
}

bool say_event(const struct room *r, uint32_t me, const struct room_event *ev, char out[SAY_MAX],
               enum style *style) {
  const struct form *f = &FORMS[ev->kind];
  struct sentence s = {out, 0, SAY_MAX};
  out[0] = '\0';
  if (f->text == NULL)
    return false;
  *style = f->style;
  for (const char *p = pick(f, ev); *p != '\0'; p++) {
    char one[2] = {*p, '\0'};
    if (*p == '%')
      expand(&s, r, me, ev, *++p);
    else
      add(&s, one);
  }
  if (ev->kind == ROOM_EV_MUTE_ALL && ev->num == 2)
    add(&s, " Nobody can unmute until it is lifted.");
  if (ev->kind == ROOM_EV_KNOCKED && ev->entry != NULL && ev->entry->id == me)
    return false; /* the lobby screen says it */
  return true;
}

void say_sentence(const char *text, char out[SAY_MAX]) {
  size_t len = strlen(text);
  snprintf(out, SAY_MAX, "%.390s%s", text, len == 0 || text[len - 1] == '.' ? "" : ".");
  out[0] = (char)(out[0] >= 'a' && out[0] <= 'z' ? out[0] - 'a' + 'A' : out[0]);
}

void say_chat_head(const struct room *r, uint32_t me, const struct chat *c, char out[SAY_MAX]) {
  const char *from = c->from == me ? "You" : c->name;
  if (c->kind == CHAT_PRIVATE)
    snprintf(out, SAY_MAX, "%s to %s (private)", from, say_name(r, me, c->to, false));
  else
    snprintf(out, SAY_MAX, "%s%s", from, c->kind == CHAT_TO_HOSTS ? " to the hosts" : "");
}
