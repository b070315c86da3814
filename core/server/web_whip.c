/* web_whip.c: WHIP (RFC 9725) to speak into a room and WHEP (draft-ietf-wish-whep) to listen to one. Who
 * comes so is a member like any other, with a connection that has no socket: he is here while his sound path
 * lives, and leaves with it. Whoever has to wait gets his answer at once, and a path that carries nothing
 * until he is let in: neither protocol knows a lobby. */
#include "core/base/bytes.h"
#include "core/server/web_private.h"
#include "core/wire/sdp_frag.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_LEN 24 /* of 62 characters: nobody guesses it */
#define TAG_LEN 12
#define SESSIONS "/whip-session/"
#define SDP_TYPE "application/sdp"
#define FRAG_TYPE "application/trickle-ice-sdpfrag"

struct whip {
  char id[ID_LEN + 1], etag[TAG_LEN + 3];
  bool listens;       /* WHEP */
  uint8_t bearer[32]; /* SHA-256 of what he came with */
  char ufrag[257];    /* of his offer */
  struct conn *conn;  /* his, borrowed */
  json_t *said;       /* what room.join was answered */
};

/* ---- refusals ---- */

/* As room.join refused him. */
static void refuse_as(struct control *c, uint32_t request, const json_t *said) {
  const json_t *error = json_object_get(said, "error"), *data = json_object_get(error, "data");
  enum err e = err_from_code(json_str(data, "code", ""));
  const char *text = json_str(error, "message", "");
  web_refuse(c, request, e, strcmp(text, err_text(e)) != 0 ? text : NULL, (int)json_int(data, "retry_ms", 0));
}

/* No type is as wrong as another one. */
static bool is_type(struct control *c, uint32_t request, const struct web_request *r, const char *wanted) {
  char text[80];
  if (web_is_type(r, wanted))
    return true;
  snprintf(text, sizeof text, "the body has to be %s", wanted);
  web_problem(c, request, 415, err_code(ERR_BAD_REQUEST), text, NULL, 0);
  return false;
}

/* ---- the connection without a socket ---- */

void whip_told(struct whip *w, const char *text, json_int_t reply_to) {
  if (reply_to > 0 && !w->said)
    w->said = json_loads(text, 0, NULL);
}

void whip_direction(const struct whip *w, struct sdp *offer) {
  if (w->listens)
    offer->send = false;
  else
    offer->recv = false;
}

/* He leaves, if he is still there. */
static void end(struct control *c, struct whip *w) {
  struct conn *k = w->conn;
  if (k->seat) {
    struct room_cmd cmd = {.act = ACT_LEAVE, .actor = k->seat->member};
    struct room_events evs = {0};
    if (room_decide(&k->room->room, &cmd, c->wall_ms, &evs) == ERR_OK)
      hosted_run(c, k->room, &evs);
    room_events_free(&evs);
  }
  map_del(c->whips, w->id, ID_LEN);
  control_closed(c, k->handle);
  json_decref(w->said);
  free(w);
}

void whip_sweep(struct control *c) {
  struct whip *w;
  for (size_t at = 0; c->whips && (w = map_next(c->whips, &at));)
    if (!w->conn->seat || w->conn->close_after || w->conn->closing) {
      end(c, w);
      at = 0; /* the map has changed */
    }
}

void whip_free(struct control *c) {
  struct whip *w;
  for (size_t at = 0; c->whips && (w = map_next(c->whips, &at));) {
    json_decref(w->said);
    free(w);
  }
  map_destroy(c->whips);
  c->whips = NULL;
}

static struct whip *begin(struct control *c, const struct web_request *r, bool listens) {
  struct whip *w = calloc(1, sizeof *w);
  if (!w)
    abort();
  w->listens = listens;
  rng_token(c->cfg.rng, w->id, ID_LEN);
  w->etag[0] = '"';
  rng_token(c->cfg.rng, w->etag + 1, TAG_LEN);
  w->etag[TAG_LEN + 1] = '"';
  w->conn = map_get_u32(c->conns, control_open(c, false, r->addr));
  w->conn->whip = w;
  if (!c->whips)
    c->whips = map_create(rng_u64(c->cfg.rng));
  map_put(c->whips, w->id, ID_LEN, w);
  return w;
}

/* ---- POST: in ---- */

/* ROOM, or APP/ROOM, as in the path of an invite link. */
static bool read_room(const char *path, json_t *join) {
  const char *slash = strchr(path, '/'), *room = slash ? slash + 1 : path;
  if (slash)
    json_object_set_new(join, "app", json_stringn(path, (size_t)(slash - path)));
  json_object_set_new(join, "room", json_string(room));
  return *room && slash != path && json_str(join, "room", NULL) && (!slash || json_str(join, "app", NULL));
}

