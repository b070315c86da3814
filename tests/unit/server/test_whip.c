/* WHIP and WHEP: who comes so is a member like any other, moderated like any other, and gone with his path.
 */
#include "core/base/bytes.h"
#include "core/server/control_private.h"
#include "core/server/turn.h"
#include "core/wire/sdp.h"
#include "tests/unit/server/web_kit.h"

#include <unistd.h>

#define SDP "application/sdp"
#define FRAG "application/trickle-ice-sdpfrag"
#define OTHER "Bearer cs1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

struct den {
  struct web_kit *k;
  struct link host, guest;
  uint32_t conn; /* of the host */
  int id;
  char right[300];                     /* the guest's invite as a bearer token */
  char offer[SDP_MAX];                 /* that sends and receives */
  char at[64], etag[32], sdp[SDP_MAX]; /* of the last 201 */
};

/* The host's request; its result, which has to be one, borrowed from *whole. */
static json_t *ask(struct den *d, const char *method, json_t *params, json_t **whole) {
  char *text = rpc_request(++d->id, method, params), *got;
  size_t n;
  *whole = NULL;
  control_message(d->k->c, d->conn, text, strlen(text));
  free(text);
  assert_int_equal(control_commit(d->k->c), ERR_OK);
  while ((got = control_next_message(d->k->c, d->conn, &n))) {
    json_t *o = json_loadb(got, n, 0, NULL);
    if (json_int(o, "id", 0) == d->id)
      *whole = o;
    else
      json_decref(o);
  }
  json_t *result = json_object_get(*whole, "result");
  assert_non_null(result);
  return result;
}

static void act(struct den *d, const char *method, int who) {
  json_t *whole;
  json_t *params = json_pack("{s:[i]}", "who", who);
  ask(d, method, params, &whole);
  json_decref(whole);
}

/* The newest member as the operator sees him, or NULL; *whole is to be freed. */
static json_t *newest(struct den *d, json_t **whole) {
  *whole = kit_operate(d->k, "room.show", json_pack("{s:s}", "room", "den"));
  json_t *members = json_object_get(json_object_get(*whole, "room"), "members");
  size_t n = json_array_size(members);
  return n > 1 ? json_array_get(members, n - 1) : NULL;
}

static int newest_id(struct den *d) {
  json_t *whole, *m = newest(d, &whole);
  int id = m ? (int)json_int(m, "id", 0) : 0;
  json_decref(whole);
  return id;
}

static void den_load(struct den *d, const char *name) {
  char path[200];
  snprintf(path, sizeof path, "%s/tests/vectors/sdp/%s", GAVEL_SRCDIR, name);
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  size_t n = fread(d->offer, 1, sizeof d->offer - 1, f);
  fclose(f);
  d->offer[n] = '\0';
}

static struct den *den_make(bool lobby) {
  struct den *d = calloc(1, sizeof *d);
  json_t *whole;
  char secret[64];
  assert_non_null(d);
  d->k = web_kit_make(NULL);
  assert_int_equal(control_room_create(d->k->c, "den", lobby, &d->host, &d->guest), ERR_OK);
  assert_int_equal(control_commit(d->k->c), ERR_OK);
  b64url_encode(d->guest.secret, sizeof d->guest.secret, secret);
  snprintf(d->right, sizeof d->right, "Bearer %s", secret);
  b64url_encode(d->host.secret, sizeof d->host.secret, secret);
  den_load(d, "chromium-offer.sdp");
  d->conn = control_open(d->k->c, false, NULL);
  ask(d, "room.join", json_pack("{s:s,s:s,s:s}", "room", "den", "name", "Host", "invite", secret), &whole);
  json_decref(whole);
  return d;
}

static void den_free(struct den *d) {
  web_kit_free(d->k);
  free(d);
}

static const char *header(const struct den *d, const char *name) {
  for (size_t i = 0; i < d->k->reply.n_headers; i++)
    if (strcmp(d->k->reply.header[i].name, name) == 0)
      return d->k->reply.header[i].value;
  return "";
}

/* One request with everything that may be in it; the status. */
static int request(struct den *d, const char *method, const char *path, const char *query, const char *type,
                   const char *body, const char *authorization, const char *if_match) {
  struct web_kit *k = d->k;
  struct web_request r = {.face = WEB_PUBLIC,
                          .if_match = if_match,
                          .method = method,
                          .path = path,
                          .query = query,
                          .type = type,
                          .body = body,
                          .n = strlen(body),
                          .authorization = authorization,
                          .addr = k->addr};
  k->answered = false;
  k->n_media = 0;
  kit_tick(k, US_PER_S);
  control_http(k->c, ++k->request, &r);
  assert_int_equal(control_commit(k->c), ERR_OK);
  assert_true(k->answered);
  if (k->reply.status == 201) {
    snprintf(d->at, sizeof d->at, "%s", header(d, "location:"));
    snprintf(d->etag, sizeof d->etag, "%s", header(d, "etag:"));
    snprintf(d->sdp, sizeof d->sdp, "%s", k->reply.body);
  }
  return k->reply.status;
}

