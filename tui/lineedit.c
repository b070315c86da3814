#include "tui/lineedit.h"

#include "core/base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct lineedit {
  size_t max, len, cur;
  size_t first; /* byte of the first column shown */
  bool secret;
  char *text, *kill, *draft;
  char *history[LINEEDIT_HISTORY]; /* oldest first */
  size_t history_n, at;            /* at == history_n: the draft, not the history */
};

struct lineedit *lineedit_create(size_t max_bytes, bool secret) {
  struct lineedit *le = calloc(1, sizeof *le);
  if (!le)
    return NULL;
  le->max = max_bytes;
  le->secret = secret;
  le->text = calloc(1, max_bytes + 1);
  le->kill = calloc(1, max_bytes + 1);
  le->draft = calloc(1, max_bytes + 1);
  if (!le->text || !le->kill || !le->draft) {
    lineedit_destroy(le);
    return NULL;
  }
  return le;
}

void lineedit_destroy(struct lineedit *le) {
  if (!le)
    return;
  if (le->text)
    explicit_bzero(le->text, le->max + 1);
  for (size_t i = 0; i < le->history_n; i++)
    free(le->history[i]);
  free(le->text);
  free(le->kill);
  free(le->draft);
  free(le);
}

static bool is_mark(const struct lineedit *le, size_t at) {
  const char *p = le->text + at;
  return at < le->len && text_cp_width(text_utf8_next(&p, le->text + le->len)) == 0;
}

/* next_char, prev_char: over a base character and its combining marks. */
static size_t next_char(const struct lineedit *le, size_t at) {
  const char *p = le->text + at;
  do {
    if (at >= le->len)
      return le->len;
    text_utf8_next(&p, le->text + le->len);
    at = (size_t)(p - le->text);
  } while (is_mark(le, at));
  return at;
}

static size_t prev_char(const struct lineedit *le, size_t at) {
  do {
    while (at > 0 && ((unsigned char)le->text[--at] & 0xc0) == 0x80)
      ;
  } while (at > 0 && is_mark(le, at));
  return at;
}

static size_t word_left(const struct lineedit *le) {
  size_t at = le->cur;
  while (at > 0 && le->text[at - 1] == ' ')
    at--;
  while (at > 0 && le->text[at - 1] != ' ')
    at--;
  return is_mark(le, at) ? prev_char(le, at) : at;
}

static size_t word_right(const struct lineedit *le) {
  size_t at = le->cur;
  while (at < le->len && le->text[at] == ' ')
    at++;
  while (at < le->len && le->text[at] != ' ')
    at++;
  return at;
}

/* cut: removes [from, to); `keep` puts it where Ctrl-y finds it. The cursor ends at `from`, behind marks that
 * now belong there. */
static void cut(struct lineedit *le, size_t from, size_t to, bool keep) {
  if (from >= to)
    return;
  if (keep && !le->secret) {
    memcpy(le->kill, le->text + from, to - from);
    le->kill[to - from] = '\0';
  }
  memmove(le->text + from, le->text + to, le->len - to + 1);
  le->len -= to - from;
  explicit_bzero(le->text + le->len, to - from);
  le->cur = from;
}

enum lineedit_result lineedit_insert(struct lineedit *le, const char *text, size_t n) {
  const char *end = text + n;
  while (text < end) {
    const char *at = text;
    uint32_t cp = text_utf8_next(&text, end);
    if (cp == '\n' || cp == '\r' || cp == '\t')
      cp = ' ';
    else if (!text_cp_safe(cp) || (cp == 0xfffd && text - at < 3)) /* also an invalid byte */
      continue;
    if (le->cur == 0 && text_cp_width(cp) == 0)
      continue; /* a mark needs a base */
    char utf8[4];
    size_t k = text_utf8_put(cp, utf8);
    if (le->len + k > le->max)
      return LINEEDIT_FULL;
    memmove(le->text + le->cur + k, le->text + le->cur, le->len - le->cur + 1);
    memcpy(le->text + le->cur, utf8, k);
    le->cur += k;
    le->len += k;
  }
  return LINEEDIT_CHANGED;
}

static void load(struct lineedit *le, const char *line) {
  lineedit_clear(le);
  lineedit_insert(le, line, strlen(line));
}

