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
  if (id == ROOM_SOME_HOST)
    return first ? "A host" : "a host";
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
    bool mine = false;
    for (size_t i = 0; i < n; i++)
      mine = mine || ids[i] == me;
    snprintf(out, cap, mine ? "%s and %zu others" : "%s%zu people", mine ? (first ? "You" : "you") : "",
             mine ? n - 1 : n);
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

/* The templates. %a actor, %t targets, %p their possessive ("your", "bob's"), %i is/are of the targets, %e
 * who enters, %x text, %r ": reason", %n the number, %z "s" of a verb after the actor, %S the same after the
 * targets, %d a duration of num seconds, %D the time until num, %N role, %c a choice in words, %s side room,
 * %b whom a ban holds; the rest stand beside their only user. A kind without a sentence says why. */
struct form {
  const char *text;
  const char *other; /* num is 0, or the text is empty; see pick() for more */
  const char *self;  /* the actor did it to himself */
  const char *mine;  /* someone else did it to the reader alone */
  const char *time;  /* nobody did it: its time had come */
  const char *none;
  enum style style;
};
static const struct form FORMS[ROOM_EV__COUNT] = {
    [ROOM_EV_CREATED] = {"The room %x is open.", .style = STYLE_NOTICE},
    [ROOM_EV_ENDED] = {"%a ended the room%r.", .time = "The room has ended%r.", .style = STYLE_DANGER},
    [ROOM_EV_LOCKED] = {"%a locked the room%r.", "%a unlocked the room.", .style = STYLE_NOTICE},
    [ROOM_EV_LOBBY] = {"%a turned the lobby on: newcomers wait.",
                       "%a turned the lobby off: newcomers walk in.", .style = STYLE_NOTICE},
    [ROOM_EV_TOPIC] = {"%a set the topic: %x.", "%a removed the topic.", .style = STYLE_NOTICE},
    [ROOM_EV_POLICY] = {"%a changed what happens when no host is here: %c.", .style = STYLE_NOTICE},
    [ROOM_EV_MUTE_ALL] = {"%a muted everyone%w.", "%a lifted mute-all: everyone may unmute.",
                          .style = STYLE_NOTICE},
    [ROOM_EV_CHAT_MODE] = {"%a changed the chat: %c.", .style = STYLE_NOTICE},
    [ROOM_EV_MUTE_ENTRY] = {"%a changed the entry: newcomers come in muted.",
                            "%a changed the entry: newcomers come in unmuted.", .style = STYLE_NOTICE},
    [ROOM_EV_ONE_SPEAKER] = {"%a set one speaker at a time.", "%a let several people speak at a time.",
                             .style = STYLE_NOTICE},
    [ROOM_EV_AUTO_ADMIT] = {"%a changed who need not wait: %c.", .style = STYLE_NOTICE},
    [ROOM_EV_LINKS] = {"%a allowed links in the chat.", "%a switched links in the chat off.",
                       .style = STYLE_NOTICE},
    [ROOM_EV_NAME_HOSTS] = {"%a let people learn which host does something to them.",
                            "%a hid from people which host does something to them.", .style = STYLE_NOTICE},
    [ROOM_EV_SLOW] = {"%a set slow mode: one message every %d.", "%a ended slow mode.",
                      .style = STYLE_NOTICE},
    [ROOM_EV_MAX_PEOPLE] = {"%a limited the room to %n people.", "%a lifted the limit of people.",
                            .style = STYLE_NOTICE},
    [ROOM_EV_MAX_SPEAKERS] = {"%a limited the floor to %n people.", "%a lifted the limit of speakers.",
                              .style = STYLE_NOTICE},
    [ROOM_EV_TALK_TIME] = {"%a set the talk time to %k.", "%a lifted the limit of talk time.",
                           .style = STYLE_NOTICE},
    [ROOM_EV_AGENDA] = {"%a set the agenda: %l.", "%a removed the agenda.", .style = STYLE_NOTICE},
    [ROOM_EV_AGENDA_AT] = {"%a went on in the agenda: %g.", .style = STYLE_NOTICE},
    [ROOM_EV_PINNED] = {"%a pinned a message%m.", "%a took the pinned message down.", .style = STYLE_NOTICE},
    [ROOM_EV_PASSWORD] = {"%a set a password for newcomers.", "%a removed the password.",
                          .style = STYLE_NOTICE},
    [ROOM_EV_CLAIM_CODE] = {"%a made a code that lets its bearer become host.", .style = STYLE_NOTICE},
    [ROOM_EV_SUCCESSION] = {"%a set who becomes host next: %t.", "%a cleared who becomes host next.",
                            .style = STYLE_NOTICE},
    [ROOM_EV_BREAKOUTS] = {"%a opened %n side rooms.", "%a closed the side rooms: everyone is back.",
                           .time = "The side rooms are closed: everyone is back.", .style = STYLE_NOTICE},
    [ROOM_EV_RECALL] = {"%a call%z everyone back from the side rooms in %D.",
                        "%a called off the return from the side rooms.", .style = STYLE_WARN},
    [ROOM_EV_ENDING] = {"%a end%z the room in %D.", "%a called off the end of the room.",
                        .style = STYLE_DANGER},
    [ROOM_EV_TRUSTED] = {"%a trusted %e: from now on this person need not wait.", .style = STYLE_NOTICE},
    [ROOM_EV_UNTRUSTED] = {"%a no longer trusted %y: this person waits again.", .style = STYLE_NOTICE},
    [ROOM_EV_POLL] = {"%a ask%z: %q vote N answers.", .style = STYLE_WARN},
    [ROOM_EV_VOTED] = {.none = "the counter of the poll shows it"},
    [ROOM_EV_POLL_ENDED] = {"%a closed the poll.", .style = STYLE_NOTICE},
    [ROOM_EV_NOTED] = {"%a wrote a note on %t: %x.", .style = STYLE_NOTICE},
    [ROOM_EV_NOTE_DELETED] = {"%a deleted a note.", .style = STYLE_NOTICE},
    [ROOM_EV_KNOCKED] = {"%e is waiting to come in.", .style = STYLE_WAITING},
    [ROOM_EV_JOINED] = {"%e joined.", .style = STYLE_NOTICE},
    [ROOM_EV_ADMITTED] = {"%a let %t in.", .style = STYLE_NOTICE},
    [ROOM_EV_DENIED] = {"%a turned %t away%r.", .style = STYLE_NOTICE},
    [ROOM_EV_AWAY] = {"%t lost the connection.", .style = STYLE_AWAY},
    [ROOM_EV_BACK] = {"%t %i back.", .style = STYLE_NOTICE},
    [ROOM_EV_HELD] = {"%a put %t back into the lobby%r.", .style = STYLE_WARN},
    [ROOM_EV_LEFT] = {"%t left.", "%t did not come back.", "%t went back to the lobby.",
                      .style = STYLE_NOTICE},
    [ROOM_EV_REMOVED] = {"%a removed %t%r.", "%a removed and banned %t%r.", .style = STYLE_WARN},
    [ROOM_EV_BANNED] = {"%a banned %b%u%r.", .style = STYLE_WARN,
                        .none = "of a person here: his removal or silence, told next, says it"},
    [ROOM_EV_BAN_EDITED] = {"%a changed the ban of %b: %U%r.", .style = STYLE_NOTICE},
    [ROOM_EV_UNBANNED] = {"%a lifted the ban of %b.", .time = "The ban of %b has run out.",
                          .style = STYLE_NOTICE},
    [ROOM_EV_SILENCED] = {"%a banned %t from speaking%u%r.", "%a let %t speak again.",
                          .time = "%t may speak again.", .style = STYLE_WARN},
    [ROOM_EV_MUTED] = {"%a muted %t%r%M.", .self = "%t %i muted.", .style = STYLE_MUTED},
    [ROOM_EV_UNMUTED] = {"%t %i unmuted.", .style = STYLE_NOTICE},
    [ROOM_EV_ASKED] = {"%a asked %t to unmute.", .style = STYLE_NOTICE},
    [ROOM_EV_DECLINED] = {"%t stay%S muted.", .style = STYLE_NOTICE},
    [ROOM_EV_EXEMPT] = {"%a left %t out of mute-all.", "%t %i under mute-all again.", .style = STYLE_NOTICE,
                        .none = "withdrawn by declining to unmute: that is told itself"},
    [ROOM_EV_FLOOR] = {"%a gave %t the floor%r.", "%a took the floor from %t%r.",
                       .time = "%P talk time is over: the floor is free.", .style = STYLE_NOTICE},
    [ROOM_EV_TIME_UP] = {"%P talk time is up.", .style = STYLE_WARN},
    [ROOM_EV_PRIORITY] = {"%a made %t priority speaker: others are softer.", "%a ended %p priority.",
                          .style = STYLE_NOTICE},
    [ROOM_EV_GAIN] = {"%a set %p volume for all to %n dB.", .style = STYLE_NOTICE},
    [ROOM_EV_MOVED] = {"%a moved %t to %s.", .self = "%t %i in %s now.",
                       .mine = "You are in %s now: %a moved you.", .time = "%t %i in %s now.",
                       .style = STYLE_NOTICE},
    [ROOM_EV_RENAMED] = {"%a renamed %t to %x.", .self = "%t %i called %x now.", .style = STYLE_NOTICE},
    [ROOM_EV_ROLE] = {"%a made %t %N%r.", .self = "%t %i %N now.", .style = STYLE_NOTICE},
    [ROOM_EV_HAND] = {"%t raised a hand%h.", "%a lowered the hand of %t.", "%t lowered the hand.",
                      .mine = "%a lowered your hand.", .style = STYLE_HAND},
    [ROOM_EV_CHAT] = {.none = "the message itself is shown"},
    [ROOM_EV_CHAT_DELETED] = {"%a deleted a message.", .style = STYLE_NOTICE},
    [ROOM_EV_CHAT_EDITED] = {"%a changed a message: %x.", .style = STYLE_NOTICE},
    [ROOM_EV_CHAT_PURGED] = {"%a deleted all messages of %t.", .mine = "%a deleted all your messages.",
                             .style = STYLE_NOTICE},
    [ROOM_EV_CHAT_CLEARED] = {"%a deleted the whole chat.", .style = STYLE_NOTICE},
    [ROOM_EV_INVITE] = {"%a made an invite link.", .style = STYLE_NOTICE},
    [ROOM_EV_INVITE_USED] = {.none = "who comes in with it is told"},
    [ROOM_EV_INVITE_REVOKED] = {"%a revoked an invite link.", .style = STYLE_NOTICE},
    [ROOM_EV_UNDONE] = {"%a undid the last act.", .style = STYLE_NOTICE},
};