/* An invite's secret, and everything else that may be in the place of a token. */
static bool read_right(const char *bearer, json_t *join) {
  uint8_t raw[32];
  bool invite = b64url_decode(bearer, strlen(bearer), raw, sizeof raw) == sizeof raw;
  OPENSSL_cleanse(raw, sizeof raw);
  json_object_set_new(join, invite ? "invite" : "token", json_string(bearer));
  return invite;
}

/* name: for who has none by his token; consent: the version of the text he agrees to. */
static bool read_query(const char *query, const char *kind, bool invite, json_t *join) {
  struct form f;
  if (form_parse(query, strlen(query), &f) != ERR_OK)
    return false;
  bool fine = form_only(&f, "name", "consent", NULL);
  const char *name = form_get(&f, "name"), *consent = form_get(&f, "consent");
  if (*name || invite)
    json_object_set_new(join, "name", json_string(*name ? name : kind));
  if (*consent)
    json_object_set_new(join, "consent", json_string(consent));
  form_free(&f);
  return fine;
}

/* What cannot come to a path is refused before anybody enters. */
static const char *look_at_offer(const struct web_request *r, bool listens, char ufrag[257]) {
  struct sdp *offer = malloc(sizeof *offer);
  const char *why = NULL;
  if (!offer)
    abort();
  if (sdp_parse(r->body, r->n, offer, &why) == ERR_OK) {
    memcpy(ufrag, offer->ufrag, sizeof offer->ufrag);
    if (offer->setup == SDP_PASSIVE)
      why = "the offer must leave the passive side to the server (a=setup:actpass or active)";
    else if (listens ? !offer->recv : !offer->send)
      why = listens ? "the offer does not want to receive audio" : "the offer does not send audio";
  }
  free(offer);
  return why;
}

static json_t *join_params(struct control *c, const struct web_request *r, const char *room,
                           const char *bearer, const char *kind) {
  char device[ID_LEN + 1]; /* guests are told apart */
  rng_token(c->cfg.rng, device, ID_LEN);
  json_t *join = json_pack("{s:s,s:s}", "client", kind, "device", device);
  json_object_set_new(join, "sdp", json_stringn(r->body, r->n));
  bool fine = read_room(room, join) && read_query(r->query, kind, read_right(bearer, join), join) &&
              json_str(join, "sdp", NULL);
  if (fine)
    return join;
  json_decref(join);
  return NULL;
}

/* One relay a header (RFC 9725 section 4.6), as many as fit. Who waits gets none: like by media.ice. */
static void add_relays(struct control *c, const struct whip *w, struct web_reply *reply) {
  json_t *all, *server, *url;
  size_t i, n;
  if (room_view_of(&w->conn->room->room, w->conn->seat->member) == VIEW_NOTHING)
    return;
  all = seat_relays(c, w->conn);
  json_array_foreach(json_object_get(all, "servers"), i, server) {
    json_array_foreach(json_object_get(server, "urls"), n, url) {
      char value[WEB_HEADER_MAX];
      int len = snprintf(value, sizeof value,
                         "<%s>; rel=\"ice-server\"; username=\"%s\"; credential=\"%s\"; "
                         "credential-type=\"password\"",
                         json_string_value(url), json_str(server, "username", ""),
                         json_str(server, "credential", ""));
      if (len < (int)sizeof value && reply->n_headers < WEB_HEADERS_MAX)
        web_reply_header(reply, "link:", value);
    }
  }
  json_decref(all);
}

static void created(struct control *c, uint32_t request, const struct whip *w, const char *sdp) {
  char at[sizeof SESSIONS + ID_LEN];
  struct web_reply reply = {.status = 201, .type = SDP_TYPE, .body = strdup(sdp)};
  snprintf(at, sizeof at, SESSIONS "%s", w->id);
  web_reply_header(&reply, "location:", at);
  web_reply_header(&reply, "etag:", w->etag);
  web_reply_header(&reply, "accept-patch:", FRAG_TYPE);
  add_relays(c, w, &reply);
  web_answer(c, request, &reply);
}

static void enter(struct control *c, uint32_t request, const struct web_request *r, json_t *join,
                  const char *bearer, const char *ufrag, bool listens) {
  struct whip *w = begin(c, r, listens);
  sha256(bearer, strlen(bearer), w->bearer);
  snprintf(w->ufrag, sizeof w->ufrag, "%s", ufrag);
  seat_join(c, w->conn, 1, join);
  const json_t *result = json_object_get(w->said, "result");
  const char *sdp = json_str(result, "sdp", NULL);
  if (sdp)
    created(c, request, w, sdp);
  else if (result)
    web_refuse(c, request, ERR_BAD_SDP, json_str(result, "sdp_error", NULL), 0);
  else
    refuse_as(c, request, w->said);
  json_decref(w->said);
  w->said = NULL;
  if (!sdp)
    end(c, w);
}

