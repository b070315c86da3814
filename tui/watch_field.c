#include "tui/watch_field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct watch_field_info INFO[WATCH_FIELD__ALL] = {
#define X(id, word_, title_, kind_, cols_, rank_, help_)                                                     \
  [WATCH_F_##                                                                                                \
      id] = {.word = word_, .title = title_, .help = help_, .kind = kind_, .cols = cols_, .rank = rank_},
    WATCH_FIELDS(X)
#undef X
#define X(id, word_, kind_, help_)                                                                           \
  [WATCH_F_SERVER_##id] = {.word = word_, .title = "", .help = help_, .kind = kind_},
        WATCH_SERVER_FIELDS(X)
#undef X
};

const struct watch_field_info *watch_field_info(enum watch_field f) {
  return &INFO[f];
}

static int64_t age_s(int64_t since_ms, int64_t now_ms) {
  return now_ms > since_ms ? (now_ms - since_ms) / 1000 : 0;
}

static int64_t alerts_of(const struct watch_row *r) {
  int64_t n = 0;
  for (unsigned bits = r->alerts; bits; bits &= bits - 1)
    n++;
  return n;
}

/* whole: the figure itself, INT64_MIN when it is not known; MOS in tenths. */
static int64_t whole(const struct watch_row *r, enum watch_field f, int64_t now_ms) {
  const int64_t none = INT64_MIN;
  bool lines = r->lines > 0;
  switch (f) {
  case WATCH_F_PEOPLE:
  case WATCH_F_PAST:
    return r->people;
  case WATCH_F_WAITING:
    return r->waiting;
  case WATCH_F_TALKERS:
    return r->talkers;
  case WATCH_F_LOSS:
  case WATCH_F_LOSS_PAST:
    return lines ? watch_loss(r) : none;
  case WATCH_F_LOSS_UP:
    return lines ? r->loss_up.worst : none;
  case WATCH_F_LOSS_DOWN:
    return lines ? r->loss_down.worst : none;
  case WATCH_F_JITTER:
    return lines ? r->jitter_ms.worst : none;
  case WATCH_F_RTT:
    return lines ? r->rtt_ms.worst : none;
  case WATCH_F_MOS:
    return r->mos_tenths.worst ? r->mos_tenths.worst : none;
  case WATCH_F_TIERS:
    return (int64_t)r->tiers[2] + r->tiers[3];
  case WATCH_F_TIME:
    return r->since_ms ? age_s(r->since_ms, now_ms) : none;
  case WATCH_F_PATIENCE:
    return r->waiting_ms ? age_s(r->waiting_ms, now_ms) : none;
  case WATCH_F_ALERTS:
    return alerts_of(r);
  case WATCH_F_AWAY:
    return r->away;
  case WATCH_F_HOSTS:
    return r->hosts;
  case WATCH_F_MONITORS:
    return r->monitors;
  case WATCH_F_MUTED:
    return r->muted;
  default:
    return none;
  }
}

bool watch_field_value(const struct watch_row *r, enum watch_field f, int64_t now_ms, int64_t *out) {
  int64_t n = whole(r, f, now_ms);
  if (n == INT64_MIN || n > INT64_MAX / 1000)
    return false;
  *out = n * (f == WATCH_F_MOS ? 100 : 1000);
  return true;
}

bool watch_field_server(const struct watch_server *s, enum watch_field f, int64_t *out) {
  uint32_t most = 0;
  for (size_t i = 0; i < s->n_load; i++)
    most = s->load_permille[i] > most ? s->load_permille[i] : most;
  switch (f) {
  case WATCH_F_SERVER_ROOMS:
    *out = (int64_t)s->rooms * 1000;
    return true;
  case WATCH_F_SERVER_CPU:
    *out = (int64_t)s->cpu_permille * 100;
    return true;
  case WATCH_F_SERVER_LOAD:
    *out = (int64_t)most * 100;
    return true;
  case WATCH_F_SERVER_PACKETS:
    *out = ((int64_t)s->packets_in_s + s->packets_out_s) * 1000;
    return true;
  case WATCH_F_SERVER_EVERYONE:
    *out = (int64_t)s->people * 1000;
    return true;
  case WATCH_F_SERVER_QUEUE:
    *out = (int64_t)s->waiting * 1000;
    return true;
  case WATCH_F_SERVER_UPTIME:
    *out = s->uptime_s < INT64_MAX / 1000 ? s->uptime_s * 1000 : INT64_MAX;
    return true;
  default:
    return false;
  }
}

const char *watch_field_text(const struct watch_row *r, enum watch_field f) {
  return f == WATCH_F_ROOM ? r->room : f == WATCH_F_APP ? r->app : f == WATCH_F_REGION ? r->region : "";
}

