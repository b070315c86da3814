#include "tui/theme.h"

#include "core/base/text.h"
#include "tui/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define D (-1)
#define BOLD ATTR_BOLD
#define REV ATTR_REVERSE
#define LINE ATTR_UNDERLINE

/* The default: only the terminal's own 16 colours on its own background; grey by attribute, as bright black
 * is invisible on some. */
static const struct theme_style builtin[] = {
    [STYLE_NORMAL] = {D, D, D, D, 0, 0},
    [STYLE_DIM] = {D, D, D, D, ATTR_DIM, 0},
    [STYLE_TITLE] = {D, D, D, D, BOLD, BOLD},
    [STYLE_STATUS] = {D, D, D, D, REV, REV},
    [STYLE_KEY] = {6, D, 6, D, BOLD, BOLD},
    [STYLE_FOCUS] = {D, D, D, D, REV, REV},
    [STYLE_SELECTED] = {D, D, D, D, REV | BOLD, REV | BOLD},
    [STYLE_TALKING] = {2, D, 2, D, BOLD, BOLD},
    [STYLE_MUTED] = {D, D, D, D, ATTR_DIM, 0},
    [STYLE_HOST] = {6, D, 6, D, 0, 0},
    [STYLE_HAND] = {3, D, 3, D, BOLD, BOLD},
    [STYLE_SELF] = {D, D, D, D, LINE, LINE},
    [STYLE_WAITING] = {3, D, 3, D, 0, BOLD},
    [STYLE_AWAY] = {D, D, D, D, ATTR_DIM, 0},
    [STYLE_CHAT_NAME] = {6, D, 6, D, 0, BOLD},
    [STYLE_CHAT_PRIVATE] = {5, D, 5, D, 0, LINE},
    [STYLE_NOTICE] = {D, D, D, D, ATTR_DIM, 0},
    [STYLE_WARN] = {3, D, 3, D, BOLD, BOLD},
    [STYLE_DANGER] = {1, D, 1, D, BOLD, REV | BOLD},
    [STYLE_OK] = {2, D, 2, D, 0, 0},
    [STYLE_ON_AIR] = {1, D, 1, D, REV | BOLD, REV | BOLD},
    [STYLE_INPUT] = {D, D, D, D, 0, 0},
    [STYLE_BORDER] = {D, D, D, D, ATTR_DIM, 0},
    [STYLE_METER_LOW] = {2, D, 2, D, 0, 0},
    [STYLE_METER_MID] = {3, D, 3, D, 0, 0},
    [STYLE_METER_HIGH] = {1, D, 1, D, BOLD, BOLD},
};
_Static_assert(sizeof builtin / sizeof builtin[0] == STYLE__COUNT, "every style has a look");

static const char *const shipped[] = {"default",    "high-contrast",   "mono",          "deuteranopia",
                                      "tritanopia", "solarized-light", "solarized-dark"};

static const char *const colours[] = {
    "black",        "red",           "green",       "yellow",         "blue",
    "magenta",      "cyan",          "white",       "bright-black",   "bright-red",
    "bright-green", "bright-yellow", "bright-blue", "bright-magenta", "bright-cyan",
    "bright-white", "default",
};
#define COLOURS_N (sizeof colours / sizeof colours[0])

static const char *const attrs[] = {"bold", "dim", "underline", "reverse", "none"};

/* X(ID, name after the style) */
#define FIELDS(X)                                                                                            \
  X(FG, ".fg") X(BG, ".bg") X(FG_256, ".fg.256") X(BG_256, ".bg.256") X(ATTR, ".attr") X(MONO, ".mono")
enum field {
#define X(id, name) FIELD_##id,
  FIELDS(X)
#undef X
      FIELD__COUNT
};
static const char *const fields[] = {
#define X(id, name) name,
    FIELDS(X)
#undef X
};

struct loading {
  struct theme *theme;
  uint8_t seen[STYLE__COUNT]; /* bits of enum field: what the file said itself */
};

/* key_at: every key a theme file may have, for the hint. */
static const char *key_at(const void *ctx, size_t i, char buf[CONF_NAME]) {
  (void)ctx;
  snprintf(buf, CONF_NAME, "%s%s", style_name((enum style)(i / FIELD__COUNT)), fields[i % FIELD__COUNT]);
  return buf;
}

void theme_default(struct theme *t) {
  *t = (struct theme){.name = "default"};
  memcpy(t->style, builtin, sizeof builtin);
}

const char *theme_shipped(size_t i) {
  return i < sizeof shipped / sizeof shipped[0] ? shipped[i] : NULL;
}

