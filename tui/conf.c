#include "tui/conf.h"

#include <ctype.h>
#include <ini.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536
#define LINE_MAX_BYTES 180 /* inih cuts at 200 without a word */
#define WORD_MAX 32

struct reading {
  const char *rest;
  int line;
  int bad_line; /* the first fault, or 0 */
  enum err err, bad;
  conf_handler *fn;
  void *ctx;
  char *why;
};

/* next_line: inih's fgets. One call is one line, so that lines can be counted; leading blanks go, or inih
 * would take the line as more of the value before. */
static char *next_line(char *out, int size, void *stream) {
  struct reading *r = stream;
  if (*r->rest == '\0')
    return NULL;
  r->line++;
  size_t n = strcspn(r->rest, "\n");
  const char *p = r->rest;
  r->rest += n + (r->rest[n] == '\n');
  while (n && isblank((unsigned char)*p))
    p++, n--;
  if ((n > LINE_MAX_BYTES || n + 2 > (size_t)size) && !r->bad_line) {
    r->bad_line = r->line;
    r->err = r->bad;
    snprintf(r->why, CONF_WHY, "the line is too long");
  }
  if (n + 2 > (size_t)size)
    n = 0;
  memcpy(out, p, n);
  memcpy(out + n, "\n", 2);
  return out;
}

static int on_value(void *user, const char *section, const char *name, const char *value) {
  struct reading *r = user;
  if (r->bad_line)
    return 0;
  struct conf_line l = {.section = section, .name = name, .value = value ? value : "", .line = r->line};
  r->why[0] = '\0';
  r->err = r->fn(r->ctx, &l, r->why);
  if (r->err)
    r->bad_line = r->line;
  return r->err == ERR_OK;
}

enum err conf_text(const char *file, const char *text, enum err bad, conf_handler *fn, void *ctx,
                   char why[CONF_WHY]) {
  char fault[CONF_WHY] = "";
  struct reading r = {.rest = text, .bad = bad, .fn = fn, .ctx = ctx, .why = fault};
  why[0] = '\0';
  int line = ini_parse_stream(next_line, &r, on_value, &r);
  if (line < 0)
    return ERR_NOMEM;
  if (line > 0 && (!r.bad_line || line < r.bad_line)) {
    r.bad_line = line;
    r.err = bad;
    snprintf(fault, sizeof fault, "this is no `name = value`");
  }
  if (r.bad_line)
    snprintf(why, CONF_WHY, "%.80s:%d: %.160s", file, r.bad_line, fault);
  return r.err;
}

enum err conf_file(const char *path, enum err bad, conf_handler *fn, void *ctx, char why[CONF_WHY]) {
  enum err err = ERR_OK;
  FILE *f = fopen(path, "re");
  char *text = malloc(FILE_MAX + 1);
  if (!f || !text) {
    err = f ? ERR_NOMEM : ERR_IO;
    snprintf(why, CONF_WHY, "%.160s: cannot be read", path);
    goto out;
  }
  size_t n = fread(text, 1, FILE_MAX + 1, f);
  if (ferror(f) || n > FILE_MAX || memchr(text, '\0', n)) {
    err = ferror(f) ? ERR_IO : bad;
    snprintf(why, CONF_WHY, "%.160s: %s", path,
             ferror(f) ? "cannot be read" : "is no text file of at most 64 KiB");
    goto out;
  }
  text[n] = '\0';
  err = conf_text(path, text, bad, fn, ctx, why);
out:
  free(text);
  if (f)
    fclose(f);
  return err;
}

static unsigned min3(unsigned a, unsigned b, unsigned c) {
  unsigned m = a < b ? a : b;
  return m < c ? m : c;
}

/* distance: optimal string alignment of two words, case ignored. */
static unsigned distance(const char *a, const char *b) {
  size_t an = strlen(a), bn = strlen(b);
  if (an > WORD_MAX || bn > WORD_MAX)
    return WORD_MAX;
  unsigned rows[3][WORD_MAX + 1];
  for (unsigned j = 0; j <= bn; j++)
    rows[0][j] = j;
  for (size_t i = 1; i <= an; i++) {
    unsigned *row = rows[i % 3];
    const unsigned *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= bn; j++) {
      int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
      row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y));
      if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && tolower((unsigned char)a[i - 2]) == y &&
          before[j - 2] + 1 < row[j])
        row[j] = before[j - 2] + 1;
    }
  }
  return rows[an % 3][bn];
}

void conf_hint(char why[CONF_WHY], const char *word, conf_name_at *name_at, const void *ctx, size_t n) {
  char best[CONF_NAME] = "", buf[CONF_NAME];
  unsigned least = 2 + (unsigned)strlen(word) / 3; /* as far as this is no typing error */
  for (size_t i = 0; i < n; i++) {
    const char *name = name_at(ctx, i, buf);
    unsigned d = distance(word, name);
    if (d < least) {
      least = d;
      snprintf(best, sizeof best, "%s", name);
    }
  }
  size_t used = strlen(why);
  if (best[0])
    snprintf(why + used, CONF_WHY - used, "; did you mean %s?", best);
}

const char *conf_name_in(const void *table, size_t i, char buf[CONF_NAME]) {
  (void)buf;
  return ((const char *const *)table)[i];
}
