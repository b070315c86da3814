/* probe.c: media.probe: a sound path that carries no sound, in no room, for `gavel doctor`: does a check get
 * through to the media port, how long does it take, which relay works? It ends with its connection.
 *
 * Whoever asks shows what would let him into a room, and gets no more than somebody who is inside: so the
 * media port stays deaf to strangers. */
#include "core/base/bytes.h"
#include "core/server/control_private.h"
#include "core/server/turn.h"
#include "core/wire/room_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBES_MAX 50 /* at a time, of all connections */

/* An invite that would let him in now. */
static enum err may_by_invite(struct control *c, const struct conn *k, const char *app, const char *room,
                              const char *invite) {
  char name[HOSTED_NAME_MAX + 1], slug[64];
  uint8_t raw[32], hash[32];
  if (strlen(app) > ACCESS_APP_MAX || b64url_decode(invite, strlen(invite), raw, sizeof raw) != 32)
    return ERR_BAD_INVITE;
  sha256(raw, sizeof raw, hash);
  explicit_bzero(raw, sizeof raw);
  if (!access_room(room, slug))
    return ERR_NO_ROOM;
  hosted_name(app, slug, name);
  const struct hosted *h = hosted_find(c, name);
  if (!h || h->room.ended)
    return ERR_NO_ROOM;
  for (size_t i = 0; i < h->room.n_invites; i++) {
    const struct invite *v = &h->room.invites[i];
    if (bytes_equal_ct(v->hash, hash, sizeof hash) && (!v->expires_ms || v->expires_ms > c->wall_ms))
      return access_address(c->access, app, slug, k->addr);
  }
  return ERR_BAD_INVITE;
}

/* As for room.join; whoever asks counts among those who come from his address, so that neither rooms nor
 * places can be had here that are not to be had there. */
static enum err may_probe(struct control *c, struct conn *k, const json_t *p) {
  const char *invite = json_str(p, "invite", NULL), *token = json_str(p, "token", "");
  struct grant g = {0};
  enum err e = seat_address(c, k);
  if (e == ERR_OK && invite)
    e = may_by_invite(c, k, json_str(p, "app", ""), json_str(p, "room", ""), invite);
  else if (e == ERR_OK)
    e = access_token(c->access, token, "", k->addr, &g);
  if (g.forged)
    limit_strike(c, k->addr);
  explicit_bzero(&g, sizeof g);
  return e;
}

void probe_forget(struct control *c, struct conn *k) {
  if (!k->probe)
    return;
  struct media_cmd del = {.kind = MEDIA_PEER_DEL, .room = c->probes, .peer = k->probe};
  c->cfg.media(c->cfg.ctx, 0, &del);
  k->probe = 0;
  if (--c->n_probes > 0)
    return;
  struct media_cmd shut = {.kind = MEDIA_ROOM_CLOSE, .room = c->probes};
  c->cfg.media(c->cfg.ctx, 0, &shut);
}

/* On the first media thread, where a room is open while anybody probes: nobody is heard in it. */
static char *answer(struct control *c, struct conn *k, const char *sdp, const char **why) {
  struct sdp offer;
  struct media_cmd add = {.kind = MEDIA_PEER_ADD};
  if (sdp_parse(sdp, strlen(sdp), &offer, why) != ERR_OK)
    return NULL;
  char *text = seat_answer_text(c, &offer, 0, &add.params, why);
  if (!text)
    return NULL;
  if (c->n_probes++ == 0) {
    struct media_cmd open = {.kind = MEDIA_ROOM_OPEN, .room = c->probes = ++c->last_room};
    c->cfg.media(c->cfg.ctx, 0, &open);
  }
  add.room = c->probes;
  add.peer = k->probe = ++c->last_peer;
  c->cfg.media(c->cfg.ctx, 0, &add);
  return text;
}

void probe_call(struct control *c, struct conn *k, json_int_t id, const json_t *p) {
  const char *sdp = json_str(p, "sdp", NULL), *why = NULL;
  char name[32];
  enum err e = ERR_OK;
  if (!json_only_keys(p, "room", "app", "invite", "token", "sdp", NULL) || !sdp)
    e = ERR_BAD_ARG;
  else if (k->seat || k->probe || k->admin)
    e = ERR_BAD_REQUEST; /* one a connection, of who is in no room */
  else if (c->n_probes >= PROBES_MAX)
    e = ERR_AGAIN;
  else
    e = may_probe(c, k, p);
  char *a = e == ERR_OK ? answer(c, k, sdp, &why) : NULL;
  if (e == ERR_OK && !a)
    e = ERR_BAD_SDP;
  if (e != ERR_OK) {
    control_refuse(c, k, id, e, why);
    return;
  }
  snprintf(name, sizeof name, "probe-%u", k->probe);
  control_reply(c, k, id,
                json_pack("{s:s,s:o}", "sdp", a, "ice", turn_servers(c->cfg.turn, c->wall_ms / 1000, name)));
  c->count.turn_minted += c->cfg.turn != NULL;
  free(a);
}
