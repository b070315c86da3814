#include "tui/watch_inside.h"

#include "tui/watch_cursor.h"
#include "tui/watch_field.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct watch_person_info INFO[WATCH_P__COUNT] = {
#define X(id, title_, cols_, rank_) [WATCH_P_##id] = {.title = title_, .cols = cols_, .rank = rank_},
    WATCH_PERSON_FIELDS(X)
#undef X
};

const struct watch_person_info *watch_person_info(enum watch_person_field f) {
  return &INFO[f];
}

uint32_t watch_person_mos(const struct watch_person *p) {
  uint32_t a = p->mos_up_tenths, b = p->mos_down_tenths;
  return a == 0 || b == 0 ? a + b : a < b ? a : b;
}

static uint32_t worse(uint32_t a, uint32_t b) {
  return a > b ? a : b;
}

/* state_word: what he does now, in one word. */
static const char *state_word(const struct watch_person *p) {
  return strcmp(p->presence, "here") != 0 ? p->presence
         : p->talking                     ? "talks"
         : p->muted                       ? "muted"
         : !p->audio                      ? "no sound"
         : p->hand                        ? "hand"
         : !p->floor                      ? "listens"
                                          : "quiet";
}

void watch_person_show(const struct watch_person *p, enum watch_person_field f, char out[128]) {
  char spelt[16];
  uint32_t mos = watch_person_mos(p);
  bool figure = f == WATCH_P_LOSS || f == WATCH_P_JITTER || f == WATCH_P_TIER || f == WATCH_P_VIA ||
                f == WATCH_P_RTT || f == WATCH_P_AGE;
  snprintf(out, 128, "-");
  if (figure && !p->has_line)
    return;
  watch_spell(p->age_s, spelt);
  switch (f) {
  case WATCH_P_NAME:
    snprintf(out, 128, "%s", p->name);
    break;
  case WATCH_P_ROLE:
    snprintf(out, 128, "%s", p->role);
    break;
  case WATCH_P_STATE:
    snprintf(out, 128, "%s", state_word(p));
    break;
  case WATCH_P_LEVEL:
    if (p->level < 127)
      snprintf(out, 128, "-%" PRIu32 " dB", p->level);
    break;
  case WATCH_P_LOSS:
    snprintf(out, 128, "%" PRIu32 "/%" PRIu32, p->loss_up, p->loss_down);
    break;
  case WATCH_P_JITTER:
    snprintf(out, 128, "%" PRIu32, p->jitter_ms);
    break;
  case WATCH_P_MOS:
    if (p->has_line && mos)
      snprintf(out, 128, "%" PRIu32 ".%" PRIu32, mos / 10, mos % 10);
    break;
  case WATCH_P_TIER:
    snprintf(out, 128, "%s", p->tier);
    break;
  case WATCH_P_VIA:
    snprintf(out, 128, "%s", p->via[0] ? p->via : "-");
    break;
  case WATCH_P_RTT:
    snprintf(out, 128, "%" PRIu32, p->rtt_ms);
    break;
  case WATCH_P_AGE:
    snprintf(out, 128, "%s", spelt);
    break;
  case WATCH_P_CLIENT:
    snprintf(out, 128, "%s", p->client[0] ? p->client : "-");
    break;
  case WATCH_P__COUNT:
    break;
  }
}

unsigned watch_person_bad(const struct watch_person *p, enum watch_person_field f) {
  uint32_t loss = worse(p->loss_up, p->loss_down), mos = watch_person_mos(p);
  if (!p->has_line)
    return 0;
  switch (f) {
  case WATCH_P_LOSS:
    return loss > 5 ? 2 : loss > 1;
  case WATCH_P_JITTER:
    return p->jitter_ms >= 80 ? 2 : p->jitter_ms >= 40;
  case WATCH_P_MOS:
    return mos == 0 ? 0 : mos < 30 ? 2 : mos < 36;
  case WATCH_P_RTT:
    return p->rtt_ms >= 800 ? 2 : p->rtt_ms >= 400;
  default:
    return 0;
  }
}

/* ---- order ---- */

static int64_t known(const struct watch_person *p, uint32_t figure) {
  return p->has_line ? (int64_t)figure : -1;
}

static int64_t rank_of(const struct watch_person *p, enum watch_person_field f) {
  static const char *const ROLES[] = {"owner", "host", "cohost", "speaker", "audience", "monitor"};
  int64_t i = 0, n = (int64_t)(sizeof ROLES / sizeof ROLES[0]);
  switch (f) {
  case WATCH_P_ROLE:
    while (i < n && strcmp(ROLES[i], p->role) != 0)
      i++;
    return n - i;
  case WATCH_P_STATE:
    return strcmp(p->presence, "waiting") == 0 ? 4
           : p->talking                        ? 3
           : strcmp(p->presence, "here") == 0  ? 2
                                               : 1;
  case WATCH_P_LEVEL:
    return -(int64_t)p->level;
  case WATCH_P_LOSS:
    return known(p, worse(p->loss_up, p->loss_down));
  case WATCH_P_JITTER:
    return known(p, p->jitter_ms);
  case WATCH_P_MOS:
    return watch_person_mos(p) ? -(int64_t)watch_person_mos(p) : INT64_MIN;
  case WATCH_P_RTT:
    return known(p, p->rtt_ms);
  case WATCH_P_AGE:
    return known(p, p->age_s);
  default:
    return 0;
  }
}

