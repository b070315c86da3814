#include "tui/canvas.h"

#include "core/base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MARKS_MAX 4
#define SIDE_MAX 4096 /* no terminal is larger; keeps w * h far from overflow */

/* Letters of canvas_styles: NORMAL is '.', the rest in the order of STYLES. */
static const char letters[] = {
    [STYLE_NORMAL] = '.',    [STYLE_DIM] = 'd',        [STYLE_TITLE] = 't',     [STYLE_STATUS] = 's',
    [STYLE_KEY] = 'k',       [STYLE_FOCUS] = 'f',      [STYLE_SELECTED] = 'S',  [STYLE_TALKING] = 'T',
    [STYLE_MUTED] = 'm',     [STYLE_HOST] = 'h',       [STYLE_HAND] = 'H',      [STYLE_SELF] = 'e',
    [STYLE_WAITING] = 'w',   [STYLE_AWAY] = 'a',       [STYLE_CHAT_NAME] = 'c', [STYLE_CHAT_PRIVATE] = 'p',
    [STYLE_NOTICE] = 'n',    [STYLE_WARN] = 'W',       [STYLE_DANGER] = 'D',    [STYLE_OK] = 'o',
    [STYLE_ON_AIR] = 'A',    [STYLE_INPUT] = 'i',      [STYLE_BORDER] = 'b',    [STYLE_METER_LOW] = '1',
    [STYLE_METER_MID] = '2', [STYLE_METER_HIGH] = '3',
};
_Static_assert(sizeof letters == STYLE__COUNT, "every style has a letter");

/* next_shown: the next code point that may be shown and its width; false at the end. */
static bool next_shown(const char **s, const char *end, uint32_t *cp, int *width) {
  while (*s < end) {
    *cp = text_utf8_next(s, end);
    if (*cp == '\t' || *cp == '\n')
      *cp = ' ';
    if (!text_cp_safe(*cp))
      continue;
    *width = text_cp_width(*cp);
    return true;
  }
  return false;
}

static int shown_width(const char *s, const char *end) {
  uint32_t cp;
  int width, sum = 0;
  while (sum < SIDE_MAX && next_shown(&s, end, &cp, &width))
    sum += width;
  return sum;
}

struct canvas *canvas_create(int w, int h, bool ascii) {
  w = w < 1 ? 1 : w > SIDE_MAX ? SIDE_MAX : w;
  h = h < 1 ? 1 : h > SIDE_MAX ? SIDE_MAX : h;
  struct canvas *c = calloc(1, sizeof *c);
  if (!c)
    return NULL;
  *c = (struct canvas){.w = w, .h = h, .ascii = ascii};
  c->cells = calloc((size_t)w * (size_t)h, sizeof *c->cells);
  if (!c->cells) {
    free(c);
    return NULL;
  }
  canvas_clear(c);
  return c;
}

void canvas_destroy(struct canvas *c) {
  if (!c)
    return;
  free(c->cells);
  free(c);
}

void canvas_clear(struct canvas *c) {
  c->n_hits = 0;
  for (int i = 0; i < c->w * c->h; i++)
    c->cells[i] = (struct cell){.text = " ", .width = 1, .style = STYLE_NORMAL};
  c->cursor_x = c->cursor_y = 0;
  c->cursor_shown = false;
}

static struct cell *cell_at(struct canvas *c, int x, int y) {
  return x >= 0 && y >= 0 && x < c->w && y < c->h ? &c->cells[(size_t)y * (size_t)c->w + (size_t)x] : NULL;
}

static void blank(struct cell *cell) {
  if (cell) {
    memcpy(cell->text, " ", 2);
    cell->width = 1;
  }
}

/* free_cell: before x,y is overwritten, the other half of a wide character there becomes a blank. */
static void free_cell(struct canvas *c, int x, int y) {
  struct cell *cell = cell_at(c, x, y);
  if (cell && cell->width == 0)
    blank(cell_at(c, x - 1, y));
  else if (cell && cell->width == 2)
    blank(cell_at(c, x + 1, y));
}

static void set_one(struct canvas *c, int x, int y, enum style s, uint32_t cp, int width) {
  struct cell *cell = cell_at(c, x, y);
  if (width == 2 && (!cell || !cell_at(c, x + 1, y))) { /* half outside: what is inside is a blank */
    for (int i = x; i <= x + 1; i++)
      if (cell_at(c, i, y))
        set_one(c, i, y, s, ' ', 1);
    return;
  }
  if (!cell)
    return;
  free_cell(c, x, y);
  size_t n = text_utf8_put(cp, cell->text);
  cell->text[n] = '\0';
  cell->width = (uint8_t)width;
  cell->style = (uint8_t)s;
  if (width == 2) {
    free_cell(c, x + 1, y);
    cell[1] = (struct cell){.text = "", .width = 0, .style = (uint8_t)s};
  }
}

/* set_cp: a base character; in ASCII mode a '?' for each column of what is not ASCII. */
static void set_cp(struct canvas *c, int x, int y, enum style s, uint32_t cp, int width) {
  if (!c->ascii || cp < 0x80) {
    set_one(c, x, y, s, cp, width);
    return;
  }
  for (int i = 0; i < width; i++)
    set_one(c, x + i, y, s, '?', 1);
}

