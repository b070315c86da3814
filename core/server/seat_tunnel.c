/* seat_tunnel.c: the other ways of a person's sound: inside his signalling connection (`media.tunnel`), and
 * what only his client knows of his way (`media.via`). */
#include "core/server/control_private.h"

#include <string.h>

void seat_tunnel(struct control *c, struct conn *k, json_int_t id, const json_t *params) {
  if (json_object_size(params) > 0) {
    control_refuse(c, k, id, ERR_BAD_ARG, NULL);
    return;
  }
  if (!k->seat) {
    control_refuse(c, k, id, ERR_NOT_JOINED, NULL);
    return;
  }
  k->tunnel = true;
  control_reply(c, k, id, json_object());
}

void seat_via(struct control *c, struct conn *k, json_int_t id, const json_t *params) {
  const char *via = json_str(params, "via", "");
  bool turn = strcmp(via, "turn") == 0;
  if (!json_only_keys(params, "via", NULL) || (!turn && strcmp(via, "udp") != 0)) {
    control_refuse(c, k, id, ERR_BAD_ARG, "media.via wants via: turn or udp");
    return;
  }
  if (!k->seat) {
    control_refuse(c, k, id, ERR_NOT_JOINED, NULL);
    return;
  }
  k->seat->turn = turn;
  control_reply(c, k, id, json_object());
}

bool control_has_tunnel(const struct control *c, uint32_t conn) {
  const struct conn *k = map_get_u32(c->conns, conn);
  return k && k->tunnel;
}

bool control_tunnel(struct control *c, uint32_t conn, unsigned *thread, struct sockaddr_carrier *at) {
  struct conn *k = map_get_u32(c->conns, conn);
  if (!k || !k->tunnel || !k->seat || !k->seat->peer)
    return false;
  bool much = !limit_take(c, &k->datagrams, LIMIT_TUNNEL);
  c->retry_ms = 0; /* nobody is told */
  if (much)
    return false;
  *thread = k->seat->thread;
  at->peer = k->seat->peer;
  at->from = (struct sockaddr_in6){.sin6_family = AF_INET6};
  memcpy(&at->from.sin6_addr, k->addr, sizeof k->addr);
  return true;
}

const char *seat_via_text(const struct seat *s) {
  enum via via = (enum via)s->line.last.via;
  return via == VIA_UDP && s->turn ? "turn" : via_text(via);
}
