#include "tui/pilot.h"

#include "core/base/text.h"
#include "tui/pages.h"
#include "tui/perform.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void pilot_init(struct pilot *c, struct model *m, const struct keymap *keys) {
  *c = (struct pilot){.m = m, .keys = keys};
  ptt_init(&c->ptt);
}

static bool refuse(struct pilot *c, us_t now, const char *why) {
  model_toast(c->m, now, STYLE_WARN, why);
  return false;
}

#define ASK_SETTLE_US                                                                                        \
  (400 * US_PER_MS) /* a key meant for something else does not answer a question that just came */

/* ---- the microphone ---- */

static void set_gate(struct pilot *c) {
  bool open = c->mic_on || ptt_is_open(&c->ptt);
  c->m->ptt_words = ptt_is_open(&c->ptt) ? ptt_words(&c->ptt) : NULL;
  if (open == c->m->gate)
    return;
  c->m->gate = open;
  model_intent(c->m, INTENT_GATE)->on = open;
}

void pilot_mic(struct pilot *c, bool on, us_t now) {
  c->mic_on = on;
  if (!on)
    ptt_cut(&c->ptt, now);
  set_gate(c);
}

void pilot_tick(struct pilot *c, us_t now) {
  bool voice = c->m->level < 45; /* louder than -45 dBov */
  if (c->m->state == CLIENT_ENDED)
    ptt_cut(&c->ptt, now);
  ptt_poll(&c->ptt, now, voice);
  set_gate(c);
  if (c->m->invite_new) {
    c->m->invite_new = false;
    model_page(c->m, "Invite link", pages_link(c->m->invite, c->m->ascii));
  }
  if (c->m->asked.kind != ASK_NOTHING && c->m->mode == MODE_KEYS) {
    c->m->ask = c->m->asked;
    c->m->asked.kind = ASK_NOTHING;
    c->m->ask_since = now;
    c->m->mode = MODE_ASK;
  }
}

us_t pilot_next_tick(const struct pilot *c) {
  return ptt_next_timeout(&c->ptt);
}

/* talk: who muted himself is unmuted by talking; who was muted by a host must say so with his own key first.
 */
static void talk(struct pilot *c, enum key_phase phase, us_t now) {
  const struct member *self = model_self(c->m);
  if (phase == KEY_PRESS && self != NULL && self->muted) {
    if (self->muted_by != c->m->me) {
      refuse(c, now,
             c->m->mic == MIC_HELD ? "muted by a host until lifted: raise a hand"
                                   : "you are muted: m unmutes");
      return;
    }
    model_act(c->m, &(struct order){.act = ACT_UNMUTE});
  }
  ptt_key(&c->ptt, now, phase, c->releases);
  pilot_tick(c, now);
}

/* ---- acts ---- */

size_t pilot_targets(const struct model *m, enum act act, uint32_t *ids, size_t cap) {
  bool lobby = ACTS[act].target == TARGET_WAITING;
  size_t n = 0;
  if (ACTS[act].target < TARGET_ONE)
    return 0;
  for (size_t i = 0; i < m->n_marks; i++) {
    const struct member *p = room_member(&m->room, m->marks[i]);
    if (p == NULL || (p->presence == PRESENCE_WAITING) != lobby || n == cap)
      continue;
    ids[n++] = p->id;
  }
  const struct member *at = room_member(&m->room, m->cursor);
  if (n == 0 && cap > 0 && at != NULL && (at->presence == PRESENCE_WAITING) == lobby)
    ids[n++] = at->id;
  for (size_t i = 0; n == 0 && cap > 0 && lobby && i < m->room.n_members; i++)
    if (m->room.members[i].presence == PRESENCE_WAITING)
      ids[n++] = m->room.members[i].id;
  return n;
}

bool pilot_on_self(const struct model *m) {
  uint32_t ids[2];
  size_t n = pilot_targets(m, ACT_MUTE, ids, 2);
  return !model_is_moderator(m) || m->pane == PANE_CHAT || n == 0 || (n == 1 && ids[0] == m->me);
}

