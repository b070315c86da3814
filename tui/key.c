#include "tui/key.h"

#include "core/base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The first name of a code is the one shown, the others are taken as well. */
static const struct {
  uint32_t code;
  const char *name;
} names[] = {
    {' ', "Space"},
    {KEY_ESC, "Esc"},
    {KEY_ESC, "Escape"},
    {KEY_ENTER, "Enter"},
    {KEY_ENTER, "Return"},
    {KEY_TAB, "Tab"},
    {KEY_BACKTAB, "Shift-Tab"},
    {KEY_BACKTAB, "BackTab"},
    {KEY_BACKSPACE, "Bksp"},
    {KEY_BACKSPACE, "Backspace"},
    {KEY_DELETE, "Del"},
    {KEY_DELETE, "Delete"},
    {KEY_INSERT, "Ins"},
    {KEY_INSERT, "Insert"},
    {KEY_UP, "Up"},
    {KEY_DOWN, "Down"},
    {KEY_LEFT, "Left"},
    {KEY_RIGHT, "Right"},
    {KEY_HOME, "Home"},
    {KEY_END, "End"},
    {KEY_PGUP, "PgUp"},
    {KEY_PGUP, "PageUp"},
    {KEY_PGDN, "PgDn"},
    {KEY_PGDN, "PageDown"},
    {KEY_F1, "F1"},
    {KEY_F1 + 1, "F2"},
    {KEY_F1 + 2, "F3"},
    {KEY_F1 + 3, "F4"},
    {KEY_F1 + 4, "F5"},
    {KEY_F1 + 5, "F6"},
    {KEY_F1 + 6, "F7"},
    {KEY_F1 + 7, "F8"},
    {KEY_F1 + 8, "F9"},
    {KEY_F1 + 9, "F10"},
    {KEY_F1 + 10, "F11"},
    {KEY_F12, "F12"},
};
#define NAMES_N (sizeof names / sizeof names[0])

/* ';' begins a comment in INI files, so it needs a name; shown it is itself. */
#define SEMICOLON "Semicolon"

static const struct {
  unsigned mod;
  const char *prefix;
} mod_names[] = {{MOD_CTRL, "Ctrl-"}, {MOD_ALT, "Alt-"}, {MOD_SHIFT, "Shift-"}};

struct key key_normal(uint32_t code, unsigned mods, enum key_phase phase) {
  if ((mods & MOD_CTRL) && code >= 'A' && code <= 'Z') {
    code += 'a' - 'A';
  } else if (!(mods & MOD_CTRL) && (mods & MOD_SHIFT)) {
    if (code >= 'a' && code <= 'z')
      code -= 'a' - 'A';
    if (code >= 'A' && code <= 'Z')
      mods &= ~(unsigned)MOD_SHIFT;
  }
  if ((code == KEY_TAB || code == KEY_BACKTAB) && (mods & MOD_SHIFT)) {
    code = KEY_BACKTAB;
    mods &= ~(unsigned)MOD_SHIFT;
  }
  return (struct key){.code = code, .mods = (uint8_t)mods, .phase = (uint8_t)phase};
}

void key_name(struct key k, char out[24]) {
  out[0] = '\0';
  char utf8[5] = "";
  const char *base = NULL;
  for (size_t i = 0; i < NAMES_N && !base; i++)
    if (names[i].code == k.code)
      base = names[i].name;
  if (!base && k.code < KEY_ESC && text_cp_width(k.code) > 0) {
    utf8[text_utf8_put(k.code, utf8)] = '\0';
    base = utf8;
  }
  if (!base)
    return;
  const char *prefix[3];
  for (size_t i = 0; i < 3; i++)
    prefix[i] = k.mods & mod_names[i].mod ? mod_names[i].prefix : "";
  snprintf(out, 24, "%s%s%s%s", prefix[0], prefix[1], prefix[2], base);
}

static bool base_from_name(const char *s, uint32_t *code) {
  for (size_t i = 0; i < NAMES_N; i++)
    if (strcasecmp(names[i].name, s) == 0) {
      *code = names[i].code;
      return true;
    }
  if (strcasecmp(s, SEMICOLON) == 0) {
    *code = ';';
    return true;
  }
  size_t n = strlen(s);
  if (n == 0 || n > 4 || !text_utf8_valid(s, n))
    return false;
  *code = text_utf8_next(&s, s + n);
  return *s == '\0' && text_cp_safe(*code) && *code != ' ' && text_cp_width(*code) > 0;
}

bool key_from_name(const char *s, struct key *out) {
  unsigned mods = 0;
  for (size_t i = 0; i < 3; i++) { /* at most three prefixes, in any order */
    for (size_t m = 0; m < 3; m++) {
      size_t n = strlen(mod_names[m].prefix);
      if (strncasecmp(s, mod_names[m].prefix, n) == 0 && s[n]) {
        mods |= mod_names[m].mod;
        s += n;
      }
    }
  }
  uint32_t code;
  if (!base_from_name(s, &code))
    return false;
  *out = key_normal(code, mods, KEY_PRESS);
  return true;
}
