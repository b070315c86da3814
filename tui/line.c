#include "tui/line.h"

#include "tui/pages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_MAX (TEXT_CHAT_MAX + SAY_MAX)
static const char NO_MIC[] = "NO MICROPHONE"; /* whatever the status line calls it */

void line_init(struct line *l, struct pilot *ctl, void (*put)(void *ctx, const char *text), void *ctx) {
  *l = (struct line){.ctl = ctl, .m = ctl->m, .put = put, .ctx = ctx, .mic = ""};
}

/* say: filters once more what the terminal will get: names and texts came from the network. */
static void say(struct line *l, const char *text) {
  char out[OUT_MAX];
  size_t n = 0;
  const char *end = text + strlen(text);
  while (text < end && n + 5 < sizeof out) {
    uint32_t cp = text_utf8_next(&text, end);
    if (cp == '\n')
      cp = ' ';
    if (text_cp_safe(cp))
      n += text_utf8_put(cp, out + n);
  }
  out[n] = '\0';
  l->put(l->ctx, out);
}

__attribute__((format(printf, 2, 3))) static void sayf(struct line *l, const char *form, ...) {
  char text[OUT_MAX];
  va_list ap;
  va_start(ap, form);
  vsnprintf(text, sizeof text, form, ap);
  va_end(ap);
  say(l, text);
}

static void say_page(struct line *l, const char *text) {
  while (*text != '\0') {
    size_t n = strcspn(text, "\n");
    sayf(l, "%.*s", (int)n, text);
    text += n + (text[n] == '\n');
  }
}

/* say_open: what a command opened on the screen is said here, and closed again. */
static void say_open(struct line *l) {
  struct model *m = l->m;
  if (m->mode == MODE_PAGE) {
    say_page(l, m->page);
    model_close(m);
  } else if (m->mode == MODE_HELP) {
    char *help = pages_help(m, NULL, lineedit_text(m->search));
    say_page(l, help);
    free(help);
    model_close(m);
  } else if (m->mode == MODE_COMMAND) {
    sayf(l, "Type: /%s...", lineedit_text(m->command));
    model_close(m);
  } else if (m->mode == MODE_ASK && !l->asked) {
    const struct question *q = &m->ask;
    if (q->other != '\0')
      sayf(l, "%s y: %s, %c: %s, anything else: %s.", q->text, q->yes, q->other, q->other_word, q->no);
    else
      sayf(l, "%s y: %s, anything else: %s.", q->text, q->yes, q->no);
  } else if (m->mode == MODE_CHAT || m->mode == MODE_FILTER) {
    model_close(m);
  }
  l->asked = m->mode == MODE_ASK;
}

static void say_chats(struct line *l) {
  const struct room *r = &l->m->room;
  char head[SAY_MAX], clock[8];
  for (size_t i = 0; i < r->n_chat; i++) {
    const struct chat *c = &r->chat[i];
    if (c->id <= l->chat)
      continue;
    l->chat = c->id;
    if (c->deleted)
      continue;
    say_chat_head(r, l->m->me, c, head);
    model_clock(l->m, c->ts_ms, clock);
    sayf(l, "%s: %s %s", head, c->text, clock);
  }
}

/* counts: what a person wants to know after people came and went. */
static void counts(const struct model *m, enum room_ev kind, char *out, size_t cap) {
  size_t here = room_count(&m->room, PRESENCE_HERE), waiting = room_count(&m->room, PRESENCE_WAITING);
  out[0] = '\0';
  switch (kind) {
  case ROOM_EV_KNOCKED:
    snprintf(out, cap, " %zu waiting.", waiting);
    break;
  case ROOM_EV_ADMITTED:
  case ROOM_EV_JOINED:
  case ROOM_EV_LEFT:
  case ROOM_EV_REMOVED:
  case ROOM_EV_AWAY:
  case ROOM_EV_BACK:
    snprintf(out, cap, " %zu here.", here);
    break;
  default:
    break;
  }
}

static void say_room_event(struct line *l, enum room_ev kind, uint64_t group, int64_t ts_ms) {
  struct model *m = l->m;
  char more[32], clock[8];
  bool undo = m->toast_group == group && strstr(m->toast, " - u undoes") != NULL;
  bool my_end = model_self(m) == NULL && kind == ROOM_EV_LEFT; /* the end is said when it comes */
  if (m->said[0] != '\0' && !my_end) {
    counts(m, kind, more, sizeof more);
    if (model_self(m) == NULL)
      more[0] = '\0'; /* about oneself, and one is gone: nothing to count */
    model_clock(m, ts_ms, clock);
    sayf(l, "%s%s%s %s", m->said, more, undo ? " /undo takes it back." : "", clock);
  }
  m->toast[0] = '\0'; /* said already; the group stays known, so the rest of it brings no second hint */
  say_chats(l);
}

static void say_state(struct line *l, int64_t wall_ms) {
  const struct model *m = l->m;
  char clock[8], words[SAY_MAX];
  model_clock(m, wall_ms, clock);
  switch (m->state) {
  case CLIENT_CONNECTING:
    sayf(l, "Connecting. %s", clock);
    break;
  case CLIENT_LOBBY:
    sayf(l, "You are in the lobby, number %u of %u. A host has been told. %s", m->place, m->waiting, clock);
    break;
  case CLIENT_JOINED: /* the snapshot that follows says who is here */
    break;
  case CLIENT_RECONNECTING:
    sayf(l, "The server is gone. Connecting again. %s", clock);
    break;
  case CLIENT_ENDED:
    model_end_words(m, words);
    if (m->why == ERR_OK)
      sayf(l, "You left. %s", clock);
    else
      sayf(l, "It is over: %s. %s", words, clock);
    break;
  }
}