enum act pilot_toggled(const struct model *m, enum act act) {
  const struct member *self = model_self(m);
  if (self == NULL)
    return act;
  if (act == ACT_MUTE && pilot_on_self(m) && self->muted)
    return ACT_UNMUTE;
  if (act == ACT_HAND && self->hand != 0)
    return ACT_HAND_LOWER;
  if (act == ACT_LOCK && m->room.locked)
    return ACT_UNLOCK;
  if (act == ACT_MUTE_ALL && m->room.mute_all)
    return ACT_MUTE_LIFT;
  return act;
}

/* end_typed: a room is ended for everyone only by who types its name; until then `:end ` is open for it. */
static bool end_typed(struct pilot *c, const char *words, us_t now) {
  struct model *m = c->m;
  const char *why = command_refusal(m, command_of_act(ACT_END), 0);
  char text[SAY_MAX];
  if (why != NULL)
    return refuse(c, now, why);
  if (strcmp(words, m->room.name) == 0) {
    model_act(m, &(struct order){.act = ACT_END});
    return true;
  }
  snprintf(text, sizeof text, "Type end %s to end it for everyone (%zu here).", m->room.name,
           room_count(&m->room, PRESENCE_HERE));
  if (words[0] != '\0')
    return refuse(c, now, "that is not its name");
  model_toast(m, now, STYLE_NOTICE, text);
  m->mode = MODE_COMMAND;
  lineedit_set(m->command, "end ");
  return true;
}

static void ask_act(struct model *m, const struct order *o) {
  struct question *q = &m->ask;
  char people[SAY_MAX / 2];
  *q = (struct question){.kind = ASK_ACT, .order = *o, .no = "no"};
  say_people(&m->room, m->me, o->targets, o->n_targets, false, people, sizeof people);
  switch (o->act) {
  case ACT_REMOVE:
    q->yes = "remove";
    q->other = command_refusal(m, command_of_act(ACT_BAN), o->targets[0]) == NULL ? 'b' : '\0';
    q->other_word = "remove and ban";
    snprintf(q->text, sizeof q->text, "Remove %s from %s?", people, m->room.name);
    break;
  case ACT_BAN:
    q->yes = "ban";
    snprintf(q->text, sizeof q->text, "Remove %s from %s and keep them out?", people, m->room.name);
    break;
  case ACT_CHAT_CLEAR:
    q->yes = "delete";
    snprintf(q->text, sizeof q->text, "Delete the whole chat of %s for everyone?", m->room.name);
    break;
  default:
    q->yes = "yes";
    snprintf(q->text, sizeof q->text, "%s %s?", ACTS[o->act].name, people);
  }
  m->mode = MODE_ASK;
}

/* submit: permission first (with the reason), then the question, then the outbox. */
static bool submit(struct pilot *c, struct order *o, us_t now) {
  struct model *m = c->m;
  const struct command *cmd = command_of_act(o->act);
  const char *why = o->n_targets == 0 ? command_refusal(m, cmd, 0) : NULL;
  for (size_t i = 0; i < o->n_targets && why == NULL; i++)
    why = command_refusal(m, cmd, o->targets[i]);
  if (why != NULL)
    return refuse(c, now, why);
  if (o->act == ACT_LEAVE) {
    model_intent(m, INTENT_LEAVE);
  } else if (o->act == ACT_END) {
    return end_typed(c, "", now);
  } else if (ACTS[o->act].ask) {
    ask_act(m, o);
  } else {
    model_act(m, o);
  }
  return true;
}

