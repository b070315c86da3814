/* Arbitrary words after every act, in a room whose names look like values and patterns. What is taken names
 * only people who are where the act looks for them, keeps the limits of its row, and is the same after a way
 * through the params; what is not taken says why. */
#include "core/wire/act_words.h"
#include "core/wire/room_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok) {
  if (!ok)
    abort();
}

static void person(struct room *r, const char *name, bool waits) {
  struct member m = {.id = r->id_last + 1, .role = ROLE_SPEAKER, .since_ms = 1};
  m.presence = waits ? PRESENCE_WAITING : PRESENCE_HERE;
  (void)snprintf(m.name, sizeof m.name, "%s", name);
  room_apply(r, &(struct room_event){.seq = r->seq + 1, .kind = ROOM_EV_JOINED, .entry = &m});
}

static void try_people(const struct room *r, const struct act_order *o) {
  enum act_where where = act_words_where(o->act);
  for (size_t i = 0; i < o->n_targets; i++) {
    const struct member *m = room_member(r, o->targets[i]);
    demand(m && (where == ACT_WHERE_BOTH || (m->presence == PRESENCE_WAITING) == (where == ACT_WHERE_LOBBY)));
    for (size_t k = 0; k < i; k++)
      demand(o->targets[k] != o->targets[i]);
  }
}

static void try_params(const struct act_order *o) {
  struct room_cmd cmd, back;
  uint32_t ids[ACT_ORDER_TARGETS_MAX];
  act_order_cmd(o, &cmd);
  json_t *params = room_cmd_to_params(&cmd);
  demand(room_cmd_from_params(o->act, params, &back, ids, ACT_ORDER_TARGETS_MAX) == ERR_OK);
  json_t *again = room_cmd_to_params(&back);
  demand(json_equal(params, again));
  json_decref(again);
  json_decref(params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const NAMES[] = {"bob", "Henri", "Lars van den Berg", "2h", "speak",
                                      "*",   "a\"b",  "Zo\xc3\xab",        "--"};
  char *words = malloc(size + 1), why[ACT_WHY_MAX];
  struct room r;
  if (!words)
    abort();
  memcpy(words, data, size);
  words[size] = '\0';
  room_init(&r);
  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
    person(&r, NAMES[i], i % 4 == 3);
  for (int a = 0; a < ACT__COUNT; a++) {
    struct act_order o;
    if (!act_words_parse(&r, (enum act)a, words, &o, why)) {
      demand(why[0] != '\0');
      continue;
    }
    try_people(&r, &o);
    try_params(&o);
  }
  room_free(&r);
  free(words);
  return 0;
}
