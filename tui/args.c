#include "tui/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- words ---- */

/* next_word: a word, or what stands in quotes; *p moves behind it. False at the end. */
static bool next_word(const char **p, const char **word, size_t *len) {
  const char *s = *p + strspn(*p, " ");
  if (*s == '\0')
    return false;
  if (*s == '"') {
    const char *end = strchr(s + 1, '"');
    *word = s + 1;
    *len = end != NULL ? (size_t)(end - s - 1) : strlen(s + 1);
    *p = end != NULL ? end + 1 : s + strlen(s);
    return true;
  }
  *word = s;
  *len = strcspn(s, " ");
  *p = s + *len;
  return true;
}

/* ---- people ---- */

static bool is_in_list(const struct member *p, bool waiting) {
  return (p->presence == PRESENCE_WAITING) == waiting;
}

static uint32_t who_by_id(const struct model *m, const char *word, size_t len, bool waiting,
                          char why[SAY_MAX]) {
  char digits[12] = "";
  char *end;
  if (len >= 2 && len < sizeof digits)
    memcpy(digits, word + 1, len - 1);
  unsigned long id = strtoul(digits, &end, 10);
  const struct member *p =
      digits[0] != '\0' && *end == '\0' && id <= UINT32_MAX ? room_member(&m->room, (uint32_t)id) : NULL;
  if (p != NULL && is_in_list(p, waiting))
    return p->id;
  snprintf(why, SAY_MAX, "there is no %.*s %s", (int)(len > 12 ? 12 : len), word,
           waiting ? "in the lobby" : "here");
  return 0;
}

uint32_t args_who(const struct model *m, const char *word, size_t len, bool waiting, char why[SAY_MAX]) {
  const struct member *found = NULL, *second = NULL;
  if (len > 0 && word[0] == '#')
    return who_by_id(m, word, len, waiting, why);
  for (size_t i = 0; i < m->room.n_members && len > 0; i++) {
    const struct member *p = &m->room.members[i];
    if (!is_in_list(p, waiting) || strncasecmp(p->name, word, len) != 0)
      continue;
    if (p->name[len] == '\0')
      return p->id;
    if (found == NULL)
      found = p;
    else
      second = p;
  }
  if (second != NULL)
    snprintf(why, SAY_MAX, "%.*s could be %s or %s", (int)len, word, found->name, second->name);
  else if (found == NULL)
    snprintf(why, SAY_MAX, "nobody %s is called %.*s", waiting ? "in the lobby" : "here",
             (int)(len > 60 ? 60 : len), word);
  return second == NULL && found != NULL ? found->id : 0;
}

void args_name(const struct model *m, uint32_t id, char *out, size_t cap) {
  const struct member *p = room_member(&m->room, id);
  char why[SAY_MAX];
  if (p == NULL || strchr(p->name, '"') != NULL || p->name[0] == '#' ||
      args_who(m, p->name, strlen(p->name), p->presence == PRESENCE_WAITING, why) != id)
    snprintf(out, cap, "#%u", id);
  else
    snprintf(out, cap, strchr(p->name, ' ') != NULL ? "\"%s\"" : "%s", p->name);
}

/* ---- the forms ---- */

struct parse {
  const struct model *m;
  const struct command *c;
  const char *p; /* what is left of the words */
  struct order *o;
  char *why;
};

static bool waiting_act(const struct command *c) {
  return c->act != ACT__COUNT && ACTS[c->act].target == TARGET_WAITING;
}

/* in_full: the word is the whole name, or an id. */
static bool in_full(const struct model *m, uint32_t id, const char *word, size_t len) {
  const struct member *p = room_member(&m->room, id);
  return word[0] == '#' || (p != NULL && strlen(p->name) == len);
}

/* read_who: where a text may follow, the second and later people need their full name: in "remove bob he was
 * rude" the word "he" is the reason and not Henri. The first word that is nobody begins the text. */
static bool read_who(struct parse *s, bool many, bool optional) {
  const char *word, *before = s->p;
  bool text_follows = strstr(s->c->args, "text") != NULL;
  size_t len;
  while (s->o->n_targets < MODEL_MARKS_MAX && (many || s->o->n_targets == 0) &&
         next_word(&s->p, &word, &len)) {
    bool later = s->o->n_targets > 0 && text_follows;
    uint32_t id = args_who(s->m, word, len, waiting_act(s->c), s->why);
    if (id == 0 && !later)
      return false;
    if (later && (id == 0 || !in_full(s->m, id, word, len))) {
      s->p = before;
      break;
    }
    s->o->targets[s->o->n_targets++] = id;
    before = s->p;
  }
  if (s->o->n_targets == 0 && !optional)
    snprintf(s->why, SAY_MAX, "%s needs a name", s->c->name);
  return s->o->n_targets > 0 || optional;
}