/* own_mic: mute and unmute of oneself move the microphone too: one key between on air and muted. */
static bool own_mic(struct pilot *c, enum act act, us_t now) {
  struct order o = {.act = act};
  if (act == ACT_MUTE && !c->m->gate && c->m->mic == MIC_CLOSED) {
    pilot_mic(c, true, now);
    return true;
  }
  if (act == ACT_MUTE)
    o.targets[o.n_targets++] = c->m->me;
  if (!submit(c, &o, now))
    return false;
  pilot_mic(c, act == ACT_UNMUTE, now);
  return true;
}

/* needs_words: what the form wants beyond people. */
static bool needs_words(const char *args) {
  for (const char *f = args; *f != '\0';) {
    size_t len = strcspn(f, " ");
    if (f[0] != '[' && strncmp(f, "who", 3) != 0)
      return true;
    f += len + (f[len] == ' ');
  }
  return false;
}

static void prefill(struct pilot *c, const struct command *cmd, const struct order *o) {
  char line[TEXT_CHAT_MAX / 2], name[TEXT_NAME_MAX + 8];
  command_title(cmd, line);
  (void)text_append(line, sizeof line, " ");
  for (size_t i = 0; i < o->n_targets; i++) {
    args_name(c->m, o->targets[i], name, sizeof name);
    if (strlen(line) + strlen(name) + 2 < sizeof line)
      (void)(text_append(line, sizeof line, name) && text_append(line, sizeof line, " "));
  }
  c->m->mode = MODE_COMMAND;
  lineedit_set(c->m->command, line);
}

static bool act_key(struct pilot *c, const struct command *cmd, us_t now) {
  struct model *m = c->m;
  struct order o = {.act = pilot_toggled(m, cmd->act)};
  if ((o.act == ACT_MUTE || o.act == ACT_UNMUTE) && pilot_on_self(m))
    return own_mic(c, o.act, now);
  o.n_targets = o.act == ACT_HAND_LOWER ? 0 : pilot_targets(m, o.act, o.targets, MODEL_MARKS_MAX);
  if (o.act == ACT_HAND_LOWER)
    o.targets[o.n_targets++] = m->me;
  if (ACTS[o.act].target == TARGET_ONE && o.n_targets > 1)
    return refuse(c, now, "that works on one person: T removes the marks");
  if (ACTS[o.act].target >= TARGET_ONE && o.n_targets == 0)
    return refuse(c, now,
                  ACTS[o.act].target == TARGET_WAITING ? "nobody waits" : "choose a person first: up, down");
  if (needs_words(command_of_act(o.act)->args)) {
    const char *why = command_refusal(m, command_of_act(o.act), o.n_targets > 0 ? o.targets[0] : 0);
    if (why != NULL)
      return refuse(c, now, why);
    prefill(c, command_of_act(o.act), &o);
    return true;
  }
  bool sent = submit(c, &o, now);
  if (sent)
    m->n_marks = 0;
  return sent;
}

bool pilot_command(struct pilot *c, const struct command *cmd, us_t now) {
  return cmd->act == ACT__COUNT ? perform_ui(c, cmd->ui, "", now) : act_key(c, cmd, now);
}

bool pilot_line(struct pilot *c, const char *line, us_t now) {
  char why[SAY_MAX];
  struct order o;
  line += strspn(line, " :/");
  size_t len = strcspn(line, " ");
  if (len == 0)
    return true;
  const struct command *cmd = command_find(line, len, why);
  if (cmd == NULL)
    return refuse(c, now, why);
  const char *words = line + len + strspn(line + len, " ");
  if (cmd->act == ACT__COUNT)
    return perform_ui(c, cmd->ui, words, now);
  if (cmd->act == ACT_END)
    return end_typed(c, words, now);
  if (!args_parse(c->m, cmd, words, &o, why))
    return refuse(c, now, why);
  bool mine = o.n_targets == 0 && (o.act == ACT_MUTE || o.act == ACT_UNMUTE || o.act == ACT_HAND_LOWER);
  if (mine && o.act != ACT_UNMUTE)
    o.targets[o.n_targets++] = c->m->me;
  bool sent = submit(c, &o, now);
  if (sent && mine && o.act != ACT_HAND_LOWER)
    pilot_mic(c, o.act == ACT_UNMUTE, now);
  return sent;
}