const char *say_silence(enum room_ev kind) {
  return FORMS[kind].none;
}

static bool on_itself(const struct room_event *ev) {
  return ev->n_targets == 1 && ev->targets[0] == ev->actor;
}

static bool has_target(const struct room_event *ev, uint32_t id) {
  for (size_t i = 0; i < ev->n_targets; i++)
    if (ev->targets[i] == id)
      return true;
  return false;
}

static const char *text_of(const struct room_event *ev) {
  return ev->text != NULL ? ev->text : ev->ban != NULL ? ev->ban->reason : "";
}

/* by_time: actor 0 is the operator, or time itself where the kind knows that. */
static bool by_time(const struct form *f, const struct room *r, const struct room_event *ev) {
  bool ran_out = ev->kind != ROOM_EV_FLOOR || (r->talk_take && r->talk_s > 0);
  return f->time != NULL && ev->actor == 0 && ran_out && (f->other == NULL || ev->num == 0);
}

/* pick: NULL for no sentence. */
static const char *pick(const struct form *f, const struct room *r, uint32_t me,
                        const struct room_event *ev) {
  bool mine = ev->n_targets == 1 && ev->targets[0] == me && ev->actor != me;
  switch (ev->kind) {
  case ROOM_EV_LEFT:
    return ev->num == 1 ? f->other : ev->num == 2 ? f->self : f->text;
  case ROOM_EV_REMOVED:
    return ev->num == 1 ? f->other : f->text;
  case ROOM_EV_TOPIC:
  case ROOM_EV_AGENDA:
    return text_of(ev)[0] != '\0' ? f->text : f->other;
  case ROOM_EV_SUCCESSION:
    return ev->n_targets > 0 ? f->text : f->other;
  case ROOM_EV_TALK_TIME: /* num=2*seconds+take */
    return ev->num >= 2 ? f->text : f->other;
  case ROOM_EV_HAND:
    return ev->num != 0 ? f->text : on_itself(ev) ? f->self : mine ? f->mine : f->other;
  case ROOM_EV_BANNED:
    return ev->n_targets == 0 ? f->text : NULL;
  case ROOM_EV_EXEMPT:
    if (!r->mute_all || (ev->num == 0 && on_itself(ev)))
      return NULL;
    return ev->num == 0 ? f->other : f->text;
  default:
    break;
  }
  if (by_time(f, r, ev))
    return f->time;
  if (f->self != NULL && on_itself(ev))
    return f->self;
  if (f->mine != NULL && mine)
    return f->mine;
  return f->other != NULL && ev->num == 0 ? f->other : f->text;
}