/* rgb_of: xterm's 256: the cube 16..231 and the greys 232..255. */
static void rgb_of(int i, int rgb[3]) {
  static const int steps[] = {0, 95, 135, 175, 215, 255};
  if (i >= 232) {
    rgb[0] = rgb[1] = rgb[2] = 8 + (i - 232) * 10;
    return;
  }
  i -= 16;
  rgb[0] = steps[i / 36];
  rgb[1] = steps[i / 6 % 6];
  rgb[2] = steps[i % 6];
}

/* colour_to_16: by hue rather than by distance, so that a pale green stays green and does not turn grey. */
static int16_t colour_to_16(int16_t c) {
  if (c < 16)
    return c;
  int rgb[3];
  rgb_of(c, rgb);
  int high = rgb[0], low = rgb[0];
  for (int i = 1; i < 3; i++) {
    high = rgb[i] > high ? rgb[i] : high;
    low = rgb[i] < low ? rgb[i] : low;
  }
  if (high - low < 40)
    return (int16_t)(high < 50 ? 0 : high < 140 ? 8 : high < 210 ? 7 : 15);
  int mid = (high + low) / 2, bits = 0;
  for (int i = 0; i < 3; i++)
    bits |= (rgb[i] > mid) << i;
  return (int16_t)(bits + (high >= 215 ? 8 : 0));
}

/* colour_from_rgb: the nearest of the cube and the greys. */
static int16_t colour_from_rgb(unsigned long value) {
  int best = 16;
  long least = -1;
  for (int i = 16; i < 256; i++) {
    int rgb[3];
    rgb_of(i, rgb);
    long d = 0;
    for (int k = 0; k < 3; k++) {
      long diff = rgb[k] - (long)(value >> (16 - 8 * k) & 0xff);
      d += diff * diff;
    }
    if (least < 0 || d < least) {
      least = d;
      best = i;
    }
  }
  return (int16_t)best;
}

static enum err parse_colour(const char *s, int16_t *out, char why[CONF_WHY]) {
  for (size_t i = 0; i < COLOURS_N; i++)
    if (strcasecmp(s, colours[i]) == 0) {
      *out = (int16_t)(i < 16 ? (int)i : D);
      return ERR_OK;
    }
  size_t n = strlen(s);
  if (s[0] == '#' && n == 7 && strspn(s + 1, "0123456789abcdefABCDEF") == 6) {
    *out = colour_from_rgb(strtoul(s + 1, NULL, 16));
    return ERR_OK;
  }
  if (n >= 1 && n <= 3 && strspn(s, "0123456789") == n && strtoul(s, NULL, 10) < 256) {
    *out = (int16_t)strtoul(s, NULL, 10);
    return ERR_OK;
  }
  snprintf(why, CONF_WHY, "\"%.40s\" is no colour (a name, 0..255 or #rrggbb)", s);
  conf_hint(why, s, conf_name_in, colours, COLOURS_N);
  return ERR_BAD_THEME;
}

static enum err parse_attr(const char *s, uint8_t *out, char why[CONF_WHY]) {
  unsigned bits = 0;
  while (*(s += strspn(s, " \t,"))) {
    size_t n = strcspn(s, " \t,"), i = 0;
    while (i < 5 && !(strlen(attrs[i]) == n && strncasecmp(attrs[i], s, n) == 0))
      i++;
    if (i == 5) {
      char word[32];
      snprintf(word, sizeof word, "%.*s", n < 31 ? (int)n : 31, s);
      snprintf(why, CONF_WHY, "\"%s\" is no attribute", word);
      conf_hint(why, word, conf_name_in, attrs, 5);
      return ERR_BAD_THEME;
    }
    bits |= i < 4 ? 1U << i : 0U;
    s += n;
  }
  *out = (uint8_t)bits;
  return ERR_OK;
}

/* find_key: splits "chat.name.fg" into its style and field. */
static bool find_key(const char *key, enum style *s, enum field *f) {
  for (*s = 0; *s < STYLE__COUNT; (*s)++) {
    size_t n = strlen(style_name(*s));
    if (strncmp(key, style_name(*s), n) != 0)
      continue;
    for (*f = 0; *f < FIELD__COUNT; (*f)++)
      if (strcmp(key + n, fields[*f]) == 0)
        return true;
  }
  return false;
}

/* set_colour: `own` is what the file says for this depth, `other` the depth that is derived unless the file
 * says it too. */
