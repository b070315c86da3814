/* Conditions of `gavel watch`: any text is parsed or refused with a spot inside it; what was parsed can be
 * asked of any row, and says the same when asked again. */
#include "tui/watch_expr.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(struct watch_row *r, const uint8_t *data, size_t size) {
  *r = (struct watch_row){.room = "acme/standup", .app = "acme", .name = "standup", .region = "eu"};
  r->people = size > 0 ? data[0] : 0;
  r->lines = size > 1 ? data[1] % 2 : 0;
  r->loss_up.worst = size > 2 ? data[2] : 0;
  r->mos_tenths.worst = size > 3 ? data[3] % 46 : 0;
  r->alerts = size > 4 ? data[4] % 16 : 0;
  r->since_ms = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct watch_expr e;
  struct watch_fault fault;
  struct watch_row row;
  const struct watch_server server = {.rooms = 3, .cpu_permille = 500, .n_load = 1};
  char *text = calloc(1, size + 1);
  if (!text)
    return 0;
  memcpy(text, data, size);
  fill(&row, data, size);
  for (int of_server = 0; of_server < 2; of_server++) {
    enum err err = watch_expr_parse(text, of_server, &e, &fault);
    if (err ? !fault.why[0] || fault.at > strlen(text) : fault.why[0] != '\0')
      abort();
    if (err)
      continue;
    if (e.n < 1 || e.n > WATCH_TERMS_MAX || (!of_server && !watch_expr_of_rooms(&e)))
      abort();
    if (watch_expr_room(&e, &row, INT64_MAX) != watch_expr_room(&e, &row, INT64_MAX))
      abort();
    (void)watch_expr_server(&e, &server);
    for (size_t i = 0; i < e.n; i++)
      if (e.term[i].value < 0)
        abort();
  }
  free(text);
  return 0;
}