static const char *with_article(enum role role) {
  static const char *const NAMES[] = {
      [ROLE_MONITOR] = "a monitor", [ROLE_AUDIENCE] = "audience", [ROLE_SPEAKER] = "a speaker",
      [ROLE_COHOST] = "a cohost",   [ROLE_HOST] = "a host",       [ROLE_OWNER] = "the owner"};
  return role > ROLE_NONE && role <= ROLE_OWNER ? NAMES[role] : "somebody else";
}

static const char *choice_words(enum room_ev kind, int64_t num) {
  static const char *const CHAT[] = {"off, except to the hosts", "messages to all only",
                                     "private messages only", "everything is open"};
  static const char *const POLICY[] = {"the room goes on", "newcomers wait",
                                       "the room ends after 10 minutes"};
  static const char *const ADMIT[] = {"everybody waits", "those on the list walk in",
                                      "those on the list and all with an account walk in"};
  const char *const *words = kind == ROOM_EV_CHAT_MODE ? CHAT : kind == ROOM_EV_POLICY ? POLICY : ADMIT;
  int64_t n = kind == ROOM_EV_CHAT_MODE ? 4 : 3;
  return num >= 0 && num < n ? words[num] : "changed";
}

void say_duration(int64_t seconds, char out[24]) {
  static const struct {
    int64_t s;
    const char *one, *many;
  } UNITS[] = {{86400, "day", "days"}, {3600, "h", "h"}, {60, "min", "min"}, {1, "s", "s"}};
  size_t u = 0;
  while (u < 3 && (seconds == 0 || (seconds % UNITS[u].s != 0 && seconds < 10 * UNITS[u].s)))
    u++;
  int64_t n = (seconds + UNITS[u].s / 2) / UNITS[u].s;
  snprintf(out, 24, "%" PRId64 " %s", n, n == 1 ? UNITS[u].one : UNITS[u].many);
}