static bool read_text(struct parse *s, bool optional) {
  s->p += strspn(s->p, " ");
  snprintf(s->o->text, sizeof s->o->text, "%s", s->p);
  s->p += strlen(s->p);
  if (s->o->text[0] == '\0' && !optional)
    snprintf(s->why, SAY_MAX, "%s needs a text", s->c->name);
  return s->o->text[0] != '\0' || optional;
}

static bool read_role(struct parse *s, bool optional) {
  const char *word;
  size_t len;
  char name[16] = "";
  enum role role = ROLE_NONE;
  if (!next_word(&s->p, &word, &len) && optional)
    return true;
  if (len < sizeof name)
    memcpy(name, word, len);
  if (!role_parse(name, &role)) {
    snprintf(s->why, SAY_MAX, "%s needs a role: audience, speaker, cohost, host", s->c->name);
    return false;
  }
  s->o->num = role;
  return true;
}

static bool read_id(struct parse *s) {
  const char *word;
  size_t len;
  char *end = NULL;
  char digits[20] = "";
  if (next_word(&s->p, &word, &len) && len < sizeof digits)
    memcpy(digits, word, len);
  s->o->num = strtoll(digits, &end, 10);
  if (digits[0] == '\0' || *end != '\0' || s->o->num <= 0) {
    snprintf(s->why, SAY_MAX, "%s needs a number", s->c->name);
    return false;
  }
  return true;
}

/* read_choice: `form` is "a|b|c"; the number is the place, but on|off means 1 and 0. */
static bool read_choice(struct parse *s, const char *form, size_t form_len) {
  const char *word = "", *p = form, *end = form + form_len;
  size_t len = 0;
  bool given = next_word(&s->p, &word, &len);
  for (int64_t i = 0; given && p < end; i++) {
    const char *bar = memchr(p, '|', (size_t)(end - p));
    size_t n = (size_t)((bar != NULL ? bar : end) - p);
    if (n == len && strncasecmp(p, word, n) == 0) {
      s->o->num = strncmp(form, "on|off", 6) == 0 ? 1 - i : i;
      return true;
    }
    p += n + 1;
  }
  snprintf(s->why, SAY_MAX, "%s needs one of %.*s", s->c->name, (int)form_len, form);
  return false;
}

static bool read_hold(struct parse *s) {
  const char *word;
  size_t len;
  if (!next_word(&s->p, &word, &len))
    return true;
  s->o->num = len == 4 && strncasecmp(word, "hold", 4) == 0;
  if (s->o->num == 0)
    snprintf(s->why, SAY_MAX, "%s can be followed by hold only", s->c->name);
  return s->o->num != 0;
}

static bool is(const char *form, size_t len, const char *word) {
  return len == strlen(word) && memcmp(form, word, len) == 0;
}

static bool read_form(struct parse *s, const char *f, size_t n) {
  if (is(f, n, "who") || is(f, n, "who...") || is(f, n, "[who...]"))
    return read_who(s, n > 3, f[0] == '[');
  if (is(f, n, "text") || is(f, n, "[text]"))
    return read_text(s, f[0] == '[');
  if (is(f, n, "role") || is(f, n, "[role]"))
    return read_role(s, f[0] == '[');
  if (is(f, n, "[hold]"))
    return read_hold(s);
  return is(f, n, "id") ? read_id(s) : read_choice(s, f, n);
}

bool args_parse(const struct model *m, const struct command *c, const char *words, struct order *o,
                char why[SAY_MAX]) {
  struct parse s = {m, c, words, o, why};
  memset(o, 0, sizeof *o);
  o->act = c->act;
  why[0] = '\0';
  for (const char *form = c->args; *form != '\0';) {
    size_t len = strcspn(form, " ");
    if (!read_form(&s, form, len))
      return false;
    form += len + (form[len] == ' ');
  }
  if (s.p[strspn(s.p, " ")] == '\0')
    return true;
  snprintf(why, SAY_MAX, c->args[0] != '\0' ? "%s takes only: %s" : "%s takes nothing more%s", c->name,
           c->args);
  return false;
}

/* ---- completion ---- */

