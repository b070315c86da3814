#include "core/base/text.h"

#include "core/base/text_tables.h"

#include <assert.h>
#include <string.h>

#define MARKS_MAX 4 /* combining marks on one base */
#define CHAT_LINES_MAX 20

/* decode: strict UTF-8 (Unicode 14, table 3-7): the length of the sequence at s, or 0 when there is no valid
 * one. */
static size_t decode(const char *s, const char *end, uint32_t *cp) {
  const unsigned char *p = (const unsigned char *)s;
  size_t left = (size_t)(end - s);
  if (left == 0)
    return 0;
  if (p[0] < 0x80) {
    *cp = p[0];
    return 1;
  }
  size_t n = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
  if (n == 0 || n > left)
    return 0;
  uint32_t v = p[0] & (0x7fU >> n);
  for (size_t i = 1; i < n; i++) {
    if ((p[i] & 0xc0) != 0x80)
      return 0;
    v = v << 6 | (p[i] & 0x3fU);
  }
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
    return 0;
  *cp = v;
  return n;
}

bool text_utf8_valid(const char *s, size_t n) {
  const char *end = n > 0 ? s + n : s;
  while (s != end) {
    uint32_t cp;
    size_t k = decode(s, end, &cp);
    if (k == 0 || cp == 0)
      return false;
    s += k;
  }
  return true;
}

uint32_t text_utf8_next(const char **s, const char *end) {
  assert(*s < end);
  uint32_t cp;
  size_t n = decode(*s, end, &cp);
  *s += n > 0 ? n : 1;
  return n > 0 ? cp : 0xfffd;
}

size_t text_utf8_put(uint32_t cp, char out[4]) {
  assert(cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff));
  if (cp < 0x80) {
    out[0] = (char)cp;
    return 1;
  }
  size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--) {
    out[i] = (char)(0x80 | (cp & 0x3f));
    cp >>= 6;
  }
  static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  out[0] = (char)(lead[n] | cp);
  return n;
}

static bool in_table(uint32_t cp, const struct text_range *table, size_t n) {
  size_t lo = 0, hi = n;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (cp > table[mid].last)
      lo = mid + 1;
    else if (cp < table[mid].first)
      hi = mid;
    else
      return true;
  }
  return false;
}

enum kind { DROPPED, SPACE, MARK, VISIBLE };

