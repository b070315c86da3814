#include "tui/meter.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define RANGE_DB (0.0F - METER_MIN_DB)

void meter_init(struct meter *m) {
  *m = (struct meter){.target = METER_MIN_DB, .level = METER_MIN_DB};
}

void meter_feed(struct meter *m, us_t now, float dbfs, bool voice) {
  meter_level(m, now);
  if (!(dbfs > METER_MIN_DB)) /* also not a number */
    dbfs = METER_MIN_DB;
  m->target = dbfs < 0 ? dbfs : 0;
  m->fed = now;
  if (voice)
    m->voice_until = now + METER_HOLD_MS * US_PER_MS;
}

/* move: a straight line in dB towards the target, the whole scale in METER_UP_MS or METER_DOWN_MS. */
static void move(struct meter *m, us_t now, float target) {
  if (now <= m->at)
    return;
  float ms = (float)(now - m->at) / (float)US_PER_MS;
  if (target > m->level)
    m->level = fminf(target, m->level + ms * RANGE_DB / METER_UP_MS);
  else
    m->level = fmaxf(target, m->level - ms * RANGE_DB / METER_DOWN_MS);
  m->at = now;
}

float meter_level(struct meter *m, us_t now) {
  us_t stale = m->fed + METER_STALE_MS * US_PER_MS;
  move(m, now < stale ? now : stale, m->target);
  if (now >= stale)
    m->target = METER_MIN_DB;
  move(m, now, m->target);
  return m->level;
}

bool meter_talking(const struct meter *m, us_t now) {
  return now < m->voice_until;
}

bool meter_is_still(const struct meter *m, us_t now) {
  return m->level <= METER_MIN_DB && m->target <= METER_MIN_DB && now >= m->voice_until;
}

static int steps_of(float dbfs, int steps) {
  float part = (dbfs - METER_MIN_DB) / RANGE_DB;
  if (!(part > 0))
    return 0;
  return part >= 1 ? steps : (int)(part * (float)steps + 0.5F);
}

/* cell_text: what cell i of a bar of `full` eighths shows. */
static const char *cell_text(int full, int i) {
  static const char *const eighths[] = {"·", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
  int n = full - 8 * i;
  return eighths[n < 0 ? 0 : n > 8 ? 8 : n];
}

size_t meter_text(float dbfs, int cells, bool ascii, char *out, size_t cap) {
  assert(cells >= 0 && cap >= 3 * (size_t)cells + 1);
  int full = ascii ? 8 * steps_of(dbfs, cells) : steps_of(dbfs, 8 * cells);
  size_t n = 0;
  for (int i = 0; i < cells; i++) {
    const char *s = ascii ? (full > 8 * i ? "=" : ".") : cell_text(full, i);
    memcpy(out + n, s, strlen(s));
    n += strlen(s);
  }
  out[n] = '\0';
  return n;
}

void meter_draw(struct canvas *c, int x, int y, int cells, float dbfs) {
  int full = c->ascii ? 8 * steps_of(dbfs, cells) : steps_of(dbfs, 8 * cells);
  for (int i = 0; i < cells; i++) {
    float db = METER_MIN_DB + RANGE_DB * (float)i / (float)cells;
    enum style s = full <= 8 * i         ? STYLE_DIM
                   : db >= METER_HIGH_DB ? STYLE_METER_HIGH
                   : db >= METER_MID_DB  ? STYLE_METER_MID
                                         : STYLE_METER_LOW;
    canvas_put(c, x + i, y, 1, s, c->ascii ? (full > 8 * i ? "=" : ".") : cell_text(full, i));
  }
}
