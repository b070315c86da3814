/* Arbitrary JSON as an event, a snapshot, a log line and the params of every act. What is accepted must
 * encode and parse again to the same, and applying it must keep a room that can be asked anything. */
#include "core/wire/room_json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok) {
  if (!ok)
    abort();
}

static void try_event(const json_t *o, struct room *r) {
  struct room_event ev, again;
  if (room_event_from_wire(o, &ev) != ERR_OK)
    return;
  json_t *wire = room_event_to_wire(&ev);
  demand(room_event_from_wire(wire, &again) == ERR_OK);
  json_t *twice = room_event_to_wire(&again);
  demand(json_equal(wire, twice));
  json_t *log_data, *payload;
  room_event_to_log(&ev, &log_data, &payload);
  room_event_free(&again);
  const char *kind = room_ev_name(ev.kind);
  if (room_event_from_log(ev.seq, ev.ts_ms, ev.actor, kind, log_data, payload, &again) == ERR_OK)
    room_event_free(&again);
  demand(room_event_from_log(ev.seq, ev.ts_ms, ev.actor, kind, log_data, NULL, &again) == ERR_OK);
  room_event_free(&again);
  (void)room_event_visible(r, &ev, 1);
  if (ev.seq > r->seq)
    room_apply(r, &ev);
  (void)room_check(r);
  json_decref(log_data);
  json_decref(payload);
  json_decref(wire);
  json_decref(twice);
  room_event_free(&ev);
}

static void try_room(const json_t *o, struct room *r) {
  if (room_from_wire(o, r) != ERR_OK)
    return;
  json_t *wire = room_to_wire(r, 0);
  struct room again;
  room_init(&again);
  demand(room_from_wire(wire, &again) == ERR_OK);
  json_decref(wire);
  for (uint32_t viewer = 0; viewer < 4; viewer++)
    json_decref(room_to_wire(&again, viewer));
  room_free(&again);
}

static void try_params(const json_t *o, const struct room *r) {
  for (int a = 0; a < ACT__COUNT; a++) {
    struct room_cmd cmd;
    uint32_t ids[16];
    if (room_cmd_from_params((enum act)a, o, &cmd, ids, 16) != ERR_OK)
      continue;
    json_t *params = room_cmd_to_params(&cmd);
    struct room_cmd again;
    uint32_t ids_again[16];
    demand(room_cmd_from_params((enum act)a, params, &again, ids_again, 16) == ERR_OK);
    struct room_events out = {0};
    (void)!room_decide(r, &cmd, 1700000000000, &out);
    room_events_free(&out);
    json_decref(params);
  }
}

/* An object is tried as everything; of an array, the elements are tried one after the other on the same room.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  json_t *o = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
  if (!o)
    return 0;
  struct room r;
  room_init(&r);
  size_t n = json_is_array(o) ? json_array_size(o) : 1;
  for (size_t i = 0; i < n && i < 64; i++) {
    const json_t *v = json_is_array(o) ? json_array_get(o, i) : o;
    if (json_object_get(v, "members"))
      try_room(v, &r);
    try_event(v, &r);
    try_params(v, &r);
  }
  room_free(&r);
  json_decref(o);
  return 0;
}
