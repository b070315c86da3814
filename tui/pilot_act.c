/* Acts: on whom they work, what a key or a typed line makes of them. */
#include "core/base/text.h"
#include "tui/perform.h"
#include "tui/pilot_private.h"

#include <stdio.h>
#include <string.h>

bool pilot_refuse(struct pilot *c, us_t now, const char *why) {
  c->refused = ERR_BAD_REQUEST;
  model_toast(c->m, now, STYLE_WARN, why);
  return false;
}

bool pilot_forbid(struct pilot *c, us_t now, const char *why) {
  (void)pilot_refuse(c, now, why);
  c->refused = ERR_NOT_ALLOWED;
  return false;
}

void pilot_prefill(struct pilot *c, const char *text) {
  c->m->mode = MODE_COMMAND;
  lineedit_set(c->m->command, text);
}

/* ---- on whom ---- */

struct selection pilot_selection(const struct model *m) {
  return (struct selection){m->marks, m->n_marks, m->cursor, false};
}

static bool fits(const struct model *m, enum act act, uint32_t id) {
  const struct member *p = room_member(&m->room, id);
  bool waits = p != NULL && p->presence == PRESENCE_WAITING;
  return p != NULL && (waits == (ACTS[act].target == TARGET_WAITING) || (waits && act_reaches_lobby(act)));
}

static size_t targets_of(const struct model *m, enum act act, const struct selection *s, uint32_t *ids,
                         size_t cap) {
  size_t n = 0, waiting;
  if (ACTS[act].target < TARGET_LIST)
    return 0;
  for (size_t i = 0; i < s->n_marks && n < cap; i++)
    if (fits(m, act, s->marks[i]))
      ids[n++] = s->marks[i];
  if (n > 0 || cap == 0 || ACTS[act].target == TARGET_LIST)
    return n; /* a list may be empty: only who was marked is meant, never who is merely under the cursor */
  if (fits(m, act, s->cursor))
    ids[n++] = s->cursor;
  const uint32_t *lobby = model_lobby(m, &waiting);
  /* Next in line; but who chose in the lobby, and lost whom he chose, gets no stand-in. */
  if (n == 0 && act == ACT_ADMIT && m->pane != PANE_LOBBY && !s->frozen && waiting > 0)
    ids[n++] = lobby[0];
  return n;
}

size_t pilot_targets(const struct model *m, enum act act, uint32_t *ids, size_t cap) {
  struct selection s = pilot_selection(m);
  return targets_of(m, act, &s, ids, cap);
}

static bool has_people_pane(const struct model *m) {
  return m->pane == PANE_PEOPLE || m->pane == PANE_LOBBY || m->pane == PANE_HANDS || m->pane == PANE_CARD;
}

bool pilot_on_self(const struct model *m) {
  uint32_t ids[2];
  size_t n = pilot_targets(m, ACT_MUTE, ids, 2);
  return !model_is_moderator(m) || !has_people_pane(m) || n == 0 || (n == 1 && ids[0] == m->me);
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
  if (act == ACT_END && m->room.ends_ms != 0)
    return ACT_END_CANCEL;
  return act;
}

/* ---- sending ---- */

/* above_own: nobody makes others more than he is himself; the server's "lower rank" would mean someone else.
 */
static bool above_own(struct pilot *c, const struct act_order *o, us_t now) {
  char text[SAY_MAX];
  const struct member *self = model_self(c->m);
  bool above = o->act == ACT_ROLE && self != NULL && o->num > (int64_t)self->role && o->num <= ROLE_OWNER;
  if (!above)
    return false;
  const char *role = role_name((enum role)o->num), *a = strchr("aeiou", role[0]) != NULL ? "an" : "a";
  snprintf(text, sizeof text, "only %s %s can make %s %s", a, role, a, role);
  (void)pilot_forbid(c, now, text);
  return true;
}

