#include "tui/watch_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_MAX 5 /* rooms named for a condition */
#define COLUMNS 12

/* ---- the table ---- */

static const enum watch_field TABLE[COLUMNS] = {
    WATCH_F_ROOM, WATCH_F_PEOPLE, WATCH_F_WAITING, WATCH_F_TALKERS, WATCH_F_LOSS,   WATCH_F_JITTER,
    WATCH_F_RTT,  WATCH_F_MOS,    WATCH_F_TIERS,   WATCH_F_TIME,    WATCH_F_REGION, WATCH_F_ALERTS};

static bool on_the_left(enum watch_field f) {
  enum watch_kind kind = watch_field_info(f)->kind;
  return kind == WATCH_KIND_TEXT || kind == WATCH_KIND_WORDS || f == WATCH_F_TIERS;
}

static void widths(const struct watch_model *m, int64_t now_ms, size_t w[COLUMNS]) {
  char text[WATCH_CELL_MAX];
  for (size_t c = 0; c < COLUMNS; c++)
    w[c] = strlen(watch_field_info(TABLE[c])->title);
  for (size_t i = 0; i < m->n_shown; i++)
    for (size_t c = 0; c < COLUMNS; c++) {
      watch_field_show(&m->shown[i]->row, TABLE[c], now_ms, text);
      w[c] = text_width(text) > w[c] ? text_width(text) : w[c];
    }
}

/* put_cell: blanks only before what is shown: none at the end of a line. */
static void put_cell(FILE *f, enum watch_field field, size_t w, size_t *owed, const char *text) {
  size_t pad = w - text_width(text);
  *owed += on_the_left(field) ? 0 : pad;
  if (text[0])
    fprintf(f, "%*s%s", (int)*owed, "", text);
  *owed = (text[0] ? 0 : *owed) + (on_the_left(field) ? pad : 0) + 2;
}

static void put_row(FILE *f, const struct watch_row *r, int64_t now_ms, const size_t w[COLUMNS]) {
  char text[WATCH_CELL_MAX];
  size_t owed = 0;
  for (size_t c = 0; c < COLUMNS; c++) {
    if (r)
      watch_field_show(r, TABLE[c], now_ms, text);
    else
      snprintf(text, sizeof text, "%s", watch_field_info(TABLE[c])->title);
    if (TABLE[c] == WATCH_F_TIERS && text[0] == ' ')
      text[0] = '\0'; /* nobody has sound */
    put_cell(f, TABLE[c], w[c], &owed, text);
  }
  fputc('\n', f);
}

char *watch_text_table(const struct watch_model *m, us_t now) {
  char *out = NULL, text[WATCH_SENTENCE_MAX];
  size_t n, w[COLUMNS];
  int64_t now_ms = watch_model_now_ms(m, now);
  FILE *f = open_memstream(&out, &n);
  if (!f)
    abort();
  watch_text_server(m, text);
  fprintf(f, "%s: %s\n", m->server.name, text);
  widths(m, now_ms, w);
  put_row(f, NULL, 0, w);
  for (size_t i = 0; i < m->n_shown; i++)
    put_row(f, &m->shown[i]->row, now_ms, w);
  if (fclose(f) != 0)
    abort();
  return out;
}

/* ---- sentences ---- */

void watch_text_server(const struct watch_model *m, char out[WATCH_SENTENCE_MAX]) {
  const struct watch_server *s = &m->server;
  snprintf(out, WATCH_SENTENCE_MAX,
           "%" PRIu32 " room%s, %" PRIu32 " %s, %" PRIu32 " wait%s, %zu alert%s, cpu %" PRIu32 "%%%s%s.",
           s->rooms, s->rooms == 1 ? "" : "s", s->people, s->people == 1 ? "person" : "people", s->waiting,
           s->waiting == 1 ? "s" : "", m->alerting, m->alerting == 1 ? "" : "s", s->cpu_permille / 10,
           s->state[0] ? ", " : "", s->state);
}

struct saying {
  char *out;
  size_t parts;
};

static void part(struct saying *s, const char *text) {
  (void)(text_append(s->out, WATCH_SENTENCE_MAX - 2, s->parts++ ? ", " : " ") &&
         text_append(s->out, WATCH_SENTENCE_MAX - 2, text));
}

static void count_part(struct saying *s, uint32_t before, uint32_t after, const char *what) {
  char text[64];
  snprintf(text, sizeof text, "%" PRIu32 " %s (%" PRIu32 ")", after, what, before);
  if (before != after)
    part(s, text);
}

