#include "tui/watch_expr.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX INT64_C(1000000000000) /* in whole units */

struct scan {
  const char *text, *p;
  struct watch_fault *fault;
};

static bool fail(struct scan *s, const char *at, const char *why, const char *word, int len) {
  s->fault->at = (size_t)(at - s->text);
  const char *quote = len > 0 ? "\"" : "";
  snprintf(s->fault->why, sizeof s->fault->why, "%s%s%s%.*s%s", why, len > 0 ? " " : "", quote, len, word,
           quote);
  return false;
}

static void blanks(struct scan *s) {
  s->p += strspn(s->p, " \t");
}

/* ---- operators and fields ---- */

static const struct {
  const char *sign;
  enum watch_op op;
} OPS[] = {{">=", WATCH_GE}, {"<=", WATCH_LE}, {"!=", WATCH_NE}, {"==", WATCH_EQ},
           {">", WATCH_GT},  {"<", WATCH_LT},  {"=", WATCH_EQ},  {"~", WATCH_HAS}};

static bool take_op(struct scan *s, enum watch_op *out) {
  for (size_t i = 0; i < sizeof OPS / sizeof OPS[0]; i++)
    if (strncmp(s->p, OPS[i].sign, strlen(OPS[i].sign)) == 0) {
      s->p += strlen(OPS[i].sign);
      *out = OPS[i].op;
      return true;
    }
  return false;
}

static bool find_field(const char *word, size_t n, enum watch_field *out) {
  for (int f = 0; f < WATCH_FIELD__ALL; f++) {
    const char *name = watch_field_info((enum watch_field)f)->word;
    if (strlen(name) == n && strncasecmp(name, word, n) == 0) {
      *out = (enum watch_field)f;
      return true;
    }
  }
  return false;
}

/* ---- values ---- */

/* unit_scale: how many of the field's units one of this unit is, in thousandths; 0: it is none of its. */
static int64_t unit_scale(enum watch_kind kind, const char *unit, size_t n) {
  static const struct {
    enum watch_kind kind;
    const char *unit;
    int64_t scale;
  } UNITS[] = {{WATCH_KIND_PERCENT, "%", 1000},    {WATCH_KIND_MS, "ms", 1000},
               {WATCH_KIND_MS, "s", 1000000},      {WATCH_KIND_SECONDS, "s", 1000},
               {WATCH_KIND_SECONDS, "m", 60000},   {WATCH_KIND_SECONDS, "min", 60000},
               {WATCH_KIND_SECONDS, "h", 3600000}, {WATCH_KIND_SECONDS, "d", 86400000},
               {WATCH_KIND_COUNT, "k", 1000000}};
  for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++)
    if (UNITS[i].kind == kind && strlen(UNITS[i].unit) == n && strncasecmp(UNITS[i].unit, unit, n) == 0)
      return UNITS[i].scale;
  return n == 0 ? 1000 : 0;
}