static bool is_space(uint32_t cp) {
  /* U+2800 (empty braille cell) is a symbol by name and a blank to the eye */
  return (cp >= '\t' && cp <= '\r') || cp == ' ' || cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
         (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f ||
         cp == 0x2800 || cp == 0x3000;
}

static enum kind kind_of(uint32_t cp) {
  if (cp > ' ' && cp < 0x7f)
    return VISIBLE;
  if (is_space(cp))
    return SPACE;
  if ((cp & 0xfffe) == 0xfffe || cp > 0x10ffff || in_table(cp, TEXT_DROPPED, TEXT_DROPPED_N))
    return DROPPED;
  return in_table(cp, TEXT_MARKS, TEXT_MARKS_N) ? MARK : VISIBLE;
}

bool text_cp_safe(uint32_t cp) {
  return (cp >= ' ' && cp < 0x7f) || (cp > 0x9f && cp != 0x2028 && cp != 0x2029 && kind_of(cp) != DROPPED);
}

struct rule {
  size_t bytes_max, cols_max, lines_max;
  bool fold; /* a run of white space becomes one space; else newlines and the rest of it stay */
  bool cut;  /* what is too long is cut, not refused */
};

struct cleaner {
  const struct rule *rule;
  char *out;
  size_t len;   /* bytes in out */
  size_t solid; /* bytes in out up to the last character that is not white space: the rest is trimmed */
  size_t cols, lines;
  unsigned marks; /* that the character before may still take */
  bool over;      /* white space was left out for want of room */
};

static bool append(struct cleaner *c, uint32_t cp) {
  char utf8[4];
  size_t n = text_utf8_put(cp, utf8), cols = (size_t)text_cp_width(cp);
  if (c->len + n > c->rule->bytes_max || c->cols + cols > c->rule->cols_max)
    return false;
  memcpy(c->out + c->len, utf8, n);
  c->len += n;
  c->cols += cols;
  return true;
}

static void add_space(struct cleaner *c, uint32_t cp) {
  const struct rule *rule = c->rule;
  c->marks = 0;
  if (c->solid == 0 || (rule->fold && c->len > c->solid))
    return; /* leading, or the run has its space */
  if (!rule->fold && (cp == '\r' || cp == 0x85))
    return; /* CR LF is one line end; a lone CR would let text overwrite text */
  if (!rule->fold && cp == '\n')
    c->lines++;
  else if (rule->fold || cp < ' ' || cp == 0x2028 || cp == 0x2029)
    cp = ' ';
  if (c->over || !append(c, cp))
    c->over = true;
}

/* add: false when there is no room for it. */
static bool add(struct cleaner *c, uint32_t cp) {
  enum kind kind = kind_of(cp);
  if (kind == SPACE)
    add_space(c, cp);
  if (kind == SPACE || kind == DROPPED || (kind == MARK && c->marks == 0))
    return true;
  if (c->over || c->lines >= c->rule->lines_max || !append(c, cp))
    return false;
  c->marks = kind == MARK ? c->marks - 1 : MARKS_MAX;
  c->solid = c->len;
  return true;
}

/* clean: false when the input is not UTF-8 or (unless it may be cut) too long; out is then empty. */
static bool clean(const char *in, size_t n, const struct rule *rule, char *out) {
  out[0] = 0;
  if (!text_utf8_valid(in, n))
    return false;
  struct cleaner c = {.rule = rule, .out = out};
  const char *end = n > 0 ? in + n : in;
  bool fits = true;
  while (fits && in != end)
    fits = add(&c, text_utf8_next(&in, end));
  out[fits || rule->cut ? c.solid : 0] = 0;
  return fits || rule->cut;
}

enum err text_clean_name(const char *in, size_t n, char out[TEXT_NAME_MAX + 1]) {
  static const struct rule rule = {TEXT_NAME_MAX, TEXT_NAME_COLS, 1, true, true};
  return clean(in, n, &rule, out) && out[0] ? ERR_OK : ERR_BAD_NAME;
}

enum err text_clean_chat(const char *in, size_t n, char out[TEXT_CHAT_MAX + 1]) {
  static const struct rule rule = {TEXT_CHAT_MAX, SIZE_MAX, CHAT_LINES_MAX, false, false};
  return clean(in, n, &rule, out) && out[0] ? ERR_OK : ERR_BAD_TEXT;
}

enum err text_clean_line(const char *in, size_t n, char out[TEXT_LINE_MAX + 1]) {
  static const struct rule rule = {TEXT_LINE_MAX, SIZE_MAX, 1, true, false};
  return clean(in, n, &rule, out) ? ERR_OK : ERR_BAD_TEXT;
}

static bool is_slug_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool text_slug_valid(const char *s) {
  if (!is_slug_char(s[0]))
    return false;
  size_t n = 1;
  while (n <= TEXT_SLUG_MAX && (is_slug_char(s[n]) || s[n] == '.' || s[n] == '_' || s[n] == '-'))
    n++;
  return s[n] == 0 && n <= TEXT_SLUG_MAX;
}

int text_cp_width(uint32_t cp) {
  if (cp >= ' ' && cp < 0x7f)
    return 1;
  enum kind kind = kind_of(cp);
  if (kind == DROPPED || kind == MARK || cp < ' ' || cp == 0x85)
    return 0;
  return in_table(cp, TEXT_WIDE, TEXT_WIDE_N) ? 2 : 1;
}

size_t text_width(const char *s) {
  size_t cols = 0;
  for (const char *end = s + strlen(s); s != end;)
    cols += (size_t)text_cp_width(text_utf8_next(&s, end));
  return cols;
}

size_t text_fit(const char *s, size_t cols) {
  const char *at = s, *end = s + strlen(s);
  while (at != end) {
    const char *next = at;
    size_t w = (size_t)text_cp_width(text_utf8_next(&next, end));
    if (w > cols)
      break;
    cols -= w;
    at = next;
  }
  return (size_t)(at - s);
}

bool text_append(char *out, size_t cap, const char *more) {
  size_t at = strlen(out), n = strlen(more);
  if (n >= cap - at)
    return false;
  memcpy(out + at, more, n + 1);
  return true;
}

void text_show(const char *text, bool lines, char *out, size_t cap) {
  const char *end = text + strlen(text);
  size_t n = 0;
  while (text < end) {
    char bytes[4];
    uint32_t cp = text_utf8_next(&text, end);
    if (cp == '\t' || (cp == '\n' && !lines))
      cp = ' ';
    size_t len = cp == '\n' || text_cp_safe(cp) ? text_utf8_put(cp, bytes) : 0;
    if (n + len >= cap)
      break;
    memcpy(out + n, bytes, len);
    n += len;
  }
  out[n] = '\0';
}