static void post(struct control *c, uint32_t request, const struct web_request *r, bool listens) {
  const char *room = r->path + strlen("/whip/");
  char bearer[WEB_BEARER_MAX], ufrag[257] = "";
  if (listens && r->n == 0) {
    web_problem(c, request, 501, "no_offer", "this server makes no offers: send one", NULL, 0);
    return;
  }
  if (!is_type(c, request, r, SDP_TYPE) || !web_bearer_text(c, request, r, bearer))
    return;
  const char *why = look_at_offer(r, listens, ufrag);
  json_t *join = why ? NULL : join_params(c, r, room, bearer, listens ? "whep" : "whip");
  if (join)
    enter(c, request, r, join, bearer, ufrag, listens);
  else
    web_refuse(c, request, why ? ERR_BAD_SDP : ERR_BAD_ARG,
               why ? why : "expected is /whip/[APP/]ROOM?name=NAME, all of it UTF-8", 0);
  json_decref(join);
  OPENSSL_cleanse(bearer, sizeof bearer);
}

void whip_post(struct control *c, uint32_t request, const struct web_request *r) {
  post(c, request, r, false);
}

void whep_post(struct control *c, uint32_t request, const struct web_request *r) {
  post(c, request, r, true);
}

/* ---- the session ---- */

/* The session of this path, if whoever asks is the one it belongs to; else he has been refused. */
static struct whip *session_of(struct control *c, uint32_t request, const struct web_request *r) {
  const char *id = r->path + strlen(SESSIONS);
  struct whip *w = c->whips && strlen(id) == ID_LEN ? map_get(c->whips, id, ID_LEN) : NULL;
  char bearer[WEB_BEARER_MAX];
  uint8_t hash[32];
  if (!w) {
    web_refuse(c, request, ERR_NO_RESUME, "there is no such session, or it has ended", 0);
    return NULL;
  }
  if (!web_bearer_text(c, request, r, bearer))
    return NULL;
  sha256(bearer, strlen(bearer), hash);
  OPENSSL_cleanse(bearer, sizeof bearer);
  if (CRYPTO_memcmp(hash, w->bearer, sizeof hash) == 0)
    return w;
  web_refuse(c, request, ERR_BAD_TOKEN, "the session began with another token", 0);
  return NULL;
}

void whip_session_delete(struct control *c, uint32_t request, const struct web_request *r) {
  struct whip *w = session_of(c, request, r);
  if (!w)
    return;
  end(c, w);
  web_text(c, request, 200, "");
}

/* RFC 9725 section 4.3: candidates are only looked at, because checks come from wherever he is; a restart of
 * ICE would need a path of its own: he begins anew. */
void whip_session_patch(struct control *c, uint32_t request, const struct web_request *r) {
  struct sdp_frag f;
  const char *why;
  const struct whip *w = session_of(c, request, r);
  if (!w || !is_type(c, request, r, FRAG_TYPE))
    return;
  if (sdp_frag_parse(r->body, r->n, &f, &why) != ERR_OK) {
    web_refuse(c, request, ERR_BAD_SDP, why, 0);
    return;
  }
  bool restart = f.ufrag[0] && strcmp(f.ufrag, w->ufrag) != 0;
  if (!r->if_match[0])
    web_problem(c, request, 428, "no_etag", "If-Match is missing", NULL, 0);
  else if (strcmp(r->if_match, "*") != 0 && strcmp(r->if_match, w->etag) != 0)
    web_problem(c, request, 412, "other_etag", "If-Match is not the entity tag of this session", NULL, 0);
  else if (restart)
    web_problem(c, request, 422, "no_restart",
                "ICE does not restart here: end this session and begin another", NULL, 0);
  else
    web_answer(c, request, &(struct web_reply){.status = 204, .type = WEB_TEXT, .body = strdup("")});
}

static void options(struct control *c, uint32_t request, const char *allow, const char *name,
                    const char *types) {
  struct web_reply r = {.status = 204, .type = WEB_TEXT, .allow = allow, .body = strdup("")};
  web_reply_header(&r, name, types);
  web_answer(c, request, &r);
}

void whip_options(struct control *c, uint32_t request, const struct web_request *r) {
  (void)r;
  options(c, request, "OPTIONS, POST", "accept-post:", SDP_TYPE);
}

void whip_session_options(struct control *c, uint32_t request, const struct web_request *r) {
  (void)r;
  options(c, request, "OPTIONS, PATCH, DELETE", "accept-patch:", FRAG_TYPE);
}
