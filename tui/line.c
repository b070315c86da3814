#include "tui/line_private.h"
#include "tui/pages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TIER_US US_PER_S
#define OUT_MAX (TEXT_CHAT_MAX + SAY_MAX)
static const char NO_MIC[] = "NO MICROPHONE"; /* whatever the status line calls it */

void line_init(struct line *l, struct pilot *ctl, void (*put)(void *ctx, const char *text), void *ctx) {
  *l = (struct line){.ctl = ctl, .m = ctl->m, .put = put, .ctx = ctx, .mic = ""};
  line_crowd_init(l);
}

/* Filters once more what the terminal will get: names and texts came from the network. */
void line_say(struct line *l, const char *text) {
  char out[OUT_MAX];
  text_show(text, false, out, sizeof out);
  l->put(l->ctx, out);
}

void line_sayf(struct line *l, const char *form, ...) {
  char text[OUT_MAX];
  va_list ap;
  va_start(ap, form);
  vsnprintf(text, sizeof text, form, ap);
  va_end(ap);
  line_say(l, text);
}

void line_page(struct line *l, const char *text) {
  while (*text != '\0') {
    size_t n = strcspn(text, "\n");
    line_sayf(l, "%.*s", (int)n, text);
    text += n + (text[n] == '\n');
  }
}

void line_pairs(struct line *l, const char *text, const char *gap) {
  while (*text != '\0') {
    char row[TEXT_CHAT_MAX + SAY_MAX] = "";
    size_t n = strcspn(text, "\n"), len = 0;
    for (size_t i = strspn(text, " "); i < n && len + 4 < sizeof row;) {
      size_t blanks = strspn(text + i, " ");
      if (blanks > 1)
        len += (size_t)snprintf(row + len, sizeof row - len, "%s", gap);
      else
        row[len++] = text[i];
      i += blanks > 1 ? blanks : 1;
    }
    row[len] = '\0';
    if (len > 0)
      line_say(l, row);
    text += n + (text[n] == '\n');
  }
}

/* say_question: once; what joins it later (whom a ban would also hit) is said when it comes. */
static void say_question(struct line *l) {
  const struct question *q = &l->m->ask;
  size_t len = strlen(q->text);
  bool again = q->kind == ASK_UNMUTE && q->until == l->asked_until;
  l->asked_until = q->until;
  if (again)
    return;
  if (l->asked > 0 && len > l->asked)
    line_sayf(l, "%s", q->text + l->asked + strspn(q->text + l->asked, " "));
  else if (l->asked == 0 && q->other != '\0')
    line_sayf(l, "%s y: %s, %c: %s, anything else: %s.", q->text, q->yes, q->other, q->other_word, q->no);
  else if (l->asked == 0)
    line_sayf(l, "%s y: %s, anything else: %s.", q->text, q->yes, q->no);
  l->asked = len;
}

/* say_open: what a command opened on the screen is said here, and closed again. */
static void say_open(struct line *l) {
  struct model *m = l->m;
  if (m->mode == MODE_ASK) {
    say_question(l);
    return;
  }
  l->asked = 0;
  if (m->mode == MODE_PAGE) {
    if (m->page[0] == '\0')
      line_sayf(l, "%s: nothing.", m->page_title);
    else if (!l->saving)
      line_page(l, m->page);
  } else if (m->mode == MODE_MENU) {
    char *menu = pages_menu(m);
    line_pairs(l, menu, ": ");
    free(menu);
  } else if (m->mode == MODE_HELP) {
    char *help = pages_help(m, NULL, lineedit_text(m->search));
    line_pairs(l, help, ": ");
    free(help);
  } else if (m->mode == MODE_COMMAND && !l->told) {
    line_sayf(l, "Type: /%s...", lineedit_text(m->command));
  }
  if (m->mode != MODE_KEYS)
    model_close(m);
}

/* say_chats: messages newer than the last one said; `since_ms`: and than that. */
static void say_chats(struct line *l, int64_t since_ms) {
  const struct room *r = &l->m->room;
  char head[SAY_MAX], clock[8];
  for (size_t i = 0; i < r->n_chat; i++) {
    const struct chat *c = &r->chat[i];
    if (c->id <= l->chat)
      continue;
    l->chat = c->id;
    if (c->deleted || c->ts_ms <= since_ms)
      continue;
    line_crowd_flush(l, false, l->m->now);
    say_chat_head(r, l->m->me, c, head);
    model_clock(l->m, c->ts_ms, clock);
    line_sayf(l, "%s: %s (%s)", head, c->text, clock);
  }
}

/* take_news: what of an event is needed when the model has taken it over. */
static struct line_news take_news(const struct room_event *ev) {
  return (struct line_news){.kind = ev->kind,
                            .group = ev->group,
                            .ts_ms = ev->ts_ms,
                            .num = ev->num,
                            .actor = ev->actor,
                            .first = ev->n_targets > 0   ? ev->targets[0]
                                     : ev->entry != NULL ? ev->entry->id
                                                         : 0,
                            .n = ev->n_targets > 0 ? ev->n_targets : 1};
}

