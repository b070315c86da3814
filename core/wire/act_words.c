#include "core/wire/act_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- words ---- */

struct word {
  const char *s;
  size_t len;
  bool quoted;
};

/* A word, or what stands in quotes; *p moves behind it. False at the end. */
static bool next_word(const char **p, struct word *w) {
  const char *s = *p + strspn(*p, " ");
  if (*s == '\0')
    return false;
  w->quoted = *s == '"';
  w->s = s + w->quoted;
  w->len = strcspn(w->s, w->quoted ? "\"" : " ");
  *p = w->s + w->len + (w->quoted && w->s[w->len]);
  return true;
}

/* A word where people stand in a list: commas may stand between them. */
static bool next_name(const char **p, struct word *w) {
  *p += strspn(*p, " ,");
  bool some = next_word(p, w);
  if (some && !w->quoted) {
    w->len = strcspn(w->s, " ,");
    *p = w->s + w->len;
  }
  *p += some ? strspn(*p, ",") : 0;
  return some;
}

bool act_words_next(const char **p, const char **word, size_t *len) {
  struct word w;
  bool some = next_name(p, &w);
  *word = some ? w.s : *p;
  *len = some ? w.len : 0;
  return some;
}

static bool is(struct word w, const char *what, size_t n) {
  return w.len == n && strncasecmp(w.s, what, n) == 0;
}

static bool is_end(struct word w) {
  return !w.quoted && is(w, "--", 2);
}

/* As much of a word as fits a sentence. */
static int cut(size_t len) {
  return (int)(len > 60 ? 60 : len);
}

/* ---- people ---- */

enum act_where act_words_where(enum act act) {
  return ACTS[act].target == TARGET_WAITING ? ACT_WHERE_LOBBY
         : act_reaches_lobby(act)           ? ACT_WHERE_BOTH
                                            : ACT_WHERE_HERE;
}

static bool is_there(const struct member *m, enum act_where where) {
  return where == ACT_WHERE_BOTH || (m->presence == PRESENCE_WAITING) == (where == ACT_WHERE_LOBBY);
}

static uint32_t who_by_id(const struct room *r, const char *word, size_t len, enum act_where where,
                          char why[ACT_WHY_MAX]) {
  uint64_t id = 0;
  for (size_t i = 1; i < len && id <= UINT32_MAX; i++)
    id = word[i] >= '0' && word[i] <= '9' ? 10 * id + (uint64_t)(word[i] - '0') : UINT64_MAX;
  const struct member *m = id <= UINT32_MAX ? room_member(r, (uint32_t)id) : NULL;
  if (m && is_there(m, where))
    return m->id;
  snprintf(why, ACT_WHY_MAX, "there is no %.*s %s", cut(len), word,
           where == ACT_WHERE_LOBBY ? "in the lobby" : "here");
  return 0;
}

uint32_t act_words_who(const struct room *r, const char *word, size_t len, enum act_where where,
                       char why[ACT_WHY_MAX]) {
  const struct member *found = NULL, *second = NULL;
  if (len > 0 && word[0] == '#')
    return who_by_id(r, word, len, where, why);
  for (size_t i = 0; i < r->n_members && len > 0; i++) {
    const struct member *m = &r->members[i];
    if (!is_there(m, where) || strncasecmp(m->name, word, len) != 0)
      continue;
    if (m->name[len] == '\0')
      return m->id;
    second = found ? m : NULL;
    found = found ? found : m;
  }
  if (second)
    snprintf(why, ACT_WHY_MAX, "%.*s could be %s or %s", cut(len), word, found->name, second->name);
  else if (!found)
    snprintf(why, ACT_WHY_MAX, "nobody %s is called %.*s", where == ACT_WHERE_LOBBY ? "in the lobby" : "here",
             cut(len), word);
  return !second && found ? found->id : 0;
}

/* One of the words that have a meaning of their own behind people: "2h", "speak", "--". */
static bool is_taken(const char *name) {
  if (strchr("0123456789-", name[0]))
    return true;
  for (size_t i = 0; i < ACT_PARAMS_COUNT; i++) {
    const char *c = ACT_PARAMS[i].choice ? ACT_PARAMS[i].choice : ACT_PARAMS[i].word;
    const char *one;
    size_t len;
    for (size_t k = 0; (one = act_choice(c, k, &len)); k++)
      if (len == strlen(name) && strncasecmp(one, name, len) == 0)
        return true;
  }
  return false;
}