void lineedit_set(struct lineedit *le, const char *text) {
  load(le, text);
  le->at = le->history_n;
}

void lineedit_replace(struct lineedit *le, size_t from, const char *text) {
  assert(from <= le->cur);
  cut(le, from, le->cur, false);
  lineedit_insert(le, text, strlen(text));
}

void lineedit_clear(struct lineedit *le) {
  explicit_bzero(le->text, le->len);
  le->len = le->cur = le->first = 0;
}

void lineedit_accept(struct lineedit *le) {
  size_t n = le->history_n;
  if (le->len && !le->secret && !(n && strcmp(le->history[n - 1], le->text) == 0)) {
    char *line = strdup(le->text);
    if (line && n == LINEEDIT_HISTORY) {
      free(le->history[0]);
      memmove(le->history, le->history + 1, (n - 1) * sizeof le->history[0]);
      n--;
    }
    if (line) {
      le->history[n] = line;
      le->history_n = n + 1;
    }
  }
  le->at = le->history_n;
  lineedit_clear(le);
}

static enum lineedit_result browse(struct lineedit *le, bool older) {
  if (older ? le->at == 0 : le->at == le->history_n)
    return le->len ? LINEEDIT_CHANGED : LINEEDIT_UNUSED;
  if (le->at == le->history_n)
    memcpy(le->draft, le->text, le->len + 1);
  le->at = older ? le->at - 1 : le->at + 1;
  size_t at = le->at;
  load(le, at == le->history_n ? le->draft : le->history[at]);
  return LINEEDIT_CHANGED;
}

enum edit {
  EDIT_NONE,
  EDIT_LEFT,
  EDIT_RIGHT,
  EDIT_HOME,
  EDIT_END,
  EDIT_WORD_LEFT,
  EDIT_WORD_RIGHT,
  EDIT_RUBOUT,
  EDIT_DELETE,
  EDIT_RUBOUT_WORD,
  EDIT_DELETE_WORD,
  EDIT_KILL_END,
  EDIT_KILL_START,
  EDIT_YANK,
  EDIT_OLDER,
  EDIT_NEWER,
  EDIT_SUBMIT
};
static const struct {
  uint32_t code;
  uint8_t mods;
  enum edit edit;
} keys[] = {
    {KEY_LEFT, 0, EDIT_LEFT},
    {KEY_RIGHT, 0, EDIT_RIGHT},
    {KEY_HOME, 0, EDIT_HOME},
    {KEY_END, 0, EDIT_END},
    {KEY_BACKSPACE, 0, EDIT_RUBOUT},
    {KEY_DELETE, 0, EDIT_DELETE},
    {KEY_UP, 0, EDIT_OLDER},
    {KEY_DOWN, 0, EDIT_NEWER},
    {KEY_ENTER, 0, EDIT_SUBMIT},
    {'b', MOD_CTRL, EDIT_LEFT},
    {'f', MOD_CTRL, EDIT_RIGHT},
    {'a', MOD_CTRL, EDIT_HOME},
    {'e', MOD_CTRL, EDIT_END},
    {'d', MOD_CTRL, EDIT_DELETE},
    {'k', MOD_CTRL, EDIT_KILL_END},
    {'u', MOD_CTRL, EDIT_KILL_START},
    {'w', MOD_CTRL, EDIT_RUBOUT_WORD},
    {'y', MOD_CTRL, EDIT_YANK},
    {'p', MOD_CTRL, EDIT_OLDER},
    {'n', MOD_CTRL, EDIT_NEWER},
    {'b', MOD_ALT, EDIT_WORD_LEFT},
    {'f', MOD_ALT, EDIT_WORD_RIGHT},
    {'d', MOD_ALT, EDIT_DELETE_WORD},
    {KEY_BACKSPACE, MOD_ALT, EDIT_RUBOUT_WORD},
    {KEY_LEFT, MOD_CTRL, EDIT_WORD_LEFT},
    {KEY_RIGHT, MOD_CTRL, EDIT_WORD_RIGHT},
};

static enum edit find_edit(struct key k) {
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (keys[i].code == k.code && keys[i].mods == k.mods)
      return keys[i].edit;
  return EDIT_NONE;
}