bool pilot_submit(struct pilot *c, const struct act_order *o, us_t now) {
  struct model *m = c->m;
  const struct command *cmd = command_of_act(o->act);
  const char *why = o->n_targets == 0 ? command_refusal(m, cmd, 0) : NULL;
  for (size_t i = 0; i < o->n_targets && why == NULL; i++)
    why = command_refusal(m, cmd, o->targets[i]);
  if (why != NULL)
    return pilot_forbid(c, now, why);
  if (above_own(c, o, now))
    return false;
  if (o->act == ACT_LEAVE)
    model_intent(m, INTENT_LEAVE);
  else if (o->act == ACT_END)
    return ask_end(c, "", now);
  else if (ACTS[o->act].ask)
    ask_act(c, o, now);
  else
    model_act(m, o);
  return true;
}

/* own_mic: mute and unmute of oneself move the microphone too: one key between on air and muted. */
static bool own_mic(struct pilot *c, enum act act, us_t now) {
  struct act_order o = {.act = act};
  if (act == ACT_MUTE && !c->m->gate && c->m->mic == MIC_CLOSED) {
    pilot_mic(c, true, now);
    return true;
  }
  if (act == ACT_MUTE)
    o.targets[o.n_targets++] = c->m->me;
  if (!pilot_submit(c, &o, now))
    return false;
  pilot_mic(c, act == ACT_UNMUTE, now);
  return true;
}

/* needs_words: it cannot go without more than people; or, without a key of its own, it could say more, and
 * what it does without words is rarely meant (topic, password). */
static bool needs_words(enum act act) {
  struct act_arg arg;
  for (size_t i = 0; act_param_at(act, i, &arg); i++)
    if (arg.param->kind != PARAM_PEOPLE && (!arg.optional || ACTS[act].key[0] == '\0'))
      return true;
  return false;
}

/* write_line: the command and its people; false when they do not fit. */
static bool write_line(const struct model *m, const struct act_order *o, bool ids, char *line, size_t cap) {
  char name[TEXT_NAME_MAX + 8];
  command_title(command_of_act(o->act), line);
  bool fit = text_append(line, cap, " ");
  for (size_t i = 0; i < o->n_targets && fit; i++) {
    if (ids)
      snprintf(name, sizeof name, "#%u", o->targets[i]);
    else
      act_words_name(&m->room, o->targets[i], name, sizeof name);
    fit = text_append(line, cap, name) && text_append(line, cap, " ");
  }
  return fit;
}

/* prefill_act: nobody is dropped: where the names are too long the numbers stand for them. */
static bool prefill_act(struct pilot *c, const struct act_order *o, us_t now) {
  char line[TEXT_CHAT_MAX - 50];
  if (!write_line(c->m, o, false, line, sizeof line) && !write_line(c->m, o, true, line, sizeof line))
    return pilot_refuse(c, now, "so many do not fit on a line: mark fewer");
  pilot_prefill(c, line);
  return true;
}

/* is_chosen: someone is there for it, and no more than it takes. */
static bool is_chosen(struct pilot *c, const struct act_order *o, us_t now) {
  enum act_target t = ACTS[o->act].target;
  if (t == TARGET_ONE && o->n_targets > 1)
    return pilot_refuse(c, now, "that works on one person: T removes the marks");
  if (t < TARGET_ONE || o->n_targets > 0)
    return true;
  return pilot_refuse(c, now,
                      t == TARGET_WAITING && model_count(c->m, PRESENCE_WAITING) == 0
                          ? "nobody waits"
                          : "choose a person first: up, down");
}

/* leave_out: of many who were marked, those it may not be done to are left out, and that is said; when it may
 * be done to none of them, all stay and the refusal tells why. */
static void leave_out(struct pilot *c, struct act_order *o, us_t now) {
  const struct command *cmd = command_of_act(o->act);
  const char *why = NULL;
  size_t n = 0;
  char text[SAY_MAX];
  if (o->n_targets < 2 || command_refusal(c->m, cmd, 0) != NULL)
    return;
  for (size_t i = 0; i < o->n_targets; i++)
    n += command_refusal(c->m, cmd, o->targets[i]) == NULL;
  if (n == 0 || n == o->n_targets)
    return;
  snprintf(text, sizeof text, "%zu left out: ", o->n_targets - n);
  for (size_t i = n = 0; i < o->n_targets; i++) {
    const char *refusal = command_refusal(c->m, cmd, o->targets[i]);
    if (refusal == NULL)
      o->targets[n++] = o->targets[i];
    else if (why == NULL)
      why = refusal;
  }
  o->n_targets = n;
  (void)text_append(text, sizeof text, why);
  model_toast(c->m, now, STYLE_WARN, text);
}