void act_words_name(const struct room *r, uint32_t id, char *out, size_t cap) {
  const struct member *m = room_member(r, id);
  char why[ACT_WHY_MAX];
  enum act_where where = m && m->presence == PRESENCE_WAITING ? ACT_WHERE_LOBBY : ACT_WHERE_HERE;
  if (!m || strpbrk(m->name, "\"*?") || m->name[0] == '#' ||
      act_words_who(r, m->name, strlen(m->name), where, why) != id)
    snprintf(out, cap, "#%u", id);
  else
    snprintf(out, cap, strpbrk(m->name, " ,") || is_taken(m->name) ? "\"%s\"" : "%s", m->name);
}

/* ---- the forms ---- */

struct parse {
  const struct room *r;
  enum act act;
  const char *p;   /* what is left of the words */
  const char *end; /* the "--" that ends a list of people before a text: all before it is no text; or NULL */
  struct act_order *o;
  char *why;
};

static bool fail(struct parse *s, const char *text) {
  snprintf(s->why, ACT_WHY_MAX, "%s %s", ACTS[s->act].name, text);
  return false;
}

static bool take_person(struct parse *s, uint32_t id) {
  struct act_order *o = s->o;
  for (size_t i = 0; i < o->n_targets; i++)
    if (o->targets[i] == id)
      return true;
  if (o->n_targets == ACT_ORDER_TARGETS_MAX) {
    snprintf(s->why, ACT_WHY_MAX, "that are more than %d people", ACT_ORDER_TARGETS_MAX);
    return false;
  }
  o->targets[o->n_targets++] = id;
  return true;
}

static const char *next_char(const char *s) {
  do
    s++;
  while (((unsigned char)*s & 0xC0) == 0x80);
  return s;
}

/* '*' stands for anything, '?' for one character; case does not count. */
static bool fits(struct word w, const char *name) {
  const char *p = w.s, *end = w.s + w.len, *star = NULL, *from = NULL;
  while (*name) {
    if (p < end && *p == '*') {
      star = ++p;
      from = name;
    } else if (p < end && *p == '?') {
      p++;
      name = next_char(name);
    } else if (p < end && strncasecmp(p, name, 1) == 0) {
      p++;
      name++;
    } else if (star) {
      p = star;
      name = from = next_char(from);
    } else {
      return false;
    }
  }
  while (p < end && *p == '*')
    p++;
  return p == end;
}

static bool take_pattern(struct parse *s, struct word w) {
  bool any = false;
  for (size_t i = 0; i < s->r->n_members; i++) {
    const struct member *m = &s->r->members[i];
    if (!is_there(m, act_words_where(s->act)) || !fits(w, m->name))
      continue;
    any = true;
    if (!take_person(s, m->id))
      return false;
  }
  if (!any)
    snprintf(s->why, ACT_WHY_MAX, "nobody %s fits %.*s",
             ACTS[s->act].target == TARGET_WAITING ? "in the lobby" : "here", cut(w.len), w.s);
  return any;
}

static bool has_text(enum act act) {
  return strstr(ACTS[act].args, "text") != NULL;
}

/* ---- values: numbers, times, choices, flags ---- */

/* 90, 90s, 5m, 2h, 1d: seconds. */
static bool number_of(const struct act_param *p, struct word w, int64_t *v) {
  char digits[24] = "";
  char *end;
  if (w.len == 0 || w.len >= sizeof digits)
    return false;
  memcpy(digits, w.s, w.len);
  *v = strtoll(digits, &end, 10);
  if (end == digits)
    return false;
  if (p->kind == PARAM_TIME && *end && !end[1]) {
    static const char UNITS[] = "smhd";
    static const int64_t SECONDS[] = {1, 60, 3600, 86400};
    const char *unit = strchr(UNITS, *end | 0x20);
    if (!unit || *v > p->max || *v < 0)
      return false;
    *v *= SECONDS[unit - UNITS];
    end++;
  }
  return *end == '\0' && *v >= p->min && *v <= p->max;
}

static bool choice_of(const struct act_param *p, struct word w, int64_t *v) {
  const char *one;
  size_t len;
  for (size_t i = 0; (one = act_choice(p->choice, i, &len)); i++)
    if (is(w, one, len)) {
      *v = p->min + (int64_t)i;
      *v = p->kind == PARAM_SWITCH ? 1 - *v : *v;
      return true;
    }
  return false;
}

/* Does the word say this value? */
static bool value_of(const struct act_param *p, struct word w, int64_t *v) {
  switch (p->kind) {
  case PARAM_NUMBER:
  case PARAM_TIME:
    return !w.quoted && number_of(p, w, v);
  case PARAM_CHOICE:
  case PARAM_SWITCH:
    return !w.quoted && choice_of(p, w, v);
  case PARAM_FLAG:
    return !w.quoted && is(w, p->word, strlen(p->word));
  case PARAM_WORD:
    return w.len > 0 && w.len < sizeof((struct act_order *)0)->word;
  default:
    return false;
  }
}