/* add_lines: the lines of a text with `sep` between them. */
static void add_lines(struct sentence *s, const char *text, const char *sep) {
  for (bool first = true; *text != '\0'; first = false) {
    char line[SAY_MAX];
    size_t n = strcspn(text, "\n");
    snprintf(line, sizeof line, "%s%.*s", first ? "" : sep, (int)(n < SAY_MAX ? n : SAY_MAX - 1), text);
    add(s, line);
    text += n + (text[n] == '\n');
  }
}

/* line_at: the i-th line, 0 the first; false past the last. */
static bool line_at(const char *text, size_t i, char out[SAY_MAX]) {
  for (; text != NULL && i > 0 && *text != '\0'; i--)
    text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
  if (text == NULL || *text == '\0')
    return false;
  snprintf(out, SAY_MAX, "%.*s", (int)strcspn(text, "\n"), text);
  return true;
}

/* add_poll: "Lunch? 1 yes, 2 no." */
static void add_poll(struct sentence *s, const char *text, bool anonymous) {
  char line[SAY_MAX], number[24];
  if (line_at(text, 0, line))
    add(s, line);
  for (size_t i = 1; line_at(text, i, line); i++) {
    snprintf(number, sizeof number, "%s%zu ", i > 1 ? ", " : " ", i);
    add(s, number);
    add(s, line);
  }
  add(s, anonymous ? ". Nobody sees who answers what;" : ".");
}