/* grade_part: a figure that became good, weak or bad. */
static void grade_part(struct saying *s, const struct watch_row *before, const struct watch_row *after,
                       enum watch_field f, const char *name, const char *unit) {
  char text[WATCH_CELL_MAX], words[WATCH_CELL_MAX + 40];
  if (watch_field_bad(before, f, 0) == watch_field_bad(after, f, 0))
    return;
  watch_field_show(after, f, 0, text);
  snprintf(words, sizeof words, "%s %s%s", name, text, unit);
  part(s, words);
}

static void alert_parts(struct saying *s, unsigned before, unsigned after) {
  char text[48];
  for (unsigned a = 0; a < WATCH_ALERT__COUNT; a++) {
    if (((before ^ after) & (1U << a)) == 0)
      continue;
    snprintf(text, sizeof text, "%s: %s", after & (1U << a) ? "ALERT" : "alert over",
             watch_alert_word((enum watch_alert)a));
    part(s, text);
  }
}

bool watch_text_change(const struct watch_row *before, const struct watch_row *after,
                       char out[WATCH_SENTENCE_MAX]) {
  struct saying s = {.out = out};
  if (!before || !after) {
    snprintf(out, WATCH_SENTENCE_MAX, before ? "%s is over." : "%s has opened.",
             (before ? before : after)->room);
    return true;
  }
  snprintf(out, WATCH_SENTENCE_MAX, "%s:", after->room);
  alert_parts(&s, before->alerts, after->alerts);
  count_part(&s, before->people, after->people, "inside");
  count_part(&s, before->waiting, after->waiting, after->waiting == 1 ? "waits" : "wait");
  count_part(&s, before->monitors, after->monitors, after->monitors == 1 ? "listens in" : "listen in");
  grade_part(&s, before, after, WATCH_F_LOSS, "loss up/down", " percent");
  grade_part(&s, before, after, WATCH_F_MOS, "MOS", "");
  if (before->locked != after->locked)
    part(&s, after->locked ? "locked" : "unlocked");
  (void)text_append(out, WATCH_SENTENCE_MAX, ".");
  return s.parts > 0;
}

/* ---- conditions ---- */

/* cause: the room, and the figure that the first term on rooms is about. */
static void cause(const struct watch_row *r, const struct watch_expr *e, int64_t now_ms, char out[300]) {
  char text[WATCH_CELL_MAX] = "";
  for (size_t i = 0; i < e->n && !text[0]; i++)
    if (!watch_field_of_server(e->term[i].field) && !e->term[i].is_text)
      watch_field_show(r, e->term[i].field, now_ms, text);
  snprintf(out, 300, text[0] ? "%s (%s)" : "%s%s", r->room, text);
}

bool watch_text_fails(const struct watch_model *m, const char *condition, us_t now,
                      char out[WATCH_SENTENCE_MAX], json_t *rooms) {
  struct watch_expr e;
  struct watch_fault fault;
  char one[300];
  size_t n = 0;
  int64_t now_ms = watch_model_now_ms(m, now), value;
  if (watch_expr_parse(condition, true, &e, &fault) != ERR_OK || !watch_expr_server(&e, &m->server))
    return false;
  snprintf(out, WATCH_SENTENCE_MAX, "%.120s", condition);
  for (size_t i = 0; i < m->n && watch_expr_of_rooms(&e); i++) {
    const struct watch_row *r = &m->all[i]->row;
    if (!watch_expr_room(&e, r, now_ms))
      continue;
    cause(r, &e, now_ms, one);
    if (n++ < NAMED_MAX)
      (void)(text_append(out, WATCH_SENTENCE_MAX, n == 1 ? ": " : ", ") &&
             text_append(out, WATCH_SENTENCE_MAX, one));
    if (rooms)
      json_array_append_new(rooms, json_string(r->room));
  }
  snprintf(one, sizeof one, " and %zu more", n > NAMED_MAX ? n - NAMED_MAX : 0);
  if (n > NAMED_MAX)
    (void)text_append(out, WATCH_SENTENCE_MAX, one);
  if (!watch_expr_of_rooms(&e) && watch_field_server(&m->server, e.term[0].field, &value)) {
    snprintf(one, sizeof one, ": it is %" PRId64 ".%" PRId64, value / 1000, value / 100 % 10);
    (void)text_append(out, WATCH_SENTENCE_MAX, one);
  }
  return n > 0 || !watch_expr_of_rooms(&e);
}