static void value_set(struct act_order *o, const struct act_param *p, struct word w, int64_t v) {
  if (p->kind == PARAM_FLAG) {
    o->flags |= (unsigned)p->flag;
  } else if (p->kind == PARAM_WORD) {
    snprintf(o->word, sizeof o->word, "%.*s", (int)w.len, w.s);
  } else if (p->second) {
    o->num2 = v;
    o->has_num2 = true;
  } else {
    o->num = v;
    o->has_num = true;
  }
}

static bool is_value(const struct act_param *p) {
  return p->kind != PARAM_PEOPLE && p->kind != PARAM_TEXT;
}

/* The first value from `from` on that is not in `said` yet and that the word says; takes it into o, if any.
 */
static bool take_value(enum act act, size_t from, unsigned *said, struct word w, struct act_order *o) {
  struct act_arg arg;
  int64_t v = 0;
  for (size_t i = from; act_param_at(act, i, &arg) && is_value(arg.param); i++)
    if (!(*said & 1u << i) && value_of(arg.param, w, &v)) {
      value_set(o, arg.param, w, v);
      *said |= 1u << i;
      return true;
    }
  return false;
}

static bool missing(struct parse *s, const struct act_param *p) {
  if (p->choice)
    snprintf(s->why, ACT_WHY_MAX, "%s needs one of %s", ACTS[s->act].name, p->choice);
  else if (p->kind == PARAM_TIME)
    return fail(s, "needs a time: 90, 90s, 5m, 2h, 1d");
  else if (p->kind == PARAM_NUMBER)
    snprintf(s->why, ACT_WHY_MAX,
             p->max > 1000000 ? "%s needs a number" : "%s needs a number from %lld to %lld",
             ACTS[s->act].name, (long long)p->min, (long long)p->max);
  else
    return fail(s, "needs a word more");
  return false;
}

/* All values that stand side by side in the row, in any order; *at moves behind them. */
static bool read_values(struct parse *s, size_t *at) {
  const char *before = s->p;
  unsigned said = 0;
  struct act_arg arg;
  struct word w;
  for (; next_word(&s->p, &w) && !is_end(w); before = s->p) {
    while (!w.quoted && w.len > 1 && w.s[w.len - 1] == ',')
      w.len--;
    if (!take_value(s->act, *at, &said, w, s->o)) {
      s->p = before;
      break;
    }
  }
  for (; act_param_at(s->act, *at, &arg) && is_value(arg.param); ++*at)
    if (!arg.optional && !(said & 1u << *at))
      return missing(s, arg.param);
  return true;
}

/* ---- people and text ---- */

/* Would the word, behind people, be a value of the act? */
static bool is_some_value(enum act act, struct word w) {
  struct act_arg arg;
  int64_t v;
  for (size_t i = 0; act_param_at(act, i, &arg); i++)
    if (value_of(arg.param, w, &v))
      return true;
  return false;
}

/* A pattern is never guessed out of a text: "remove bob why?", "remove bob ***". Where a text may follow, one
 * after the first person must say how the name begins, and follow patterns only. */
static bool is_pattern(const struct parse *s, struct word w, bool later, bool only_patterns) {
  if (w.quoted || !(memchr(w.s, '*', w.len) || memchr(w.s, '?', w.len)))
    return false;
  return !later || !has_text(s->act) || s->end ||
         (only_patterns && !strchr("*?", w.s[0]) && w.s[w.len - 1] == '*');
}

enum found { FOUND, FOUND_END, FOUND_FAULT };

/* Where a text may follow, the second and later people need their full name: in "remove bob he was rude" the
 * word "he" is the reason and not Henri. The first word that is nobody begins what follows; but with a "--"
 * it is a fault: what was meant as a person must not become the reason. */
static enum found read_person(struct parse *s, struct word w, bool may_end, bool *only_patterns) {
  bool later = s->o->n_targets > 0;
  if (is_pattern(s, w, later, *only_patterns))
    return take_pattern(s, w) ? FOUND : FOUND_FAULT;
  *only_patterns = false;
  if (may_end && is_some_value(s->act, w))
    return FOUND_END;
  uint32_t id = act_words_who(s->r, w.s, w.len, act_words_where(s->act), s->why);
  const struct member *m = room_member(s->r, id);
  bool in_full = m && (w.s[0] == '#' || strlen(m->name) == w.len);
  if (later && has_text(s->act) && !in_full && !s->end)
    return FOUND_END;
  return id && take_person(s, id) ? FOUND : FOUND_FAULT;
}