static void say_room_event(struct line *l, const struct line_news *e, us_t now) {
  struct model *m = l->m;
  char clock[8], more[32] = "";
  bool undo = m->toast_group == e->group && strstr(m->toast, " - u undoes") != NULL;
  /* the end is said when it comes, and what one is asked with its question */
  bool my_end = (model_self(m) == NULL && e->kind == ROOM_EV_LEFT) || e->kind == ROOM_EV_ENDED;
  bool my_question = e->kind == ROOM_EV_ASKED &&
                     (m->asked.until == now + MODEL_ASKED_US || m->ask.until == now + MODEL_ASKED_US);
  if (!line_crowd_event(l, e, now) && m->said[0] != '\0' && !my_end && !my_question) {
    line_crowd_flush(l, false, now);
    model_clock(m, e->ts_ms, clock);
    if (model_self(m) != NULL && (e->kind == ROOM_EV_REMOVED || e->kind == ROOM_EV_HELD))
      snprintf(more, sizeof more, " %zu here.", model_count(m, PRESENCE_HERE));
    line_sayf(l, "%s%s%s %s", m->said, more, undo ? " /undo takes it back." : "", clock);
  }
  m->toast[0] = '\0'; /* said already; the group stays known, so the rest of it brings no second hint */
  say_chats(l, 0);
  l->heard_ms = e->ts_ms;
}

static void say_toast(struct line *l) {
  struct model *m = l->m;
  size_t len = strlen(m->toast);
  l->told = len > 0;
  if (len > 0)
    line_sayf(l, "%s%s%s", m->toast_style == STYLE_WARN ? "Not done: " : "", m->toast,
              m->toast[len - 1] == '.' ? "" : ".");
  m->toast[0] = '\0';
}

static void say_state(struct line *l, int64_t wall_ms) {
  const struct model *m = l->m;
  char clock[8], words[SAY_MAX];
  model_clock(m, wall_ms, clock);
  switch (m->state) {
  case CLIENT_CONNECTING:
    line_sayf(l, "Connecting. %s", clock);
    break;
  case CLIENT_LOBBY: /* line_crowd.c says the place */
    if (l->entered)
      line_sayf(l, "You are back in the lobby%s%s. %s", m->end_text[0] != '\0' ? ": " : "", m->end_text,
                clock);
    break;
  case CLIENT_JOINED: /* the snapshot that follows says who is here */
    say_toast(l);     /* "You were let in." */
    break;
  case CLIENT_RECONNECTING:
    line_sayf(l, "The server is gone. Connecting again. %s", clock);
    break;
  case CLIENT_ENDED:
    model_end_words(m, words);
    if (m->why == ERR_OK)
      line_sayf(l, "You left. %s", clock);
    else
      line_sayf(l, "It is over: %s. %s", words, clock);
    break;
  }
}

/* say_snapshot: the room one has come into; a fresh one for other reasons (another role) is no news, but who
 * waits is for whom it was hidden. Old messages that were hidden from him stay unsaid. */
static void say_snapshot(struct line *l, int64_t wall_ms) {
  const struct model *m = l->m;
  uint32_t ids[4];
  size_t waiting = model_count(m, PRESENCE_WAITING), here = model_count(m, PRESENCE_HERE), n = 0;
  char people[SAY_MAX], clock[8];
  for (size_t i = 0; i < m->room.n_members && n < 4; i++)
    if (m->room.members[i].presence == PRESENCE_HERE)
      ids[n++] = m->room.members[i].id;
  say_people(&m->room, m->me, ids, n, false, people, sizeof people);
  model_clock(m, wall_ms, clock);
  if (!l->entered && here > 3)
    line_sayf(l, "You are in %s. %zu here. %s", m->room.name, here, clock);
  else if (!l->entered)
    line_sayf(l, "You are in %s. %zu here: %s. %s", m->room.name, here, people, clock);
  if (waiting > 0)
    line_sayf(l, "%zu waiting: /waiting lists them, /admit lets them in.", waiting);
  say_chats(l, l->entered ? l->heard_ms : 0);
  l->entered = true;
}

/* say_notice: what the engine has to tell, made a sentence. */
static void say_notice(struct line *l) {
  char text[SAY_MAX];
  say_sentence(l->m->toast, text);
  if (text[0] != '\0')
    line_say(l, text);
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
    line_say(l, l->m->no_audio ? "No sound: you moderate and chat."
                               : "No microphone: you listen, moderate and chat.");
  else
    line_sayf(l, "Microphone: %s.", words + (strncmp(words, "MIC ", 4) == 0 ? 4 : 0));
  l->mic = words;
}

/* hear_link: the sound his line gets has changed: said when it stays so, for both ways change one by one. */
static void hear_link(struct line *l, us_t now) {
  char words[sizeof l->tier];
  bandwidth_words(&l->m->link, words);
  bool other = l->m->link.connected && strcmp(words, l->tier) != 0;
  l->tier_due = !other ? 0 : l->tier_due != 0 ? l->tier_due : now + TIER_US;
}