static void offer(struct completion *out, const char *text, const char *help, const char *refusal) {
  if (out->n == COMPLETE_MAX)
    return;
  snprintf(out->of[out->n].text, sizeof out->of[0].text, "%s", text);
  out->of[out->n].help = help;
  out->of[out->n++].refusal = refusal;
}

/* complete_command: the full name first, then what may be used now, then the rest with the reason. */
static void complete_command(const struct model *m, const char *word, size_t len, struct completion *out) {
  char title[32], typed[32];
  snprintf(typed, sizeof typed, "%.*s", (int)(len < sizeof typed ? len : sizeof typed - 1), word);
  for (char *p = typed; *p != '\0'; p++)
    *p = *p == '_' ? '-' : *p;
  for (int pass = 0; pass < 3; pass++)
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
      const char *refusal = command_refusal(m, &COMMANDS[i], 0);
      command_title(&COMMANDS[i], title);
      int rank = strcmp(title, typed) == 0 ? 0 : refusal == NULL ? 1 : 2;
      if (rank == pass && strncmp(title, typed, strlen(typed)) == 0)
        offer(out, title, COMMANDS[i].help, refusal);
    }
}

static void complete_name(const struct model *m, const char *word, size_t len, struct completion *out) {
  size_t skip = len > 0 && word[0] == '"';
  for (size_t i = 0; i < m->room.n_members; i++) {
    const struct member *p = &m->room.members[i];
    char name[TEXT_NAME_MAX + 8];
    if (!is_in_list(p, waiting_act(out->command)) || strncasecmp(p->name, word + skip, len - skip) != 0)
      continue;
    args_name(m, p->id, name, sizeof name);
    offer(out, name, NULL, command_refusal(m, out->command, p->id));
  }
}

static void complete_choice(const char *form, size_t n, const char *word, size_t len,
                            struct completion *out) {
  static const char ROLES[] = "audience|speaker|cohost|host|monitor";
  if (is(form, n, "role") || is(form, n, "[role]")) {
    form = ROLES;
    n = sizeof ROLES - 1;
  } else if (is(form, n, "[hold]")) {
    form = "hold";
    n = 4;
  }
  for (const char *p = form, *end = form + n; p < end;) {
    size_t k = strcspn(p, "|") < (size_t)(end - p) ? strcspn(p, "|") : (size_t)(end - p);
    char choice[24];
    snprintf(choice, sizeof choice, "%.*s", (int)k, p);
    if (k >= len && strncasecmp(p, word, len) == 0)
      offer(out, choice, NULL, NULL);
    p += k + 1;
  }
}

/* complete_arg: the `index`-th word after the command; a form with "..." takes all that follow. */
static void complete_arg(const struct model *m, size_t index, const char *word, size_t len,
                         struct completion *out) {
  const char *form = out->command->args;
  size_t n = strcspn(form, " ");
  for (size_t i = 0; i < index && memchr(form, '.', n) == NULL && form[n] != '\0'; i++) {
    form += n + 1;
    n = strcspn(form, " ");
  }
  if (n >= 3 && (strncmp(form, "who", 3) == 0 || strncmp(form, "[who", 4) == 0))
    complete_name(m, word, len, out);
  else if (n > 0 && !is(form, n, "text") && !is(form, n, "[text]") && !is(form, n, "id") &&
           (index == 0 || form != out->command->args))
    complete_choice(form, n, word, len, out);
}

void args_complete(const struct model *m, const char *line, size_t at, struct completion *out) {
  char head[TEXT_CHAT_MAX + 1], why[SAY_MAX];
  const char *p = head, *word = head, *last = head;
  size_t len = 0, words = 0, name_len = 0;
  memset(out, 0, sizeof *out);
  snprintf(head, sizeof head, "%.*s", (int)at, line);
  while (next_word(&p, &word, &len)) {
    last = word > head && word[-1] == '"' ? word - 1 : word;
    if (words++ == 0)
      name_len = len;
  }
  bool new_word = words == 0 || (p > head && p[-1] == ' ') || (*p == ' ');
  if (new_word)
    last = head + strlen(head);
  out->from = (size_t)(last - head);
  if (words == 0 || (words == 1 && !new_word)) {
    complete_command(m, last, strlen(last), out);
    return;
  }
  const char *first = head + strspn(head, " ");
  out->command = command_find(first, name_len, why);
  if (out->command != NULL)
    complete_arg(m, words - (new_word ? 1 : 2), last, strlen(last), out);
}