bool pilot_say(struct pilot *c, const char *text, us_t now) {
  struct order o = {.act = ACT_CHAT};
  snprintf(o.text, sizeof o.text, "%s", text);
  return submit(c, &o, now);
}

void pilot_answer(struct pilot *c, char letter, us_t now) {
  struct question q = c->m->ask;
  bool yes = letter == 'y' || letter == 'Y', other = q.other != '\0' && (letter | 0x20) == q.other;
  model_close(c->m);
  if (!yes && !other)
    return;
  if (q.kind == ASK_QUIT && yes) {
    model_intent(c->m, INTENT_LEAVE);
  } else if (q.kind == ASK_UNMUTE) {
    model_act(c->m, &q.order);
    pilot_mic(c, true, now);
  } else if (q.kind == ASK_QUIT) {
    (void)end_typed(c, "", now);
  } else {
    if (other)
      q.order.act = ACT_BAN;
    model_act(c->m, &q.order);
    c->m->n_marks = 0;
  }
}

/* ---- keys ---- */

static void complete(struct pilot *c) {
  struct completion comp;
  struct lineedit *le = c->m->command;
  args_complete(c->m, lineedit_text(le), lineedit_cursor(le), &comp);
  if (comp.n == 0)
    return;
  char text[TEXT_NAME_MAX + 16];
  size_t same = strlen(comp.of[0].text); /* as far as all candidates agree */
  for (size_t i = 1; i < comp.n; i++)
    while (strncmp(comp.of[0].text, comp.of[i].text, same) != 0)
      same--;
  size_t typed = lineedit_cursor(le) - comp.from;
  if (comp.n > 1 && same <= typed)
    same = strlen(comp.of[0].text); /* nothing more in common: take the first shown */
  snprintf(text, sizeof text, "%.*s%s", (int)same, comp.of[0].text,
           same == strlen(comp.of[0].text) ? " " : "");
  lineedit_replace(le, comp.from, text);
}

static void submit_line(struct pilot *c, us_t now) {
  struct model *m = c->m;
  struct lineedit *le = model_edit(m);
  char text[TEXT_CHAT_MAX + 1];
  snprintf(text, sizeof text, "%s", lineedit_text(le));
  if (m->mode == MODE_FILTER || m->mode == MODE_HELP) {
    m->mode = MODE_KEYS; /* the filter stays; Esc forgets it */
    return;
  }
  bool chat = m->mode == MODE_CHAT;
  lineedit_accept(le);
  if (!chat || text[0] == '\0')
    m->mode = MODE_KEYS;
  if (text[0] == '\0')
    return;
  if (chat ? pilot_say(c, text, now) : pilot_line(c, text, now))
    return;
  m->mode = chat ? MODE_CHAT : MODE_COMMAND; /* refused: what was typed is not lost */
  lineedit_set(chat ? m->chat : m->command, text);
}

static void edit_key(struct pilot *c, struct key k, const char *paste, us_t now) {
  struct model *m = c->m;
  struct lineedit *le = model_edit(m);
  enum lineedit_result r = paste != NULL ? lineedit_insert(le, paste, strlen(paste)) : lineedit_key(le, k);
  if (r == LINEEDIT_SUBMIT)
    submit_line(c, now);
  else if (r == LINEEDIT_FULL)
    model_intent(m, INTENT_BELL);
  else if (m->mode == MODE_COMMAND && k.code == KEY_TAB)
    complete(c);
  else if (m->mode == MODE_COMMAND && k.code == KEY_BACKSPACE && r == LINEEDIT_UNUSED)
    model_close(m);
  if (m->mode == MODE_FILTER)
    snprintf(m->filter, sizeof m->filter, "%s", lineedit_text(m->search));
  if (m->mode == MODE_HELP && r == LINEEDIT_CHANGED)
    m->help_row = 0;
}