static void say_link(struct line *l, us_t now) {
  char words[sizeof l->tier];
  if (l->tier_due == 0 || l->tier_due > now)
    return;
  bandwidth_words(&l->m->link, words);
  l->tier_due = 0;
  line_sayf(l, "Your line: %s.", words[0] != '\0' ? words : "full again");
  memcpy(l->tier, words, sizeof l->tier);
}

static void say_update(struct line *l, int kind, const struct line_news *news, us_t now, int64_t wall_ms) {
  switch (kind) {
  case CLIENT_EV_STATE:
    line_crowd_flush(l, true, now);
    say_state(l, wall_ms);
    l->entered = l->entered && l->m->state == CLIENT_JOINED;
    line_crowd_tick(l, now);
    break;
  case CLIENT_EV_ROOM:
    say_snapshot(l, wall_ms);
    break;
  case CLIENT_EV_EVENT:
    say_room_event(l, news, now);
    break;
  case CLIENT_EV_MIC:
    say_mic(l);
    break;
  case CLIENT_EV_LINK:
    hear_link(l, now);
    break;
  case CLIENT_EV_REPLY:
    line_crowd_flush(l, true, now);
    say_toast(l);
    break;
  case CLIENT_EV_NOTICE:
    say_notice(l);
    break;
  case CLIENT_EV_HISTORY:
    line_older(l);
    break;
  default:
    break;
  }
}

void line_event(struct line *l, struct client_event *ev, us_t now, int64_t wall_ms) {
  struct model *m = l->m;
  int kind = (int)ev->kind;
  enum client_state before = m->state;
  bool talked = m->muted_talk, known = m->have_room;
  struct line_news news = {0};
  if (kind == CLIENT_EV_EVENT)
    news = take_news(ev->event);
  l->saving = kind == CLIENT_EV_REPLY && m->save_as[0] != '\0';
  model_update(m, ev, now);
  if (m->invite_new) /* without the picture of it */
    line_say(l, m->invite);
  m->invite_new = false;
  pilot_tick(l->ctl, now);
  if (kind != CLIENT_EV_STATE || m->state != before || !known)
    say_update(l, kind, &news, now, wall_ms);
  if (m->muted_talk && !talked)
    line_say(l, "You are talking while muted.");
  say_open(l);
  l->saving = false;
}

/* answer_of: a letter alone or the word it stands for; everything else is No. A question that came by itself
 * takes nothing else than those, as the line may have been meant for the chat: then 0. */
static char answer_of(const struct question *q, const char *text) {
  char word[64];
  snprintf(word, sizeof word, "%s", text + strspn(text, " :/"));
  for (size_t n = strlen(word); n > 0 && word[n - 1] == ' ';)
    word[--n] = '\0';
  if (strcasecmp(word, "yes") == 0 || strcasecmp(word, q->yes) == 0)
    return 'y';
  if (strcasecmp(word, "no") == 0)
    return 'n';
  if (q->other != '\0' && strcasecmp(word, q->other_word) == 0)
    return q->other;
  bool letter = word[0] != '\0' && word[1] == '\0';
  return letter ? word[0] : q->kind == ASK_UNMUTE ? '\0' : 'n';
}

static bool command(struct line *l, const char *text, us_t now) {
  char why[SAY_MAX];
  text += strspn(text, " :/");
  size_t len = strcspn(text, " ");
  const struct command *c = command_find(text, len, why);
  const char *words = text + len + strspn(text + len, " ");
  return (c != NULL && c->act == ACT__COUNT && line_view(l, c->ui, words, now)) ||
         pilot_line(l->ctl, text, now);
}

void line_input(struct line *l, const char *text, us_t now) {
  struct model *m = l->m;
  pilot_tick(l->ctl, now); /* a question that waits is open before the line is read */
  char answer = m->mode == MODE_ASK ? answer_of(&m->ask, text) : '\0';
  line_crowd_flush(l, true, now);
  if (m->mode == MODE_ASK && answer == '\0') { /* it comes back behind this line */
    m->asked = m->ask;
    model_close(m);
  }
  if (answer != '\0') {
    l->asked = 0; /* another question may follow */
    pilot_answer(l->ctl, answer, now);
  } else if (text[0] == '/' || text[0] == ':') {
    command(l, text, now);
  } else if (text[strspn(text, " ")] != '\0') {
    pilot_say(l->ctl, text, now);
  }
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
  line_sayf(l, "%s is talking.", say_name(&l->m->room, l->m->me, t->member, true));
}

void line_tick(struct line *l, us_t now) {
  model_tick(l->m, now);
  pilot_tick(l->ctl, now);
  for (size_t i = 0; i < CLIENT_LEVELS_MAX; i++)
    say_talker(l, i, now);
  line_crowd_tick(l, now);
  say_link(l, now);
  say_open(l);
}

us_t line_next_tick(const struct line *l) {
  us_t a = model_next_tick(l->m), b = pilot_next_tick(l->ctl), c = line_crowd_next(l);
  a = a < b ? a : b;
  a = l->tier_due != 0 && l->tier_due < a ? l->tier_due : a;
  return a < c ? a : c;
}