static enum lineedit_result apply(struct lineedit *le, enum edit e) {
  switch (e) {
  case EDIT_LEFT:
    le->cur = prev_char(le, le->cur);
    break;
  case EDIT_RIGHT:
    le->cur = next_char(le, le->cur);
    break;
  case EDIT_HOME:
    le->cur = 0;
    break;
  case EDIT_END:
    le->cur = le->len;
    break;
  case EDIT_WORD_LEFT:
    le->cur = word_left(le);
    break;
  case EDIT_WORD_RIGHT:
    le->cur = word_right(le);
    break;
  case EDIT_RUBOUT:
    cut(le, prev_char(le, le->cur), le->cur, false);
    break;
  case EDIT_DELETE:
    cut(le, le->cur, next_char(le, le->cur), false);
    break;
  case EDIT_RUBOUT_WORD:
    cut(le, word_left(le), le->cur, true);
    break;
  case EDIT_DELETE_WORD:
    cut(le, le->cur, word_right(le), true);
    break;
  case EDIT_KILL_END:
    cut(le, le->cur, le->len, true);
    break;
  case EDIT_KILL_START:
    cut(le, 0, le->cur, true);
    break;
  case EDIT_YANK:
    return lineedit_insert(le, le->kill, strlen(le->kill));
  case EDIT_OLDER:
  case EDIT_NEWER:
    return browse(le, e == EDIT_OLDER);
  case EDIT_SUBMIT:
    return LINEEDIT_SUBMIT;
  case EDIT_NONE:
    return LINEEDIT_UNUSED;
  }
  return LINEEDIT_CHANGED;
}

bool lineedit_has(struct key k) {
  return find_edit(k) != EDIT_NONE;
}

enum lineedit_result lineedit_key(struct lineedit *le, struct key k) {
  if (k.phase == KEY_RELEASE)
    return LINEEDIT_UNUSED;
  if (k.code < KEY_ESC && k.code != KEY_NONE && !(k.mods & (MOD_CTRL | MOD_ALT))) {
    char utf8[4];
    return lineedit_insert(le, utf8, text_utf8_put(k.code, utf8));
  }
  enum edit e = find_edit(k);
  bool on_empty = e == EDIT_YANK || e == EDIT_OLDER || e == EDIT_NEWER || e == EDIT_SUBMIT;
  return le->len || on_empty ? apply(le, e) : LINEEDIT_UNUSED;
}

const char *lineedit_text(const struct lineedit *le) {
  return le->text;
}

bool lineedit_is_empty(const struct lineedit *le) {
  return le->len == 0;
}

size_t lineedit_cursor(const struct lineedit *le) {
  return le->cur;
}

/* cols: columns of [from, to) as drawn. */
static int cols(const struct lineedit *le, size_t from, size_t to) {
  const char *p = le->text + from, *end = le->text + to;
  int sum = 0;
  while (p < end) {
    int width = text_cp_width(text_utf8_next(&p, end));
    sum += le->secret && width > 1 ? 1 : width;
  }
  return sum;
}

/* scroll: the cursor needs a column of its own, and one more where text goes on behind it (the ellipsis). */
static void scroll(struct lineedit *le, int w) {
  if (le->first > le->cur)
    le->first = le->cur;
  int after = le->cur < le->len ? 2 : 1;
  while (le->first < le->cur && cols(le, le->first, le->cur) + after > w)
    le->first = next_char(le, le->first);
  while (le->first > 0 && cols(le, prev_char(le, le->first), le->len) < w)
    le->first = prev_char(le, le->first);
}

void lineedit_draw(struct lineedit *le, struct canvas *c, int x, int y, int w, enum style s, bool focused) {
  if (w < 1)
    return;
  scroll(le, w);
  canvas_fill(c, (struct rect){x, y, w, 1}, s, " ");
  if (le->secret) {
    int n = cols(le, le->first, le->len);
    canvas_fill(c, (struct rect){x, y, n < w ? n : w, 1}, s, "*");
  } else {
    canvas_put(c, x, y, w, s, le->text + le->first);
  }
  if (focused) {
    int at = cols(le, le->first, le->cur);
    c->cursor_x = x + (at < w ? at : w - 1);
    c->cursor_y = y;
    c->cursor_shown = true;
  }
}
