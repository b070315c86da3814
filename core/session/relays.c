/* relays.c: the relays the server names to who finds no direct way (`media.ice`), and until when its
 * credentials are good for a new one. */
#include "core/session/relays.h"

#include "core/session/session_private.h"

#include <stdio.h>
#include <string.h>

#define LATE_S 10 /* before the end they are not begun with any more */
#define GOOD_MAX_S 86400

static bool known(const struct session *s) {
  return s->relays.n > 0 && s->now < s->relays_until;
}

void relays_ask(struct session *s) {
  if (known(s))
    return;
  relays_forget(s);
  if (s->relays_id || s->state != CLIENT_JOINED || !s->connected)
    return;
  s->relays_id = ++s->last_id;
  session_request(s, s->relays_id, "media.ice", json_object());
}

void relays_read(const json_t *answer, struct ice_relays *r) {
  const json_t *server = json_array_get(json_object_get(answer, "servers"), 0);
  const json_t *urls = json_object_get(server, "urls");
  const char *why;
  snprintf(r->user, sizeof r->user, "%s", json_str(server, "username", ""));
  snprintf(r->credential, sizeof r->credential, "%s", json_str(server, "credential", ""));
  for (size_t i = 0; i < json_array_size(urls) && r->n < TURN_URIS_MAX; i++) {
    const char *uri = json_string_value(json_array_get(urls, i));
    if (uri && turn_uri_parse(uri, strlen(uri), &r->uri[r->n], &why) == ERR_OK)
      r->n++;
  }
}

bool relays_reply(struct session *s, const struct rpc_in *in) {
  if (!s->relays_id || in->id != s->relays_id)
    return false;
  s->relays_id = 0;
  if (in->kind == RPC_RESULT) {
    json_int_t good_s = json_int(in->result, "expires_s", 0);
    good_s = good_s > GOOD_MAX_S ? GOOD_MAX_S : good_s;
    s->relays_until = s->now + (good_s > LATE_S ? good_s - LATE_S : 0) * US_PER_S;
    relays_read(in->result, &s->relays);
  }
  if (known(s))
    ways_relays(s);
  return true;
}

void relays_forget(struct session *s) {
  explicit_bzero(&s->relays, sizeof s->relays);
}
