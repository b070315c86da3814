/* theme.h: theme files (INI), each a list of changes to the default theme:
 *   talking.fg = green       a name, 0..255 or #rrggbb; `.bg` likewise; "default" is the terminal's own
 *   talking.fg.256 = 114     where there are 256 colours; what is not said is derived, also 16 from 256
 *   talking.attr = bold underline      or none, dim, reverse
 *   talking.mono = bold                attributes where there is no colour
 * A style without a colour of its own takes the theme's `normal`.
 *
 * Invariant: a loaded theme has a value for every style and for 256, 16 and mono; the built-in default uses
 * only the terminal's own 16 colours and default background. Unknown keys and values are errors with line
 * numbers and the nearest name. One thread. */
#ifndef GAVEL_TUI_THEME_H
#define GAVEL_TUI_THEME_H

#include "core/base/err.h"
#include "tui/style.h"

#include <stddef.h>
#include <stdint.h>

enum theme_attr { ATTR_BOLD = 1, ATTR_DIM = 2, ATTR_UNDERLINE = 4, ATTR_REVERSE = 8 };
struct theme_style {
  int16_t fg16, bg16;   /* -1: the terminal's default */
  int16_t fg256, bg256; /* -1 default */
  uint8_t attr;
  uint8_t mono_attr; /* without colour */
};
struct theme {
  char name[32];
  struct theme_style style[STYLE__COUNT];
};
/* theme_default: the built-in colours. */
void theme_default(struct theme *t);
/* theme_shipped: names of the themes that come along, for completion; NULL past the last. */
const char *theme_shipped(size_t i);
/* theme_load_text: a theme from memory; `file` names it in `why`, and its base name up to the first dot is
 * the theme's name. */
MUST_CHECK enum err theme_load_text(const char *file, const char *text, struct theme *out, char why[256]);
/* theme_load: a file. ERR_BAD_THEME or ERR_IO; `why` names file, line, key. theme_find: by name in
 * $XDG_CONFIG_HOME/gavel/themes, GAVEL_THEMES (a folder), the installed folder, the source folder; "default"
 * needs no file. */
MUST_CHECK enum err theme_load(const char *path, struct theme *out, char why[256]);
MUST_CHECK enum err theme_find(const char *name, struct theme *out, char why[256]);

#endif