void watch_spell(int64_t s, char out[16]) {
  if (s < 3600)
    snprintf(out, 16, "%d:%02d", (int)(s / 60), (int)(s % 60));
  else if (s < 48 * 3600)
    snprintf(out, 16, "%d:%02dh", (int)(s / 3600), (int)(s / 60 % 60));
  else if (s < 100 * 86400)
    snprintf(out, 16, "%dd%02dh", (int)(s / 86400), (int)(s / 3600 % 24));
  else
    snprintf(out, 16, "%dd", (int)(s / 86400 > 99999 ? 99999 : s / 86400));
}

static void show_alerts(const struct watch_row *r, char out[WATCH_CELL_MAX]) {
  out[0] = '\0';
  for (unsigned a = 0; a < WATCH_ALERT__COUNT; a++)
    if (r->alerts & (1U << a))
      (void)(text_append(out, WATCH_CELL_MAX, out[0] ? " " : "") &&
             text_append(out, WATCH_CELL_MAX, watch_alert_word((enum watch_alert)a)));
}

void watch_field_show(const struct watch_row *r, enum watch_field f, int64_t now_ms,
                      char out[WATCH_CELL_MAX]) {
  int64_t n = whole(r, f, now_ms);
  char spelt[16];
  if (INFO[f].kind == WATCH_KIND_TEXT)
    snprintf(out, WATCH_CELL_MAX, "%s", watch_field_text(r, f));
  else if (f == WATCH_F_ALERTS)
    show_alerts(r, out);
  else if (f == WATCH_F_TIERS)
    watch_tier_mix(r, (size_t)INFO[f].cols, out);
  else if (n == INT64_MIN)
    snprintf(out, WATCH_CELL_MAX, "-");
  else if (f == WATCH_F_LOSS)
    snprintf(out, WATCH_CELL_MAX, "%" PRIu32 "/%" PRIu32, r->loss_up.worst, r->loss_down.worst);
  else if (f == WATCH_F_MOS)
    snprintf(out, WATCH_CELL_MAX, "%d.%d", (int)(n / 10), (int)(n % 10));
  else if (INFO[f].kind == WATCH_KIND_SECONDS && n < 3600) /* by the minute: nothing ticks each second */
    snprintf(out, WATCH_CELL_MAX, "%dm", (int)(n / 60));
  else if (INFO[f].kind == WATCH_KIND_SECONDS) {
    watch_spell(n, spelt);
    snprintf(out, WATCH_CELL_MAX, "%s", spelt);
  } else
    snprintf(out, WATCH_CELL_MAX, "%" PRId64, n);
}

/* Each gets its share of the cells, and at least one as long as cells are left; the thin ones first, as they
 * are what one looks for. */
void watch_tier_mix(const struct watch_row *r, size_t cells, char *out) {
  uint64_t sum = 0;
  size_t own[WATCH_TIERS] = {0}, used = 0, at = 0;
  for (size_t i = 0; i < WATCH_TIERS; i++)
    sum += r->tiers[i];
  for (size_t i = WATCH_TIERS; sum && i-- > 0;) {
    own[i] = (size_t)(r->tiers[i] * (uint64_t)cells / sum);
    own[i] += r->tiers[i] > 0 && own[i] == 0;
    own[i] = own[i] > cells - used ? cells - used : own[i];
    used += own[i];
  }
  for (size_t i = 0; used > 0 && used < cells; i = (i + 1) % WATCH_TIERS) /* what rounding left over */
    if (own[i] > 0) {
      own[i] += cells - used;
      used = cells;
    }
  for (size_t i = 0; i < WATCH_TIERS; i++)
    for (size_t k = 0; k < own[i]; k++)
      out[at++] = "FPLM"[i];
  while (at < cells)
    out[at++] = ' ';
  out[at] = '\0';
}

unsigned watch_field_bad(const struct watch_row *r, enum watch_field f, int64_t now_ms) {
  int64_t n = whole(r, f, now_ms);
  if (n == INT64_MIN)
    return 0;
  switch (f) {
  case WATCH_F_LOSS:
  case WATCH_F_LOSS_PAST:
    return n > 5 ? 2 : n > 1;
  case WATCH_F_JITTER:
    return n >= 80 ? 2 : n >= 40;
  case WATCH_F_MOS:
    return n < 30 ? 2 : n < 36;
  case WATCH_F_WAITING:
    return n > 0 && (r->alerts & (1U << WATCH_ALERT_LOBBY)) ? 2 : n > 0;
  case WATCH_F_ALERTS:
    return n > 0 ? 2 : 0;
  default:
    return 0;
  }
}