static void set_colour(struct loading *l, enum style s, enum field f, int16_t c) {
  struct theme_style *t = &l->theme->style[s];
  bool is_bg = f == FIELD_BG || f == FIELD_BG_256, is_256 = f == FIELD_FG_256 || f == FIELD_BG_256;
  int16_t *c16 = is_bg ? &t->bg16 : &t->fg16, *c256 = is_bg ? &t->bg256 : &t->fg256;
  if (is_256 || !(l->seen[s] & 1U << (is_bg ? FIELD_BG_256 : FIELD_FG_256)))
    *c256 = c;
  if (!is_256 || !(l->seen[s] & 1U << (is_bg ? FIELD_BG : FIELD_FG)))
    *c16 = colour_to_16(c);
}

static enum err on_line(void *ctx, const struct conf_line *line, char why[CONF_WHY]) {
  struct loading *l = ctx;
  enum style s;
  enum field f;
  if (line->section[0]) {
    snprintf(why, CONF_WHY, "a theme has no sections, but here is [%.40s]", line->section);
    return ERR_BAD_THEME;
  }
  if (!find_key(line->name, &s, &f)) {
    snprintf(why, CONF_WHY, "there is no \"%.40s\"", line->name);
    conf_hint(why, line->name, key_at, NULL, (size_t)STYLE__COUNT * FIELD__COUNT);
    return ERR_BAD_THEME;
  }
  enum err err;
  int16_t colour = D;
  if (f == FIELD_ATTR)
    err = parse_attr(line->value, &l->theme->style[s].attr, why);
  else if (f == FIELD_MONO)
    err = parse_attr(line->value, &l->theme->style[s].mono_attr, why);
  else if ((err = parse_colour(line->value, &colour, why)) == ERR_OK)
    set_colour(l, s, f, colour);
  l->seen[s] |= (uint8_t)(1U << f);
  return err;
}

/* fill_from_normal: a theme with its own paper and ink has them under every style. */
static void fill_from_normal(struct theme *t) {
  const struct theme_style *n = &t->style[STYLE_NORMAL];
  for (size_t i = 0; i < STYLE__COUNT; i++) {
    struct theme_style *s = &t->style[i];
    s->fg16 = s->fg16 == D ? n->fg16 : s->fg16;
    s->bg16 = s->bg16 == D ? n->bg16 : s->bg16;
    s->fg256 = s->fg256 == D ? n->fg256 : s->fg256;
    s->bg256 = s->bg256 == D ? n->bg256 : s->bg256;
  }
}

/* load: from memory, or with text NULL from the file. */
static enum err load(const char *file, const char *text, struct theme *out, char why[CONF_WHY]) {
  struct theme t;
  struct loading l = {.theme = &t};
  theme_default(&t);
  enum err err = text ? conf_text(file, text, ERR_BAD_THEME, on_line, &l, why)
                      : conf_file(file, ERR_BAD_THEME, on_line, &l, why);
  if (err)
    return err;
  const char *base = strrchr(file, '/');
  base = base ? base + 1 : file;
  snprintf(t.name, sizeof t.name, "%.*s", (int)strcspn(base, "."), base);
  fill_from_normal(&t);
  *out = t;
  return ERR_OK;
}

enum err theme_load_text(const char *file, const char *text, struct theme *out, char why[256]) {
  return load(file, text, out, why);
}

enum err theme_load(const char *path, struct theme *out, char why[256]) {
  return load(path, NULL, out, why);
}

enum err theme_find(const char *name, struct theme *out, char why[256]) {
  const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME"), *themes = getenv("GAVEL_THEMES");
  const struct {
    const char *dir, *sub;
  } places[] = {
      {config && *config ? config : home, config && *config ? "/gavel/themes" : "/.config/gavel/themes"},
      {themes, ""},
      {GAVEL_DATADIR, "/themes"},
      {GAVEL_SRCDIR, "/themes"},
  };
  why[0] = '\0';
  for (size_t i = 0; text_slug_valid(name) && i < sizeof places / sizeof places[0]; i++) {
    char path[4096];
    if (!places[i].dir || !*places[i].dir)
      continue;
    int n = snprintf(path, sizeof path, "%s%s/%s.theme", places[i].dir, places[i].sub, name);
    if (n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0)
      return theme_load(path, out, why);
  }
  if (strcmp(name, "default") == 0) {
    theme_default(out);
    return ERR_OK;
  }
  snprintf(why, CONF_WHY, "there is no theme \"%.60s\"", name);
  conf_hint(why, name, conf_name_in, shipped, sizeof shipped / sizeof shipped[0]);
  return ERR_BAD_THEME;
}