static int compare(const void *a, const void *b, void *ctx) {
  const struct watch_inside *in = ctx;
  const struct watch_person *x = a, *y = b;
  int way = in->reverse ? -1 : 1, c = 0;
  if (in->sort == WATCH_P_NAME)
    c = way * strcasecmp(x->name, y->name);
  else if (in->sort == WATCH_P_TIER || in->sort == WATCH_P_VIA || in->sort == WATCH_P_CLIENT)
    c = way * (in->sort == WATCH_P_TIER  ? strcmp(x->tier, y->tier)
               : in->sort == WATCH_P_VIA ? strcmp(x->via, y->via)
                                         : strcmp(x->client, y->client));
  else {
    int64_t left = rank_of(x, in->sort), right = rank_of(y, in->sort);
    c = left == right ? 0 : left > right ? -way : way;
  }
  return c ? c : (x->id > y->id) - (x->id < y->id);
}

static void clamp_top(struct watch_inside *in) {
  size_t most = in->n > in->page ? in->n - in->page : 0;
  in->top = in->top < most ? in->top : most;
}

static void order(struct watch_inside *in) {
  size_t line = in->at > in->top ? in->at - in->top : 0, i = 0;
  if (in->n > 1)
    qsort_r(in->people, in->n, sizeof in->people[0], compare, in);
  while (i < in->n && in->people[i].id != in->selected)
    i++;
  if (in->selected && i < in->n) {
    in->at = i;
    in->top = i > line ? i - line : 0;
  } else
    in->selected = 0;
  in->at = in->at < in->n || in->n == 0 ? in->at : in->n - 1;
  clamp_top(in);
}

/* ---- taking ---- */

void watch_inside_begin(struct watch_inside *in, const char *room) {
  size_t page = in->page;
  watch_inside_end(in);
  *in = (struct watch_inside){.sort = WATCH_P_LOSS, .page = page};
  snprintf(in->room, sizeof in->room, "%s", room);
}

void watch_inside_end(struct watch_inside *in) {
  free(in->people);
  *in = (struct watch_inside){.people = NULL};
}

static enum err read_listeners(const json_t *list, struct watch_inside *to) {
  enum err e = ERR_OK;
  for (size_t i = 0; e == ERR_OK && i < json_array_size(list) && to->n_listeners < WATCH_LISTENERS_MAX; i++)
    e = watch_listener_read(json_array_get(list, i), &to->listeners[to->n_listeners++]);
  return e;
}

enum err watch_inside_take(struct watch_inside *in, const json_t *result) {
  const json_t *list = json_object_get(result, "people");
  struct watch_inside *next = calloc(1, sizeof *next);
  size_t n = json_array_size(list);
  enum err e = json_is_array(list) && n <= WATCH_PEOPLE_MAX ? ERR_OK : ERR_PROTOCOL;
  if (!next)
    abort();
  *next = *in;
  next->n = next->n_listeners = 0;
  next->people = calloc(n + 1, sizeof *next->people);
  if (!next->people)
    abort();
  if (e == ERR_OK)
    e = watch_row_read(json_object_get(result, "room"), &next->row);
  if (e == ERR_OK)
    e = read_listeners(json_object_get(result, "listeners"), next);
  for (size_t i = 0; e == ERR_OK && i < n; i++, next->n++)
    e = watch_person_read(json_array_get(list, i), &next->people[i]);
  if (e == ERR_OK) {
    free(in->people);
    *in = *next;
    in->fed = true;
    order(in);
  } else
    free(next->people);
  free(next);
  return e;
}

void watch_inside_sort(struct watch_inside *in, enum watch_person_field f, bool reverse) {
  in->sort = f;
  in->reverse = reverse;
  order(in);
}

/* ---- moving ---- */

static void select_at(struct watch_inside *in, size_t at) {
  in->at = at;
  in->selected = at < in->n ? in->people[at].id : 0;
  in->top = watch_cursor_top(at, in->top, in->page);
  clamp_top(in);
}

void watch_inside_page(struct watch_inside *in, size_t rows) {
  in->page = rows ? rows : 1;
  if (in->selected)
    select_at(in, in->at);
  clamp_top(in);
}

void watch_inside_move(struct watch_inside *in, long rows) {
  if (in->n == 0)
    return;
  select_at(in, watch_cursor_to(in->at, in->n, in->selected != 0, rows));
}

void watch_inside_edge(struct watch_inside *in, bool last) {
  if (in->n > 0)
    select_at(in, last ? in->n - 1 : 0);
}

const struct watch_person *watch_inside_person(const struct watch_inside *in) {
  return in->selected && in->at < in->n && in->people[in->at].id == in->selected ? &in->people[in->at] : NULL;
}