static int post(struct den *d, const char *path, const char *query) {
  return request(d, "POST", path, query, SDP, d->offer, d->right, "");
}
static int delete_it(struct den *d) {
  return request(d, "DELETE", d->at, "", "", "", d->right, "");
}
static int patch(struct den *d, const char *body, const char *if_match) {
  return request(d, "PATCH", d->at, "", FRAG, body, d->right, if_match);
}

/* What media was told of that kind, the last one; NULL: nothing. */
static const struct media_cmd *told(const struct den *d, int kind) {
  for (size_t i = d->k->n_media; i-- > 0;)
    if ((int)d->k->media[i].kind == kind)
      return &d->k->media[i];
  return NULL;
}

static void assert_code(const struct den *d, const char *code) {
  char got[256];
  assert_string_equal(d->k->reply.type, "application/problem+json");
  kit_json(d->k, "code", got);
  assert_string_equal(got, code);
}

static void speaks(void **state) {
  (void)state;
  struct den *d = den_make(false);
  struct sdp answer;
  json_t *whole;
  assert_int_equal(post(d, "/whip/den", "name=Mike"), 201);
  assert_string_equal(d->k->reply.type, SDP);
  assert_string_equal(header(d, "accept-patch:"), FRAG);
  assert_true(strncmp(d->at, "/whip-session/", 14) == 0 && strlen(d->at) == 14 + 24 && d->etag[0] == '"');
  assert_int_equal(sdp_parse(d->sdp, strlen(d->sdp), &answer, NULL), ERR_OK);
  assert_true(answer.recv && !answer.send && answer.setup == SDP_PASSIVE); /* though he offered both */
  const struct media_cmd *add = told(d, MEDIA_PEER_ADD);
  assert_non_null(add);
  assert_true(add->may_send && add->may_hear && add->params.send && !add->params.recv);
  assert_string_equal(add->params.local_ufrag, answer.ufrag);
  json_t *m = newest(d, &whole);
  assert_non_null(m);
  assert_string_equal(json_str(m, "name", ""), "Mike");
  assert_string_equal(json_str(m, "client", ""), "whip");
  int id = (int)json_int(m, "id", 0);
  json_decref(whole);
  d->k->n_media = 0;
  act(d, "room.mute", id); /* for real: in the media thread */
  assert_non_null(told(d, MEDIA_PEER_SET));
  assert_false(told(d, MEDIA_PEER_SET)->may_send);
  assert_int_equal(delete_it(d), 200);
  assert_non_null(told(d, MEDIA_PEER_DEL));
  assert_int_equal(newest_id(d), 0);
  assert_int_equal(delete_it(d), 404);
  assert_code(d, "cannot_resume");
  den_free(d);
}

static void listens(void **state) {
  (void)state;
  struct den *d = den_make(false);
  struct sdp answer;
  json_t *whole;
  assert_int_equal(post(d, "/whep/den", ""), 201);
  assert_int_equal(sdp_parse(d->sdp, strlen(d->sdp), &answer, NULL), ERR_OK);
  assert_true(!answer.recv && answer.send && answer.ssrc);
  assert_true(told(d, MEDIA_PEER_ADD)->params.recv && !told(d, MEDIA_PEER_ADD)->params.send);
  json_t *m = newest(d, &whole);
  assert_string_equal(json_str(m, "name", ""), "whep"); /* nobody gave him another */
  assert_string_equal(json_str(m, "client", ""), "whep");
  json_decref(whole);
  assert_int_equal(request(d, "POST", "/whep/den", "", "", "", d->right, ""), 501);
  assert_code(d, "no_offer");
  den_load(d, "webrtcbin-offer.sdp"); /* only sends */
  assert_int_equal(post(d, "/whep/den", ""), 400);
  assert_code(d, "bad_sdp");
  assert_int_equal(post(d, "/whip/den", ""), 201);
  den_load(d, "session-level-lf.sdp"); /* only receives */
  assert_int_equal(post(d, "/whip/den", ""), 400);
  assert_int_equal(post(d, "/whep/den", ""), 201);
  den_free(d);
}