static const char *unit_words(enum watch_kind kind) {
  switch (kind) {
  case WATCH_KIND_PERCENT:
    return "%";
  case WATCH_KIND_MS:
    return "ms or s";
  case WATCH_KIND_SECONDS:
    return "s, m, h or d";
  case WATCH_KIND_COUNT:
    return "k";
  default:
    return "none";
  }
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* take_number: digits and at most three decimals, so that thousandths hold it. */
static bool take_number(struct scan *s, const char *word, size_t n, struct watch_term *t) {
  const struct watch_field_info *f = watch_field_info(t->field);
  const char *p = word, *end = word + n;
  int64_t whole = 0, part = 0, step = 100;
  if (p == end || !is_digit(*p))
    return fail(s, word, n > 0 ? "a number is wanted here, not" : "a number is wanted here", word,
                n < 40 ? (int)n : 40);
  for (; p < end && is_digit(*p); p++)
    if ((whole = whole * 10 + (*p - '0')) > VALUE_MAX)
      return fail(s, word, "this number is too large", "", 0);
  if (p + 1 < end && *p == '.' && is_digit(p[1]))
    for (p++; p < end && is_digit(*p); p++, step /= 10)
      part += step * (*p - '0');
  int64_t scale = unit_scale(f->kind, p, (size_t)(end - p));
  if (scale == 0) {
    const char *words = unit_words(f->kind);
    return fail(s, p, "the unit here may be", words, (int)strlen(words));
  }
  if (whole > INT64_MAX / 2 / scale)
    return fail(s, word, "this number is too large", "", 0);
  t->value = whole * scale + part * scale / 1000;
  return true;
}

static bool take_text(struct scan *s, const char *word, size_t n, struct watch_term *t) {
  if (n == 0)
    return fail(s, word, "a text is wanted here", "", 0);
  if (n >= sizeof t->text)
    return fail(s, word, "this text is too long", "", 0);
  if (t->op != WATCH_EQ && t->op != WATCH_NE && t->op != WATCH_HAS)
    return fail(s, word, "texts are compared by =, != or ~", "", 0);
  if (!text_utf8_valid(word, n))
    return fail(s, word, "this is not UTF-8", "", 0);
  memcpy(t->text, word, n);
  t->text[n] = '\0';
  t->is_text = true;
  return true;
}

/* ---- terms ---- */

/* take_word: a word alone, of a room's name. What no name can have, or what joins conditions elsewhere, was
 * meant as something else: taken for a name it would meet no room, and a --fail-if would hold its peace. */
static bool take_word(struct scan *s, const char *word, size_t n, struct watch_term *t) {
  static const char NAMES[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";
  if (strspn(word, NAMES) < n)
    return fail(s, word, "no room's name has", word, n < 40 ? (int)n : 40);
  if ((n == 2 && strncasecmp(word, "or", n) == 0) || (n == 3 && strncasecmp(word, "and", n) == 0))
    return fail(s, word, "all conditions must hold; there is no", word, (int)n);
  t->field = WATCH_F_ROOM;
  t->op = WATCH_HAS;
  return take_text(s, word, n, t);
}

static bool take_term(struct scan *s, bool server, struct watch_term *t) {
  static const char STOP[] = " \t<>=!~";
  const char *word = s->p;
  size_t n = strcspn(word, STOP);
  memset(t, 0, sizeof *t);
  s->p += n;
  const char *after = s->p;
  blanks(s);
  if (!strchr("<>=!~", *s->p) || *s->p == '\0') {
    s->p = after;
    return take_word(s, word, n, t);
  }
  if (n == 0)
    return fail(s, word, "a field is missing before this", "", 0);
  if (!find_field(word, n, &t->field))
    return fail(s, word, "there is no field", word, n < 40 ? (int)n : 40);
  if (watch_field_of_server(t->field) && !server)
    return fail(s, word, "a room has no field", word, (int)n);
  if (!take_op(s, &t->op))
    return fail(s, s->p, "an operator is one of > >= < <= = != ~", "", 0);
  blanks(s);
  word = s->p;
  n = strcspn(word, STOP);
  s->p += n;
  enum watch_kind kind = watch_field_info(t->field)->kind;
  if (kind == WATCH_KIND_TEXT || (kind == WATCH_KIND_WORDS && n > 0 && !is_digit(*word)))
    return take_text(s, word, n, t);
  if (t->op == WATCH_HAS)
    return fail(s, word, "numbers are not compared by ~", "", 0);
  return take_number(s, word, n, t);
}

enum err watch_expr_parse(const char *text, bool server, struct watch_expr *out, struct watch_fault *fault) {
  struct scan s = {.text = text, .p = text, .fault = fault};
  memset(out, 0, sizeof *out);
  fault->at = 0;
  fault->why[0] = '\0';
  blanks(&s);
  if (*s.p == '\0')
    return (void)fail(&s, s.p, "there is no condition here", "", 0), ERR_BAD_ARG;
  if (strlen(text) > WATCH_EXPR_MAX)
    return (void)fail(&s, text + WATCH_EXPR_MAX, "the condition is too long", "", 0), ERR_BAD_ARG;
  for (; *s.p != '\0'; blanks(&s)) {
    if (out->n == WATCH_TERMS_MAX)
      return (void)fail(&s, s.p, "there are too many conditions", "", 0), ERR_BAD_ARG;
    if (!take_term(&s, server, &out->term[out->n]))
      return ERR_BAD_ARG;
    out->n++;
  }
  return ERR_OK;
}

/* ---- asking ---- */

static bool compares(enum watch_op op, int64_t have, int64_t want) {
  switch (op) {
  case WATCH_GT:
    return have > want;
  case WATCH_GE:
    return have >= want;
  case WATCH_LT:
    return have < want;
  case WATCH_LE:
    return have <= want;
  case WATCH_EQ:
    return have == want;
  case WATCH_NE:
    return have != want;
  case WATCH_HAS:
    break;
  }
  return false;
}

static bool has_alert(const struct watch_row *r, const char *word) {
  for (unsigned a = 0; a < WATCH_ALERT__COUNT; a++)
    if ((r->alerts & (1U << a)) && strcasecmp(watch_alert_word((enum watch_alert)a), word) == 0)
      return true;
  return false;
}

static bool text_holds(const struct watch_term *t, const struct watch_row *r) {
  const char *have = watch_field_text(r, t->field);
  bool found = t->field == WATCH_F_ALERTS ? has_alert(r, t->text)
               : t->op == WATCH_HAS       ? strcasestr(have, t->text) != NULL
                                          : strcasecmp(have, t->text) == 0;
  return t->op == WATCH_NE ? !found : found;
}

bool watch_expr_room(const struct watch_expr *e, const struct watch_row *r, int64_t now_ms) {
  for (size_t i = 0; i < e->n; i++) {
    const struct watch_term *t = &e->term[i];
    int64_t have;
    if (watch_field_of_server(t->field))
      continue;
    if (t->is_text ? !text_holds(t, r)
                   : !watch_field_value(r, t->field, now_ms, &have) || !compares(t->op, have, t->value))
      return false;
  }
  return true;
}

bool watch_expr_server(const struct watch_expr *e, const struct watch_server *s) {
  for (size_t i = 0; i < e->n; i++) {
    int64_t have;
    if (watch_field_of_server(e->term[i].field) &&
        (!watch_field_server(s, e->term[i].field, &have) || !compares(e->term[i].op, have, e->term[i].value)))
      return false;
  }
  return true;
}

bool watch_expr_of_rooms(const struct watch_expr *e) {
  for (size_t i = 0; i < e->n; i++)
    if (!watch_field_of_server(e->term[i].field))
      return true;
  return false;
}

bool watch_expr_of_times(const struct watch_expr *e) {
  for (size_t i = 0; i < e->n; i++)
    if (watch_field_info(e->term[i].field)->kind == WATCH_KIND_SECONDS)
      return true;
  return false;
}