static void add_mark(struct canvas *c, int x, int y, uint32_t cp) {
  struct cell *cell = cell_at(c, x, y);
  if (!cell || c->ascii)
    return;
  size_t have = strlen(cell->text), marks = 0;
  for (size_t i = 1; i < have; i++)
    marks += ((unsigned char)cell->text[i] & 0xC0) != 0x80;
  char utf8[4];
  size_t n = text_utf8_put(cp, utf8);
  if (marks >= MARKS_MAX || have + n >= CELL_BYTES)
    return;
  memcpy(cell->text + have, utf8, n);
  cell->text[have + n] = '\0';
}

int canvas_put(struct canvas *c, int x, int y, int max_cols, enum style s, const char *text) {
  assert((size_t)s < STYLE__COUNT);
  if (x >= c->w || x < -SIDE_MAX || max_cols < 1)
    return 0;
  if (max_cols > c->w - x)
    max_cols = c->w - x;
  const char *end = text + strlen(text);
  bool cut = shown_width(text, end) > max_cols;
  int room = cut ? max_cols - 1 : max_cols, used = 0, base = -1, width;
  uint32_t cp;
  while (next_shown(&text, end, &cp, &width)) {
    if (width == 0) {
      if (base >= 0)
        add_mark(c, x + base, y, cp);
      continue;
    }
    if (used + width > room)
      break;
    set_cp(c, x + used, y, s, cp, width);
    base = used;
    used += width;
  }
  if (cut)
    set_one(c, x + used++, y, s, c->ascii ? '~' : 0x2026, 1);
  return used;
}

void canvas_fill(struct canvas *c, struct rect r, enum style s, const char *cell_text) {
  uint32_t cp = ' ';
  int width = 1;
  const char *end = cell_text + strlen(cell_text);
  if (!next_shown(&cell_text, end, &cp, &width) || width != 1)
    cp = ' ';
  for (int y = r.y < 0 ? 0 : r.y; y < r.y + r.h && y < c->h; y++)
    for (int x = r.x < 0 ? 0 : r.x; x < r.x + r.w && x < c->w; x++)
      set_cp(c, x, y, s, cp, 1);
}

void canvas_hline(struct canvas *c, int x, int y, int w, enum style s) {
  canvas_fill(c, (struct rect){x, y, w, 1}, s, c->ascii ? "-" : "─");
}

void canvas_vline(struct canvas *c, int x, int y, int h, enum style s) {
  canvas_fill(c, (struct rect){x, y, 1, h}, s, c->ascii ? "|" : "│");
}

void canvas_box(struct canvas *c, struct rect r, enum style s, const char *title) {
  if (r.w < 2 || r.h < 2)
    return;
  int right = r.x + r.w - 1, bottom = r.y + r.h - 1;
  canvas_hline(c, r.x, r.y, r.w, s);
  canvas_hline(c, r.x, bottom, r.w, s);
  canvas_vline(c, r.x, r.y, r.h, s);
  canvas_vline(c, right, r.y, r.h, s);
  static const uint32_t corners[4] = {0x250C, 0x2510, 0x2514, 0x2518};
  for (int i = 0; i < 4; i++)
    set_one(c, i & 1 ? right : r.x, i & 2 ? bottom : r.y, s, c->ascii ? '+' : corners[i], 1);
  if (title && *title && r.w > 6) {
    int n = canvas_put(c, r.x + 3, r.y, r.w - 6, s, title);
    set_one(c, r.x + 2, r.y, s, ' ', 1);
    set_one(c, r.x + 3 + n, r.y, s, ' ', 1);
  }
}

void canvas_style(struct canvas *c, struct rect r, enum style s) {
  for (int y = r.y < 0 ? 0 : r.y; y < r.y + r.h && y < c->h; y++)
    for (int x = r.x < 0 ? 0 : r.x; x < r.x + r.w && x < c->w; x++)
      cell_at(c, x, y)->style = (uint8_t)s;
}

/* end_line: drops trailing `pad` of the line that began at `start` and ends it. */
static char *end_line(char *start, char *p, char pad) {
  while (p > start && p[-1] == pad)
    p--;
  *p++ = '\n';
  return p;
}

char *canvas_text(const struct canvas *c) {
  char *out = malloc((size_t)c->h * ((size_t)c->w * CELL_BYTES + 1) + 1), *p = out;
  if (!out)
    return NULL;
  for (int y = 0; y < c->h; y++) {
    char *start = p;
    for (int x = 0; x < c->w; x++) {
      const struct cell *cell = &c->cells[(size_t)y * (size_t)c->w + (size_t)x];
      size_t n = strlen(cell->text);
      memcpy(p, cell->text, n);
      p += n;
    }
    p = end_line(start, p, ' ');
  }
  *p = '\0';
  return out;
}

char *canvas_styles(const struct canvas *c) {
  char *out = malloc((size_t)c->h * ((size_t)c->w + 1) + 1), *p = out;
  if (!out)
    return NULL;
  for (int y = 0; y < c->h; y++) {
    char *start = p;
    for (int x = 0; x < c->w; x++)
      *p++ = letters[c->cells[(size_t)y * (size_t)c->w + (size_t)x].style];
    p = end_line(start, p, letters[STYLE_NORMAL]);
  }
  *p = '\0';
  return out;
}

void canvas_hit(struct canvas *c, struct rect r, uint32_t person) {
  if (c->n_hits < CANVAS_HITS_MAX)
    c->hits[c->n_hits++] = (struct hit){r, person};
}

uint32_t canvas_person_at(const struct canvas *c, int x, int y) {
  for (size_t i = c->n_hits; i-- > 0;) {
    struct rect r = c->hits[i].at;
    if (x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h)
      return c->hits[i].person;
  }
  return 0;
}