static void refused(void **state) {
  (void)state;
  struct den *d = den_make(false);
  assert_int_equal(request(d, "POST", "/whip/den", "", SDP, d->offer, NULL, ""), 401);
  assert_string_equal(d->k->reply.challenge, "Bearer realm=\"gavel\"");
  assert_int_equal(request(d, "POST", "/whip/den", "", SDP, d->offer, "Basic eDp5", ""), 401);
  assert_int_equal(request(d, "POST", "/whip/den", "", SDP, d->offer, "Bearer a b", ""), 400);
  assert_int_equal(request(d, "POST", "/whip/den", "", SDP, d->offer, OTHER, ""), 401);
  assert_code(d, "invalid_token");
  assert_non_null(strstr(d->k->reply.challenge, "error=\"invalid_token\""));
  assert_int_equal(request(d, "POST", "/whip/den", "", SDP, d->offer,
                           "Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ""),
                   401);
  assert_code(d, "bad_invite");
  assert_int_equal(request(d, "POST", "/whip/den", "", "text/plain", d->offer, d->right, ""), 415);
  assert_int_equal(request(d, "POST", "/whip/den", "", SDP, "v=0\r\n", d->right, ""), 400);
  assert_code(d, "bad_sdp");
  assert_int_equal(post(d, "/whip/nowhere", ""), 404);
  assert_code(d, "no_room");
  assert_int_equal(post(d, "/whip/nobody/den", ""), 404);
  assert_int_equal(post(d, "/whip/", ""), 400);
  assert_code(d, "bad_argument");
  assert_int_equal(post(d, "/whip//den", ""), 400);
  assert_int_equal(post(d, "/whip/den", "name=a&name=b"), 400);
  assert_int_equal(post(d, "/whip/den", "role=owner"), 400);
  assert_int_equal(post(d, "/whip/den", "name=%20"), 400);
  assert_code(d, "bad_name");
  assert_int_equal(request(d, "GET", "/whip/den", "", "", "", d->right, ""), 405);
  assert_string_equal(d->k->reply.allow, "OPTIONS, POST");
  assert_int_equal(newest_id(d), 0); /* nobody came in by any of that */
  assert_int_equal(request(d, "OPTIONS", "/whip/den", "", "", "", NULL, ""), 204);
  assert_string_equal(header(d, "accept-post:"), SDP);
  den_free(d);
}

/* He gets his path at once and it carries nothing until he is let in, and again when he is held. */
static void waits(void **state) {
  (void)state;
  struct den *d = den_make(true);
  assert_int_equal(post(d, "/whip/den", ""), 201);
  const struct media_cmd *add = told(d, MEDIA_PEER_ADD);
  assert_true(add && !add->may_send && !add->may_hear);
  uint32_t peer = add->peer;
  int id = newest_id(d);
  d->k->n_media = 0;
  act(d, "room.admit", id);
  assert_non_null(told(d, MEDIA_PEER_SET));
  assert_true(told(d, MEDIA_PEER_SET)->may_send && told(d, MEDIA_PEER_SET)->may_hear);
  assert_int_equal(told(d, MEDIA_PEER_SET)->peer, peer);
  d->k->n_media = 0;
  act(d, "room.hold", id);
  assert_null(told(d, MEDIA_PEER_DEL));
  assert_true(!told(d, MEDIA_PEER_SET)->may_send && !told(d, MEDIA_PEER_SET)->may_hear);
  assert_int_equal(patch(d, "a=end-of-candidates\r\n", d->etag), 204); /* it lives */
  act(d, "room.deny", id);
  assert_non_null(told(d, MEDIA_PEER_DEL));
  assert_int_equal(patch(d, "a=end-of-candidates\r\n", d->etag), 404);
  den_free(d);
}

static void is_removed(void **state) {
  (void)state;
  struct den *d = den_make(false);
  assert_int_equal(post(d, "/whip/den", ""), 201);
  d->k->n_media = 0;
  act(d, "room.remove", newest_id(d));
  assert_non_null(told(d, MEDIA_PEER_DEL));
  assert_int_equal(newest_id(d), 0);
  assert_int_equal(delete_it(d), 404);
  assert_int_equal(post(d, "/whip/den", ""), 201);
  json_t *whole;
  ask(d, "room.end", json_object(), &whole);
  json_decref(whole);
  kit_tick(d->k, 60 * US_PER_S);
  assert_int_equal(control_commit(d->k->c), ERR_OK);
  assert_int_equal(delete_it(d), 404);
  den_free(d);
}

static void path_is_lost(void **state) {
  (void)state;
  struct den *d = den_make(false);
  struct control_counters n;
  assert_int_equal(post(d, "/whip/den", ""), 201);
  struct media_event ev = {.kind = MEDIA_CONNECTED, .peer = told(d, MEDIA_PEER_ADD)->peer};
  control_media_event(d->k->c, 0, &ev);
  assert_int_equal(control_commit(d->k->c), ERR_OK);
  assert_true(newest_id(d) > 0);
  ev.kind = MEDIA_LOST;
  ev.why = ERR_ICE;
  control_media_event(d->k->c, 0, &ev);
  assert_int_equal(control_commit(d->k->c), ERR_OK);
  assert_int_equal(newest_id(d), 0); /* left, not away: nobody could come back for him */
  control_counters(d->k->c, &n);
  assert_int_equal(n.conns, 1);
  assert_int_equal(delete_it(d), 404);
  den_free(d);
}

static void patches(void **state) {
  (void)state;
  struct den *d = den_make(false);
  assert_int_equal(post(d, "/whip/den", ""), 201);
  static const char MORE[] =
      "a=ice-ufrag:CcDA\r\na=ice-pwd:JxmWwpBouI8Vs0nFxBQD3JHv\r\nm=audio 9 RTP/AVP 0\r\n"
      "a=mid:0\r\na=candidate:1 1 udp 2130706431 192.0.2.2 50059 typ host\r\n";
  static const char RESTART[] = "a=ice-ufrag:neww\r\na=ice-pwd:JxmWwpBouI8Vs0nFxBQD3JHw\r\n";
  assert_int_equal(patch(d, MORE, d->etag), 204);
  assert_int_equal(patch(d, MORE, "*"), 204);
  assert_int_equal(patch(d, MORE, ""), 428);
  assert_int_equal(patch(d, MORE, "\"another\""), 412);
  assert_int_equal(patch(d, RESTART, "*"), 422);
  assert_code(d, "no_restart");
  assert_int_equal(patch(d, "", d->etag), 400);
  assert_int_equal(patch(d, "a=candidate:x\r\n", d->etag), 400);
  assert_code(d, "bad_sdp");
  assert_int_equal(request(d, "PATCH", d->at, "", SDP, MORE, d->right, d->etag), 415);
  assert_int_equal(request(d, "PATCH", d->at, "", FRAG, MORE, NULL, d->etag), 401);
  assert_int_equal(request(d, "PATCH", d->at, "", FRAG, MORE, OTHER, d->etag), 401);
  assert_int_equal(request(d, "DELETE", d->at, "", "", "", OTHER, ""), 401);
  assert_int_equal(request(d, "POST", d->at, "", SDP, d->offer, d->right, ""), 405);
  assert_string_equal(d->k->reply.allow, "OPTIONS, PATCH, DELETE");
  assert_int_equal(request(d, "GET", d->at, "", "", "", d->right, ""), 405);
  assert_int_equal(request(d, "OPTIONS", d->at, "", "", "", NULL, ""), 204);
  assert_int_equal(request(d, "DELETE", "/whip-session/x", "", "", "", d->right, ""), 404);
  assert_int_equal(delete_it(d), 200);
  den_free(d);
}

/* What could not be recorded did not happen: nobody is there, or he goes as one whose line broke. */
static void disk_is_full(void **state) {
  (void)state;
  struct den *d = den_make(false);
  struct control_counters n;
  struct web_request r = {.face = WEB_PUBLIC,
                          .method = "POST",
                          .path = "/whip/den",
                          .query = "",
                          .if_match = "",
                          .type = SDP,
                          .body = d->offer,
                          .n = strlen(d->offer),
                          .authorization = d->right,
                          .addr = d->k->addr};
  d->k->answered = false;
  control_http(d->k->c, ++d->k->request, &r);
  d->k->c->group_err = ERR_DISK_FULL;
  assert_int_equal(control_commit(d->k->c), ERR_DISK_FULL);
  assert_int_equal(d->k->reply.status, 503);
  assert_int_equal(newest_id(d), 0);
  control_counters(d->k->c, &n);
  assert_int_equal(n.conns, 1);
  assert_int_equal(post(d, "/whip/den", ""), 201);
  r.method = "DELETE";
  r.path = d->at;
  r.n = 0;
  d->k->answered = false;
  control_http(d->k->c, ++d->k->request, &r);
  d->k->c->group_err = ERR_DISK_FULL;
  assert_int_equal(control_commit(d->k->c), ERR_DISK_FULL);
  assert_int_equal(d->k->reply.status, 503);
  assert_int_equal(delete_it(d), 404);
  assert_true(newest_id(d) > 0);
  for (int i = 0; i < 130; i++) { /* nobody resumes */
    kit_tick(d->k, US_PER_S);
    assert_int_equal(control_commit(d->k->c), ERR_OK);
  }
  assert_int_equal(newest_id(d), 0);
  den_free(d);
}

/* Who came by his account goes with his session. */
static void is_revoked(void **state) {
  (void)state;
  struct den *d = den_make(false);
  char access[256], refresh[256], body[300];
  d->k->scope = "room:join%20room:speak";
  kit_sign_in(d->k, access, refresh);
  snprintf(d->right, sizeof d->right, "Bearer %s", access);
  assert_int_equal(post(d, "/whip/den", "name=Other"), 201);
  json_t *whole, *m = newest(d, &whole);
  assert_string_equal(json_str(m, "name", ""), "ann"); /* whatever he asks for */
  assert_string_equal(json_str(m, "role", ""), "speaker");
  json_decref(whole);
  d->k->n_media = 0;
  snprintf(body, sizeof body, "token=%s", access);
  assert_int_equal(kit_post(d->k, "/oauth/revoke", body), 200);
  assert_non_null(told(d, MEDIA_PEER_DEL));
  assert_int_equal(newest_id(d), 0);
  assert_int_equal(delete_it(d), 404);
  assert_int_equal(post(d, "/whip/den", ""), 401);
  assert_code(d, "invalid_token");
  den_free(d);
}

/* Relays as Link headers, one each, for who is inside. */
static void relays(void **state) {
  (void)state;
  struct den *d = den_make(false);
  struct turn *t = NULL;
  char path[] = "/tmp/gavel-turn-XXXXXX", why[256] = "";
  int fd = mkstemp(path);
  assert_true(fd >= 0 && write(fd, "0123456789abcdef\n", 17) == 17 && close(fd) == 0);
  assert_int_equal(turn_open("turn:turn.example:3478?transport=udp turns:turn.example:443?transport=tcp",
                             path, 900, &t, why),
                   ERR_OK);
  assert_int_equal(remove(path), 0);
  control_relays(d->k->c, t);
  assert_int_equal(post(d, "/whip/den", ""), 201);
  const char *link = header(d, "link:");
  assert_int_equal(
      strncmp(link, "<turn:turn.example:3478?transport=udp>; rel=\"ice-server\"; username=\"", 67), 0);
  assert_non_null(strstr(link, "\"; credential=\""));
  size_t links = 0;
  for (size_t i = 0; i < d->k->reply.n_headers; i++)
    links += strcmp(d->k->reply.header[i].name, "link:") == 0;
  assert_int_equal(links, 2);
  json_t *whole;
  ask(d, "room.lobby", json_pack("{s:b}", "on", 1), &whole);
  json_decref(whole);
  assert_int_equal(post(d, "/whip/den", ""), 201);
  assert_string_equal(header(d, "link:"), "");
  den_free(d);
  turn_close(t);
}

/* The server goes down: he leaves, nobody waits for him. */
static void goes_with_the_server(void **state) {
  (void)state;
  struct den *d = den_make(false);
  struct control_counters n;
  assert_int_equal(post(d, "/whip/den", ""), 201);
  assert_int_equal(post(d, "/whep/den", ""), 201);
  control_bye(d->k->c, 1000);
  assert_int_equal(control_commit(d->k->c), ERR_OK);
  control_closed(d->k->c, d->conn);
  control_counters(d->k->c, &n);
  assert_int_equal(n.conns, 0);
  den_free(d);
}

/* Nobody new: he is told when to come again, and not that it is he who may not. */
static void is_drained(void **state) {
  (void)state;
  struct den *d = den_make(false);
  json_decref(kit_operate(d->k, "server.drain", json_object()));
  assert_int_equal(post(d, "/whip/den", ""), 503);
  assert_code(d, "draining");
  assert_true(d->k->reply.retry_after_s > 0);
  assert_int_equal(newest_id(d), 0);
  den_free(d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(speaks),     cmocka_unit_test(listens),    cmocka_unit_test(refused),
      cmocka_unit_test(waits),      cmocka_unit_test(is_removed), cmocka_unit_test(path_is_lost),
      cmocka_unit_test(patches),    cmocka_unit_test(relays),     cmocka_unit_test(disk_is_full),
      cmocka_unit_test(is_revoked), cmocka_unit_test(is_drained), cmocka_unit_test(goes_with_the_server),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