static bool read_people(struct parse *s, const struct act_arg *arg) {
  const char *before = s->p;
  struct word w;
  bool only_patterns = true;
  while (next_name(&s->p, &w) && !is_end(w)) {
    enum found f = FOUND_END;
    if (arg->many || s->o->n_targets == 0)
      f = read_person(s, w, arg->optional || s->o->n_targets > 0, &only_patterns);
    if (f == FOUND_FAULT)
      return false;
    if (f == FOUND_END) {
      s->p = before;
      break;
    }
    before = s->p;
  }
  if (!arg->many && s->o->n_targets > 1)
    return fail(s, "takes one person");
  return s->o->n_targets > 0 || arg->optional || fail(s, "needs a name");
}

/* The rest as it is; but quotes around all of it are not part of it. */
static bool read_text(struct parse *s, bool optional) {
  struct word w;
  if (s->end && s->p <= s->end && next_word(&s->p, &w) && !is_end(w)) {
    snprintf(s->why, ACT_WHY_MAX, "%.*s before the -- is neither a person nor a value", cut(w.len), w.s);
    return false;
  }
  const char *text = s->p + strspn(s->p, " ");
  size_t n = strlen(text);
  if (n > 2 && text[0] == '"' && strchr(text + 1, '"') == text + n - 1) {
    text++;
    n -= 2;
  }
  if (n >= sizeof s->o->text)
    return fail(s, "takes a shorter text");
  snprintf(s->o->text, sizeof s->o->text, "%.*s", (int)n, text);
  s->p += strlen(s->p);
  return n > 0 || optional || fail(s, "needs a text");
}

/* The "--" behind a list of people, where a text may follow. */
static const char *find_end(enum act act, const char *words) {
  struct act_arg arg;
  struct word w;
  if (!has_text(act) || !act_param_at(act, 0, &arg) || !arg.many)
    return NULL;
  while (next_word(&words, &w))
    if (is_end(w))
      return w.s;
  return NULL;
}

static void defaults(struct act_order *o) {
  struct act_arg arg;
  for (size_t i = 0; act_param_at(o->act, i, &arg); i++)
    if (arg.param->kind == PARAM_SWITCH && arg.optional)
      o->num = 1;
}

bool act_words_parse(const struct room *r, enum act act, const char *words, struct act_order *o,
                     char why[ACT_WHY_MAX]) {
  struct parse s = {r, act, words, find_end(act, words), o, why};
  struct act_arg arg;
  bool ok = true;
  *o = (struct act_order){.act = act};
  why[0] = '\0';
  defaults(o);
  if (!text_utf8_valid(words, strlen(words)))
    return fail(&s, "takes UTF-8 text only");
  for (size_t i = 0; ok && act_param_at(act, i, &arg);) {
    if (is_value(arg.param)) {
      ok = read_values(&s, &i);
      continue;
    }
    ok = arg.param->kind == PARAM_PEOPLE ? read_people(&s, &arg) : read_text(&s, arg.optional);
    i++;
  }
  if (!ok)
    return false;
  why[0] = '\0';
  if (s.p[strspn(s.p, " ")] == '\0')
    return true;
  snprintf(why, ACT_WHY_MAX, ACTS[act].args[0] ? "%s takes only: %s" : "%s takes nothing more%s",
           ACTS[act].name, ACTS[act].args);
  return false;
}

void act_order_cmd(const struct act_order *o, struct room_cmd *cmd) {
  *cmd = (struct room_cmd){.act = o->act,
                           .targets = o->n_targets ? o->targets : NULL,
                           .n_targets = o->n_targets,
                           .num = o->num,
                           .num2 = o->num2,
                           .has_num = o->has_num,
                           .has_num2 = o->has_num2,
                           .flags = o->flags,
                           .text = o->text[0] ? o->text : NULL,
                           .word = o->word[0] ? o->word : NULL};
}

void act_order_take(struct act_order *o, const struct room_cmd *cmd) {
  o->act = cmd->act;
  o->n_targets = cmd->n_targets;
  o->num = cmd->num;
  o->num2 = cmd->num2;
  o->has_num = cmd->has_num;
  o->has_num2 = cmd->has_num2;
  o->flags = cmd->flags;
  snprintf(o->word, sizeof o->word, "%s", cmd->word ? cmd->word : "");
  snprintf(o->text, sizeof o->text, "%s", cmd->text ? cmd->text : "");
}