static const struct ban *ban_of(const struct room *r, const struct room_event *ev) {
  for (size_t i = 0; ev->ban == NULL && i < r->n_bans; i++)
    if (r->bans[i].id == (uint64_t)ev->num)
      return &r->bans[i];
  return ev->ban;
}

void say_ban(const struct ban *b, char out[SAY_MAX]) {
  if (b == NULL)
    snprintf(out, SAY_MAX, "someone");
  else if (b->name[0] != '\0')
    snprintf(out, SAY_MAX, "%s", b->name);
  else if (b->user[0] != '\0')
    snprintf(out, SAY_MAX, "user:%s", b->user);
  else if (b->invite != 0)
    snprintf(out, SAY_MAX, "invite:%" PRIu64, b->invite);
  else
    snprintf(out, SAY_MAX, "an address");
}

/* expand_more: the escapes with one user each. */
static void expand_more(struct sentence *s, const struct room *r, uint32_t me, const struct room_event *ev,
                        char what) {
  char words[SAY_MAX] = "", time[24];
  const struct ban *b = ban_of(r, ev);
  size_t hands = 1;
  switch (what) {
  case 'w': /* MUTE_ALL: num */
    add(s, (ev->num & 4) != 0 ? " but hosts and speakers" : " but hosts");
    break;
  case 'k': /* TALK_TIME */
    say_duration(ev->num / 2, time);
    snprintf(words, sizeof words, "%s%s", time, ev->num % 2 != 0 ? ", then the floor is taken" : "");
    break;
  case 'l':
    add_lines(s, text_of(ev), "; ");
    break;
  case 'g': /* AGENDA_AT */
    if (!line_at(r->agenda, (size_t)ev->num, words))
      snprintf(words, sizeof words, "it is done");
    break;
  case 'm': { /* PINNED: not its text, which may be deleted later */
    const struct chat *c = room_chat_by_id(r, (uint64_t)ev->num);
    if (c != NULL && c->from == me)
      snprintf(words, sizeof words, " of yours");
    else if (c != NULL && c->name[0] != '\0')
      snprintf(words, sizeof words, " of %s", c->name);
    break;
  }
  case 'y': /* UNTRUSTED */
    snprintf(words, sizeof words, "someone");
    for (size_t i = 0; i < r->n_trusted; i++)
      if (r->trusted[i].id == (uint64_t)ev->num)
        snprintf(words, sizeof words, "%s", r->trusted[i].name);
    break;
  case 'q':
    add_poll(s, text_of(ev), ev->num != 0);
    break;
  case 'b':
    say_ban(b, words);
    if (ev->kind == ROOM_EV_BANNED && b != NULL && b->what == BAN_SPEAK)
      (void)text_append(words, sizeof words, " from speaking");
    break;
  case 'u': /* BANNED, SILENCED: for how long */
    if (b != NULL && b->until_ms != 0) {
      say_duration((b->until_ms - ev->ts_ms + 500) / 1000, time);
      snprintf(words, sizeof words, " for %s", time);
    }
    break;
  case 'U': /* BAN_EDITED */
    say_duration((ev->num2 - ev->ts_ms + 500) / 1000, time);
    snprintf(words, sizeof words, ev->num2 != 0 ? "%s more" : "for good", time);
    break;
  case 'M': /* MUTED */
    add(s, has_target(ev, me) ? " (you may unmute)" : "");
    break;
  case 'h': /* HAND: the place it gets */
    for (size_t i = 0; i < r->n_members; i++)
      hands += r->members[i].hand != 0;
    if (ev->n_targets == 1 && ev->num2 == 0)
      snprintf(words, sizeof words, ", number %zu", hands);
    break;
  default:
    add(s, text_of(ev));
  }
  add(s, words);
}

