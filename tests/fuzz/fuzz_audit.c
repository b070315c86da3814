/* The audit log as a file from anywhere: keys, checkpoints and lines. What is read comes out the same again,
 * and no text is signed by a key that never signed. */
#include "core/access/audit_format.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void again(const struct checkpoint *c) {
  char text[AUDIT_CHECKPOINT_MAX];
  struct checkpoint same;
  static const uint8_t NOBODY[32] = {1};
  checkpoint_line(c, text);
  bool ok = checkpoint_read_line(text, &same);
  assert(ok && memcmp(c, &same, sizeof same) == 0);
  checkpoint_note(c, text);
  ok = checkpoint_read_note(text, &same);
  assert(ok && memcmp(c, &same, sizeof same) == 0);
  assert(!checkpoint_fits(c, NOBODY));
}

static void line(const char *text) {
  json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  char chain[AUDIT_HEX] = "", before[AUDIT_HEX];
  memset(chain, '0', AUDIT_HEX - 1);
  if (json_is_object(o) && !audit_line_fits(o, chain)) {
    json_object_del(o, "prev");
    json_object_del(o, "hash");
    memcpy(before, chain, sizeof chain);
    char *made = audit_line(o, chain);
    json_t *full = json_loads(made, JSON_REJECT_DUPLICATES, NULL);
    bool fits = full && audit_line_fits(full, before);
    assert(fits && strcmp(before, chain) == 0);
    json_decref(full);
    free(made);
  }
  json_decref(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  uint8_t public[32];
  struct checkpoint c;
  assert(text);
  memcpy(text, data, size);
  text[size] = 0;
  (void)audit_key_read(text, public);
  if (checkpoint_read_line(text, &c))
    again(&c);
  if (checkpoint_read_note(text, &c))
    again(&c);
  line(text);
  free(text);
  return 0;
}
