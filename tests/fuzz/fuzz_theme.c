/* Theme and keys files: any text loads or is refused with file, line and reason; colours stay in range. */
#include "tui/keymap.h"
#include "tui/theme.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct keymap_default table[] = {
    {KEY_CONTEXT_GLOBAL, "help", "F1"}, {KEY_CONTEXT_ROOM, "mute", "m"}, {KEY_CONTEXT_ROOM, "hand", "h"}};

static void in_range(int colour) {
  if (colour < -1 || colour > 255)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char why[256], *text = calloc(1, size + 1), line[160];
  if (!text)
    return 0;
  memcpy(text, data, size);
  struct theme t;
  enum err err = theme_load_text("fuzz", text, &t, why);
  if (err ? !why[0] : why[0])
    abort();
  for (int i = 0; !err && i < STYLE__COUNT; i++) {
    in_range(t.style[i].fg16);
    in_range(t.style[i].bg16);
    in_range(t.style[i].fg256);
    in_range(t.style[i].bg256);
    if (t.style[i].fg16 > 15 || t.style[i].bg16 > 15)
      abort();
  }
  struct keymap *km = keymap_create(table, sizeof table / sizeof table[0]);
  err = keymap_load_text(km, "fuzz", text, why);
  if (err ? !why[0] : why[0])
    abort();
  for (size_t i = 0; keymap_conflict(km, i, line); i++)
    if (!line[0])
      abort();
  keymap_destroy(km);
  free(text);
  return 0;
}
