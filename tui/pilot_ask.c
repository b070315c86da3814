/* Questions: whom they name, how they are answered, and that they run out. */
#include "core/base/text.h"
#include "tui/perform.h"
#include "tui/pilot_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PEOPLE_MAX 230 /* bytes of their names in a question: two of the longest */

/* base_len: of a name without the " (2)" that keeps doubles apart. */
static size_t base_len(const char *name) {
  size_t len = strlen(name), at = len;
  if (len < 4 || name[len - 1] != ')')
    return len;
  for (at = len - 1; at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9';)
    at--;
  return at >= 2 && at < len - 1 && name[at - 1] == '(' && name[at - 2] == ' ' ? at - 2 : len;
}

/* has_double: someone else's name looks the same. */
static bool has_double(const struct room *r, const struct member *p) {
  size_t len = base_len(p->name);
  for (size_t i = 0; i < r->n_members; i++) {
    const struct member *q = &r->members[i];
    if (q->id != p->id && base_len(q->name) == len && strncasecmp(q->name, p->name, len) == 0)
      return true;
  }
  return false;
}

static void one_name(const struct room *r, uint32_t id, char *out, size_t cap) {
  const struct member *p = room_member(r, id);
  if (p == NULL)
    snprintf(out, cap, "#%u", id);
  else
    snprintf(out, cap, has_double(r, p) ? "%s (#%u)" : "%s", p->name, id);
}

/* names: "bob", "bob and eve", "12 people: alice, bob and 10 more". */
static void names(const struct room *r, const struct act_order *o, char *out, size_t cap) {
  char name[TEXT_NAME_MAX + 16], more[40] = "";
  size_t shown = o->n_targets > 3 ? 2 : o->n_targets;
  out[0] = '\0';
  if (o->n_targets > 3) {
    snprintf(out, cap, "%zu people: ", o->n_targets);
    snprintf(more, sizeof more, " and %zu more", o->n_targets - shown);
  }
  for (size_t i = 0; i < shown; i++) {
    one_name(r, o->targets[i], name, sizeof name);
    (void)(text_append(out, cap,
                       i == 0                  ? ""
                       : i + 1 == o->n_targets ? " and "
                                               : ", ") &&
           text_append(out, cap, name));
  }
  (void)text_append(out, cap, more);
}

static bool all_wait(const struct room *r, const struct act_order *o) {
  for (size_t i = 0; i < o->n_targets; i++) {
    const struct member *p = room_member(r, o->targets[i]);
    if (p == NULL || p->presence != PRESENCE_WAITING)
      return false;
  }
  return o->n_targets > 0;
}

/* ask_ban: what kind of ban, for how long, and whether by address. */
static void ask_ban(const struct room *r, const struct act_order *o, const char *people, struct question *q) {
  char span[24], more[64] = "";
  if (o->has_num2 && o->num2 > 0) {
    say_duration(o->num2, span);
    snprintf(more, sizeof more, " for %s", span);
  }
  if ((o->flags & FLAG_ADDRESS) != 0)
    (void)text_append(more, sizeof more, " and everyone at their address");
  q->yes = "ban";
  if (o->has_num && o->num == BAN_SPEAK)
    snprintf(q->text, sizeof q->text, "Ban %s from speaking in %s%s?", people, r->name, more);
  else if (all_wait(r, o))
    snprintf(q->text, sizeof q->text, "Turn %s away from the lobby of %s and keep them out%s?", people,
             r->name, more);
  else
    snprintf(q->text, sizeof q->text, "Remove %s from %s and keep them out%s?", people, r->name, more);
}

/* check_ban: the server tells whom a ban would also hit; its answer joins the question. */
static void check_ban(struct model *m, const struct act_order *o) {
  struct act_order check = *o;
  check.act = ACT_BAN_CHECK;
  check.text[0] = '\0';
  check.has_num = check.has_num2 = false;
  check.num = check.num2 = 0;
  check.flags &= FLAG_ADDRESS;
  m->ask.checking = true;
  model_act(m, &check);
}

void ask_act(struct pilot *c, const struct act_order *o, us_t now) {
  struct model *m = c->m;
  struct question *q = &m->ask;
  char people[PEOPLE_MAX];
  *q = (struct question){.kind = ASK_ACT, .order = *o, .no = "no"};
  names(&m->room, o, people, sizeof people);
  switch (o->act) {
  case ACT_REMOVE:
    q->yes = "remove";
    q->other = 'b';
    for (size_t i = 0; i < o->n_targets; i++)
      if (command_refusal(m, command_of_act(ACT_BAN), o->targets[i]) != NULL)
        q->other = '\0';
    q->other_word = "ban instead";
    snprintf(q->text, sizeof q->text, "Remove %s from %s?", people, m->room.name);
    break;
  case ACT_BAN:
    ask_ban(&m->room, o, people, q);
    break;
  case ACT_CHAT_PURGE:
    q->yes = "delete";
    snprintf(q->text, sizeof q->text, "Delete all messages of %s in %s?", people, m->room.name);
    break;
  case ACT_CHAT_CLEAR:
    q->yes = "delete";
    snprintf(q->text, sizeof q->text, "Delete the whole chat of %s for everyone?", m->room.name);
    break;
  default:
    q->yes = "yes";
    snprintf(q->text, sizeof q->text, "%s %s?", ACTS[o->act].name, people);
  }
  model_ask(m, now);
  if (o->act == ACT_BAN)
    check_ban(m, o);
}

bool ask_end(struct pilot *c, const char *words, us_t now) {
  struct model *m = c->m;
  const char *why = command_refusal(m, command_of_act(ACT_END), 0);
  size_t name = strlen(m->room.name), len = strcspn(words, " ");
  char text[SAY_MAX];
  struct act_order o;
  if (why != NULL)
    return pilot_forbid(c, now, why);
  if (len == name && memcmp(words, m->room.name, len) == 0) {
    words += len + strspn(words + len, " ");
    bool at_once = strcasecmp(words, "now") == 0;
    if (!act_words_parse(&m->room, ACT_END, at_once ? "0" : words, &o, text))
      return pilot_refuse(c, now, text);
    model_act(m, &o);
    return true;
  }
  if (words[0] != '\0') {
    bool time = act_words_parse(&m->room, ACT_END, words, &o, text);
    bool bare = time && words[strspn(words, "0123456789")] == '\0';
    snprintf(text, sizeof text, "type: end %s%s%.20s%s", m->room.name, time ? " " : "", time ? words : "",
             bare ? "s" : "");
    return pilot_refuse(c, now, text);
  }
  snprintf(text, sizeof text, "Type end %s (%zu here)", m->room.name, model_count(m, PRESENCE_HERE));
  model_toast(m, now, STYLE_NOTICE, text);
  pilot_prefill(c, "end ");
  return true;
}

void perform_quit(struct pilot *c, us_t now) {
  struct model *m = c->m;
  struct question *q = &m->ask;
  if (m->state != CLIENT_JOINED || (m->mode == MODE_ASK && q->kind == ASK_QUIT)) {
    model_intent(m, INTENT_LEAVE);
    return;
  }
  if (m->mode == MODE_ASK && q->kind == ASK_UNMUTE)
    m->asked = *q; /* it comes back */
  *q = (struct question){.kind = ASK_QUIT, .yes = "leave", .no = "stay"};
  snprintf(q->text, sizeof q->text, "Leave %s?", m->room.name);
  if (command_refusal(m, command_of_act(ACT_END), 0) == NULL) {
    q->other = 'e';
    q->other_word = "end for everyone";
  }
  model_ask(m, now);
}

static void answer_unmute(struct pilot *c, const struct question *q, bool yes, us_t now) {
  const char *why = command_refusal(c->m, command_of_act(ACT_UNMUTE), 0);
  if (why != NULL) {
    if (yes)
      (void)pilot_forbid(c, now, why);
    return;
  }
  model_act(c->m, yes ? &q->order : &(struct act_order){.act = ACT_DECLINE});
  if (yes)
    pilot_mic(c, true, now);
}

/* drop_check: answered before ban_check was even sent (scripts answer at once): nobody reads its reply. */
static void drop_check(struct model *m, const struct question *q) {
  const struct intent *last = m->n_outbox > 0 ? &m->outbox[m->n_outbox - 1] : NULL;
  if (q->checking && q->check == 0 && last != NULL && last->kind == INTENT_ACT &&
      last->order.act == ACT_BAN_CHECK)
    m->n_outbox--;
}

void pilot_answer(struct pilot *c, char letter, us_t now) {
  struct question q = c->m->ask;
  bool yes = letter == 'y' || letter == 'Y', other = q.other != '\0' && (letter | 0x20) == q.other;
  model_close(c->m);
  drop_check(c->m, &q);
  if (q.kind == ASK_UNMUTE) {
    answer_unmute(c, &q, yes, now);
  } else if (q.kind == ASK_QUIT && yes) {
    model_intent(c->m, INTENT_LEAVE);
  } else if (q.kind == ASK_QUIT && other) {
    (void)ask_end(c, "", now);
  } else if (q.kind == ASK_ACT && other) {
    q.order.act = ACT_BAN; /* a question of its own: it tells whom else the ban would hit */
    ask_act(c, &q.order, now);
  } else if (q.kind == ASK_ACT && yes) {
    model_act(c->m, &q.order);
    c->m->n_marks = 0;
  } else {
    model_toast(c->m, now, STYLE_NOTICE, "Not done.");
  }
}

void ask_tick(struct pilot *c, us_t now) {
  struct model *m = c->m;
  const struct member *self = model_self(m);
  bool settled = self == NULL || !self->muted; /* by his own key, or he is gone */
  if (m->mode == MODE_ASK && m->ask.kind == ASK_UNMUTE && settled)
    model_close(m);
  if (m->asked.kind == ASK_UNMUTE && settled)
    m->asked.kind = ASK_NOTHING;
  if (m->mode == MODE_ASK && m->ask.until != 0 && now >= m->ask.until)
    pilot_answer(c, 'n', now);
  if (m->asked.kind != ASK_NOTHING && m->asked.until != 0 && now >= m->asked.until) {
    m->asked.kind = ASK_NOTHING; /* all the time something else was typed */
    answer_unmute(c, &m->asked, false, now);
  }
  if (m->asked.kind != ASK_NOTHING && m->mode == MODE_KEYS) {
    m->ask = m->asked;
    m->asked.kind = ASK_NOTHING;
    m->ask_since = now;
    model_ask(m, now);
  }
}

us_t ask_next_tick(const struct pilot *c) {
  const struct model *m = c->m;
  us_t next = m->mode == MODE_ASK && m->ask.until != 0 ? m->ask.until : US_NEVER;
  return m->asked.kind != ASK_NOTHING && m->asked.until != 0 && m->asked.until < next ? m->asked.until : next;
}