/* page_key: help and pages scroll; false for keys they do not know. */
static bool page_key(struct model *m, uint32_t code) {
  size_t *at = m->mode == MODE_HELP ? &m->help_row : &m->scroll;
  switch (code) {
  case KEY_DOWN:
    *at += 1;
    return true;
  case KEY_UP:
    *at -= *at > 0;
    return true;
  case KEY_PGDN:
    *at += 10;
    return true;
  case KEY_PGUP:
    *at -= *at > 10 ? 10 : *at;
    return true;
  default:
    return false;
  }
}

static bool escape(struct pilot *c, struct key k, us_t now) {
  struct model *m = c->m;
  if (k.code == 'c' && (k.mods & MOD_CTRL) != 0) {
    perform_quit(c, now);
    return true;
  }
  if (k.code != KEY_ESC || k.mods != 0 || m->mode == MODE_KEYS)
    return false;
  if (m->mode == MODE_FILTER)
    m->filter[0] = '\0';
  if (m->mode == MODE_ASK)
    pilot_answer(c, 'n', now);
  else
    model_close(m);
  return true;
}

static void look_up(struct pilot *c, enum key_context context, struct key k, us_t now) {
  char why[SAY_MAX];
  const char *action = keymap_lookup(c->keys, context, k);
  const struct command *cmd = action != NULL ? command_find(action, strlen(action), why) : NULL;
  if (cmd == command_of_ui(UI_TALK))
    talk(c, (enum key_phase)k.phase, now);
  else if (cmd != NULL && k.phase != KEY_RELEASE)
    pilot_command(c, cmd, now);
}

static bool is_global(const struct pilot *c, struct key k) {
  bool chord = (k.mods & (MOD_ALT | MOD_CTRL)) != 0 || (k.code >= KEY_F1 && k.code <= KEY_F12);
  return chord && keymap_lookup(c->keys, KEY_CONTEXT_INPUT, k) != NULL;
}

void pilot_key(struct pilot *c, struct key k, const char *paste, us_t now) {
  struct model *m = c->m;
  if (k.phase == KEY_RELEASE) { /* only the talk key cares, whatever is typed by now */
    k.mods = 0;
    const char *action = keymap_lookup(c->keys, KEY_CONTEXT_ROOM, k);
    if (action != NULL && strcmp(action, "talk") == 0 && ptt_is_open(&c->ptt))
      talk(c, KEY_RELEASE, now);
    return;
  }
  if (m->state == CLIENT_ENDED) {
    if (k.code == 'q' || k.code == KEY_ENTER || k.code == KEY_ESC ||
        (k.code == 'c' && (k.mods & MOD_CTRL) != 0))
      model_intent(m, INTENT_LEAVE);
    return;
  }
  if (escape(c, k, now))
    return;
  if (m->mode == MODE_ASK) {
    bool settled = m->ask.kind != ASK_UNMUTE || now >= m->ask_since + ASK_SETTLE_US;
    if (settled && paste == NULL && k.mods <= MOD_SHIFT && (k.code < 128 || k.code == KEY_ENTER))
      pilot_answer(c, k.code < 128 ? (char)k.code : 'n', now);
  } else if (is_global(c, k)) {
    look_up(c, KEY_CONTEXT_INPUT, k, now);
  } else if ((m->mode == MODE_HELP || m->mode == MODE_PAGE) && page_key(m, k.code)) {
    return;
  } else if (model_edit(m) != NULL) {
    edit_key(c, k, paste, now);
  } else if (paste != NULL) {
    m->mode = MODE_CHAT; /* text pasted without a line open is a message to look at, never keys */
    edit_key(c, k, paste, now);
  } else if (m->mode == MODE_PAGE && (k.code == 'q' || k.code == KEY_ENTER || k.code == ' ')) {
    model_close(m);
  } else {
    look_up(c, KEY_CONTEXT_ROOM, k, now);
  }
}