/* add_targets: who was only let in with this very event is known from it. */
static void add_targets(struct sentence *s, const struct room *r, uint32_t me, const struct room_event *ev,
                        bool own) {
  char people[SAY_MAX];
  bool one = ev->n_targets == 1, first = s->len == 0;
  if (own && one && ev->targets[0] == me) {
    add(s, first ? "Your" : "your");
    return;
  }
  if (one && ev->entry != NULL && ev->entry->id == ev->targets[0] && ev->targets[0] != me)
    snprintf(people, sizeof people, "%s", ev->entry->name);
  else
    say_people(r, me, ev->targets, ev->n_targets, first, people, sizeof people);
  add(s, people);
  add(s, own ? "'s" : "");
}

static void expand(struct sentence *s, const struct room *r, uint32_t me, const struct room_event *ev,
                   char what) {
  char words[32];
  bool first = s->len == 0, you = ev->n_targets == 1 && ev->targets[0] == me;
  switch (what) {
  case 'a':
    add(s, say_name(r, me, ev->actor, first));
    break;
  case 't':
  case 'p':
  case 'P':
    add_targets(s, r, me, ev, what != 't');
    break;
  case 'i':
    add(s, ev->n_targets == 1 && !you ? "is" : "are");
    break;
  case 'z':
    add(s, ev->actor == me ? "" : "s");
    break;
  case 'S':
    add(s, ev->n_targets == 1 && !you ? "s" : "");
    break;
  case 'e':
    add(s, ev->entry == NULL     ? (first ? "Someone" : "someone")
           : ev->entry->id == me ? (first ? "You" : "you")
                                 : ev->entry->name);
    break;
  case 'r':
    add(s, text_of(ev)[0] != '\0' ? ": " : "");
    add(s, text_of(ev));
    break;
  case 'n':
    snprintf(words, sizeof words, "%" PRId64, ev->num);
    add(s, words);
    break;
  case 'd':
    say_duration(ev->num, words);
    add(s, words);
    break;
  case 'D':
    say_duration((ev->num - ev->ts_ms + 500) / 1000, words);
    add(s, words);
    break;
  case 'N':
    add(s, with_article((enum role)ev->num));
    break;
  case 'c':
    add(s, choice_words(ev->kind, ev->num));
    break;
  case 's':
    snprintf(words, sizeof words, ev->num == 0 ? "the main room" : "side room %d", (int)ev->num);
    add(s, words);
    break;
  default:
    expand_more(s, r, me, ev, what);
  }
}

bool say_event(const struct room *r, uint32_t me, const struct room_event *ev, char out[SAY_MAX],
               enum style *style) {
  const struct form *f = &FORMS[ev->kind];
  struct sentence s = {out, 0, SAY_MAX};
  const char *p = f->text != NULL ? pick(f, r, me, ev) : NULL;
  out[0] = '\0';
  if (p == NULL)
    return false;
  *style = f->style;
  for (; *p != '\0'; p++) {
    char one[2] = {*p, '\0'};
    if (*p == '.' && p[1] == '\0' && s.len > 0 && strchr(".?!", out[s.len - 1]) != NULL)
      break; /* what was typed ends the sentence already */
    if (*p == '%')
      expand(&s, r, me, ev, *++p);
    else
      add(&s, one);
  }
  if (ev->kind == ROOM_EV_MUTE_ALL && (ev->num & 3) == 2)
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
  const char *from = c->from == me ? "You" : c->name[0] != '\0' ? c->name : "The operator";
  const char *edited = c->edited ? " (changed)" : "";
  switch (c->kind) {
  case CHAT_PRIVATE:
    snprintf(out, SAY_MAX, "%s to %s (private)%s", from, say_name(r, me, c->to, false), edited);
    break;
  case CHAT_SIDE:
    snprintf(out, SAY_MAX, "%s in side room %u%s", from, c->to, edited);
    break;
  case CHAT_ANNOUNCE:
    snprintf(out, SAY_MAX, "Announcement by %s%s",
             c->from == me  ? "you"
             : c->from == 0 ? "the operator"
                            : from,
             edited);
    break;
  default:
    snprintf(out, SAY_MAX, "%s%s%s", from,
             c->kind == CHAT_TO_HOSTS ? " to the hosts"
             : c->kind == CHAT_LOBBY  ? " to the lobby"
                                      : "",
             edited);
  }
}
