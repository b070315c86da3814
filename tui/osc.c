#include "tui/osc.h"

#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ST "\033\\"

/* clean: what may be shown, on one line, at most OSC_TEXT_MAX bytes. no_semicolons: OSC 777 separates its
 * fields by them. */
static void clean(const char *text, bool no_semicolons, char out[OSC_TEXT_MAX + 1]) {
  const char *end = text + strlen(text);
  size_t n = 0;
  while (text < end && n + 4 <= OSC_TEXT_MAX) {
    uint32_t cp = text_utf8_next(&text, end);
    if (cp == '\t' || cp == '\n')
      cp = ' ';
    else if (cp == ';' && no_semicolons)
      cp = ',';
    if (text_cp_safe(cp))
      n += text_utf8_put(cp, out + n);
  }
  out[n] = '\0';
}

/* wrap: for tmux: ESC P tmux ; the sequence with each ESC doubled, ST. */
static size_t wrap(char *out, size_t cap, const char *seq, size_t n) {
  static const char intro[] = "\033Ptmux;";
  size_t escapes = 0, at = sizeof intro - 1;
  for (size_t i = 0; i < n; i++)
    escapes += seq[i] == '\033';
  if (at + n + escapes + 2 >= cap)
    return 0;
  memcpy(out, intro, at);
  for (size_t i = 0; i < n; i++) {
    if (seq[i] == '\033')
      out[at++] = '\033';
    out[at++] = seq[i];
  }
  memcpy(out + at, ST, 3);
  return at + 2;
}

static size_t fitting(int n, size_t cap) {
  return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

size_t osc_title(char *out, size_t cap, const char *text) {
  char safe[OSC_TEXT_MAX + 1];
  clean(text, false, safe);
  return fitting(snprintf(out, cap, "\033]2;%s" ST, safe), cap);
}

bool osc_notify_find(const char *name, enum osc_notify *out) {
  static const char *const NAMES[] = {"auto", "bell", "osc9", "osc777", "off"};
  for (unsigned i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
    if (strcmp(name, NAMES[i]) == 0) {
      *out = (enum osc_notify)i;
      return true;
    }
  return false;
}

enum osc_notice osc_notice_kind(const char *term, const char *vte_version) {
  bool knows_777 = vte_version || (term && (strncmp(term, "rxvt", 4) == 0 || strncmp(term, "foot", 4) == 0));
  return knows_777 ? OSC_NOTICE_777 : OSC_NOTICE_9;
}

size_t osc_notice(char *out, size_t cap, enum osc_notice kind, const char *text, bool in_tmux) {
  char safe[OSC_TEXT_MAX + 1], seq[OSC_TEXT_MAX + 48];
  clean(text, true, safe);
  /* "gavel: " also keeps a text like "4,..." from being taken for OSC 9's numbered commands */
  int n = kind == OSC_NOTICE_777 ? snprintf(seq, sizeof seq, "\033]777;notify;gavel;%s" ST, safe)
                                 : snprintf(seq, sizeof seq, "\033]9;gavel: %s" ST, safe);
  if (in_tmux)
    return wrap(out, cap, seq, (size_t)n);
  return fitting(snprintf(out, cap, "%s", seq), cap);
}

/* base64: RFC 4648 section 4, with padding. */
static size_t base64(const unsigned char *in, size_t n, char *out) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t at = 0;
  for (size_t i = 0; i < n; i += 3) {
    uint32_t v =
        (uint32_t)in[i] << 16 | (i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0U);
    out[at++] = digits[v >> 18];
    out[at++] = digits[v >> 12 & 63];
    out[at++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
    out[at++] = i + 2 < n ? digits[v & 63] : '=';
  }
  return at;
}

size_t osc_copy(char *out, size_t cap, const char *text, bool in_tmux) {
  static const char intro[] = "\033]52;c;";
  size_t n = strlen(text), size = sizeof intro - 1 + 4 * ((n + 2) / 3) + 2;
  if (n > OSC_COPY_MAX || size >= cap)
    return 0;
  memcpy(out, intro, sizeof intro - 1);
  size_t at = sizeof intro - 1;
  at += base64((const unsigned char *)text, n, out + at);
  memcpy(out + at, ST, 3);
  if (!in_tmux)
    return size;
  size_t wrapped = wrap(out + size, cap - size, out, size);
  return wrapped ? size + wrapped : 0;
}