static void say_snapshot(struct line *l, int64_t wall_ms) {
  const struct model *m = l->m;
  uint32_t ids[4];
  size_t waiting, n = 0;
  char people[SAY_MAX], clock[8];
  (void)model_list(m, ids, 4, &waiting);
  for (size_t i = 0; i < m->room.n_members && n < 4; i++)
    if (m->room.members[i].presence == PRESENCE_HERE)
      ids[n++] = m->room.members[i].id;
  say_people(&m->room, m->me, ids, n, false, people, sizeof people);
  model_clock(m, wall_ms, clock);
  size_t here = room_count(&m->room, PRESENCE_HERE);
  if (here > 3)
    sayf(l, "You are in %s. %zu here. %s", m->room.name, here, clock);
  else
    sayf(l, "You are in %s. %zu here: %s. %s", m->room.name, here, people, clock);
  if (waiting > 0)
    sayf(l, "%zu waiting: /waiting lists them, /admit lets them in.", waiting);
  say_chats(l);
}

static void say_toast(struct line *l) {
  struct model *m = l->m;
  size_t len = strlen(m->toast);
  if (len > 0)
    sayf(l, "%s%s%s", m->toast_style == STYLE_WARN ? "Not done: " : "", m->toast,
         m->toast[len - 1] == '.' ? "" : ".");
  m->toast[0] = '\0';
}

/* say_notice: what the engine has to tell, made a sentence. */
static void say_notice(struct line *l) {
  char text[SAY_MAX];
  say_sentence(l->m->toast, text);
  if (text[0] != '\0')
    say(l, text);
  if (strncmp(text, "No microphone", 13) == 0)
    l->mic = NO_MIC; /* need not be said twice */
  l->m->toast[0] = '\0';
}

static void say_mic(struct line *l) {
  const char *words = model_mic_words(l->m);
  if (l->m->mic == MIC_NONE)
    words = NO_MIC;
  if (strcmp(words, l->mic) == 0)
    return;
  if (words == NO_MIC)
    say(l, l->m->no_audio ? "No sound: you moderate and chat."
                          : "No microphone: you listen, moderate and chat.");
  else
    sayf(l, "Microphone: %s.", words + (strncmp(words, "MIC ", 4) == 0 ? 4 : 0));
  l->mic = words;
}

void line_event(struct line *l, struct client_event *ev, us_t now, int64_t wall_ms) {
  struct model *m = l->m;
  int kind = (int)ev->kind;
  enum client_state before = m->state;
  bool talked = m->muted_talk, first = !m->have_room || m->state != CLIENT_JOINED;
  enum room_ev room_kind = kind == CLIENT_EV_EVENT ? ev->event->kind : ROOM_EV__COUNT;
  uint64_t group = kind == CLIENT_EV_EVENT ? ev->event->group : 0;
  int64_t ts_ms = kind == CLIENT_EV_EVENT ? ev->event->ts_ms : 0;
  model_update(m, ev, now);
  pilot_tick(l->ctl, now);
  if (kind == CLIENT_EV_STATE && (first || m->state != before))
    say_state(l, wall_ms);
  else if (kind == CLIENT_EV_ROOM)
    say_snapshot(l, wall_ms);
  else if (kind == CLIENT_EV_EVENT)
    say_room_event(l, room_kind, group, ts_ms);
  else if (kind == CLIENT_EV_MIC)
    say_mic(l);
  else if (kind == CLIENT_EV_REPLY)
    say_toast(l);
  else if (kind == CLIENT_EV_NOTICE)
    say_notice(l);
  if (m->muted_talk && !talked)
    say(l, "You are talking while muted.");
  say_open(l);
}

void line_input(struct line *l, const char *text, us_t now) {
  struct model *m = l->m;
  if (m->mode == MODE_ASK)
    pilot_answer(l->ctl, text[0], now);
  else if (text[0] == '/' || text[0] == ':')
    pilot_line(l->ctl, text + 1, now);
  else if (text[strspn(text, " ")] != '\0')
    pilot_say(l->ctl, text, now);
  pilot_tick(l->ctl, now);
  say_toast(l);
  say_open(l);
}

/* say_talker: once for each run of speech; the same person again only when others were named since, or after
 * a while. */
static void say_talker(struct line *l, size_t slot, us_t now) {
  const struct model_talk *t = &l->m->talk[slot];
  bool known = l->said[slot].member == t->member;
  bool late = !known || now - l->said[slot].at >= LINE_TALK_AGAIN_US;
  if (t->member == 0 || t->member == l->m->me || t->until - MODEL_TALK_HOLD_US - t->since < LINE_TALK_US ||
      (known && l->said[slot].since == t->since))
    return;
  l->said[slot].member = t->member;
  l->said[slot].since = t->since;
  if (!late || t->member == l->talker)
    return;
  l->said[slot].at = now;
  l->talker = t->member;
  sayf(l, "%s is talking.", say_name(&l->m->room, l->m->me, t->member, true));
}

void line_tick(struct line *l, us_t now) {
  model_tick(l->m, now);
  pilot_tick(l->ctl, now);
  for (size_t i = 0; i < CLIENT_LEVELS_MAX; i++)
    say_talker(l, i, now);
  say_open(l);
}

us_t line_next_tick(const struct line *l) {
  us_t a = model_next_tick(l->m), b = pilot_next_tick(l->ctl);
  return a < b ? a : b;
}