/* on_me: without people these mean oneself. */
static bool on_me(enum act act) {
  return act == ACT_MUTE || act == ACT_HAND_LOWER;
}

bool pilot_act_on(struct pilot *c, enum act act, const struct selection *s, us_t now) {
  struct model *m = c->m;
  struct act_order o = {.act = act};
  bool keyless = ACTS[act].key[0] == '\0';
  o.n_targets = targets_of(m, act, s, o.targets, ACT_ORDER_TARGETS_MAX);
  if (on_me(act) && o.n_targets == 0)
    o.targets[o.n_targets++] = m->me;
  if (!is_chosen(c, &o, now))
    return false;
  leave_out(c, &o, now);
  if (needs_words(act) || (keyless && ACTS[act].target == TARGET_LIST && o.n_targets == 0)) {
    const char *why = command_refusal(m, command_of_act(act), o.n_targets > 0 ? o.targets[0] : 0);
    if (why != NULL)
      return pilot_forbid(c, now, why);
    return prefill_act(c, &o, now);
  }
  if (!pilot_submit(c, &o, now))
    return false;
  if (m->mode != MODE_ASK) /* a No leaves the marks as they were */
    m->n_marks = 0;
  return true;
}

bool pilot_act_key(struct pilot *c, enum act act, us_t now) {
  struct selection s = pilot_selection(c->m), self = {NULL, 0, c->m->me, true};
  enum act does = pilot_toggled(c->m, act);
  if ((does == ACT_MUTE || does == ACT_UNMUTE) && pilot_on_self(c->m))
    return own_mic(c, does, now);
  return pilot_act_on(c, does, does == ACT_HAND_LOWER && act == ACT_HAND ? &self : &s, now);
}

bool pilot_command(struct pilot *c, const struct command *cmd, us_t now) {
  const char *why = cmd->act == ACT__COUNT ? command_refusal(c->m, cmd, 0) : NULL;
  if (why != NULL)
    return pilot_forbid(c, now, why);
  return cmd->act == ACT__COUNT ? perform_ui(c, cmd->ui, "", now) : pilot_act_key(c, cmd->act, now);
}

/* ---- lines ---- */

/* attendance: what follows is the file it goes to. */
static void take_file(struct model *m, const char *words) {
  snprintf(m->save_as, sizeof m->save_as, "%s", words);
}

static bool act_line(struct pilot *c, enum act act, const char *words, us_t now) {
  char why[SAY_MAX];
  struct act_order o;
  bool file = act == ACT_ATTENDANCE;
  if (act == ACT_END)
    return ask_end(c, words, now);
  if (!act_words_parse(&c->m->room, act, file ? "" : words, &o, why))
    return pilot_refuse(c, now, why);
  bool mine = o.n_targets == 0 && (on_me(act) || act == ACT_UNMUTE);
  if (mine && act != ACT_UNMUTE)
    o.targets[o.n_targets++] = c->m->me;
  if (!pilot_submit(c, &o, now))
    return false;
  if (mine && act != ACT_HAND_LOWER)
    pilot_mic(c, act == ACT_UNMUTE, now);
  if (file)
    take_file(c->m, words);
  return true;
}

bool pilot_line(struct pilot *c, const char *line, us_t now) {
  char why[SAY_MAX];
  line += strspn(line, " :/");
  size_t len = strcspn(line, " ");
  if (len == 0)
    return true;
  const struct command *cmd = command_find(line, len, why);
  const char *words = line + len + strspn(line + len, " ");
  if (cmd == NULL)
    return pilot_refuse(c, now, why);
  if (cmd->act != ACT__COUNT)
    return act_line(c, cmd->act, words, now);
  const char *refusal = command_refusal(c->m, cmd, 0);
  return refusal == NULL ? perform_ui(c, cmd->ui, words, now) : pilot_forbid(c, now, refusal);
}

bool pilot_say(struct pilot *c, const char *text, us_t now) {
  struct act_order o = {.act = ACT_CHAT};
  snprintf(o.text, sizeof o.text, "%s", text);
  return pilot_submit(c, &o, now);
}
