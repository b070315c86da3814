/* kind_gavel.c: our own server, as docs/protocol.md has it: WebSocket, room.join with an offer, a STUN check,
 * DTLS-SRTP. The path is the product's (core/session/path.h). */
#include "core/base/bytes.h"
#include "core/session/path.h"
#include "core/session/tls.h"
#include "core/wire/json.h"
#include "tests/bench/load/person_private.h"
#include "tests/bench/load/wsc.h"

#include <stdlib.h>
#include <string.h>

#define RETRIES 10 /* of a join that the server puts off */

struct gavel {
  struct wsc *ws;
  us_t retry_at;
  unsigned retries;
  struct path *path;
  struct heard_copy copy[LOAD_COPIES_MAX]; /* of the packet that is told next */
  size_t n_copies;
};

static bool setup(struct load *l) {
  l->tls = tls_create(&l->rooms[0].link);
  return l->tls && cert_make("gavel-load", 2, &l->cert) == ERR_OK &&
         (l->dtls = dtls_ctx_create(&l->cert, false));
}

static void cleanup(struct load *l) {
  dtls_ctx_destroy(l->dtls);
  cert_free(&l->cert);
  SSL_CTX_free(l->tls);
}

/* ---- sound ---- */

static void on_send(void *ctx, const uint8_t *b, size_t n) {
  line_send(ctx, b, n);
}

static void on_copy(void *ctx, const struct rtp *h, uint32_t offset) {
  struct person *p = ctx;
  struct gavel *g = p->side;
  if (g->n_copies < LOAD_COPIES_MAX)
    g->copy[g->n_copies++] = (struct heard_copy){offset, h->payload, h->payload_len};
}

static void on_audio(void *ctx, const struct rtp *h) {
  struct person *p = ctx;
  struct gavel *g = p->side;
  const struct load_room *r = p->room;
  struct heard x = {.seq = h->seq,
                    .ts = h->ts,
                    .marker = h->marker,
                    .as_said = h->n_csrc == 1, /* nobody else is in it: the talker's own */
                    .p = h->payload,
                    .n = h->payload_len,
                    .n_copies = g->n_copies};
  memcpy(x.copy, g->copy, sizeof x.copy);
  g->n_copies = 0;
  for (unsigned c = 0; c < h->n_csrc; c++)
    for (unsigned i = 0; i < r->n_speakers; i++)
      x.who |= h->csrc[c] == r->ids[i] ? 1U << i : 0;
  person_heard(p, &x);
}

static void on_state(void *ctx, bool up, enum err why, enum srtp_profile_id profile) {
  struct person *p = ctx;
  (void)profile;
  if (up)
    person_up(p);
  else
    person_fail(p, err_text(why));
}

static void open_path(struct person *p, const struct sdp *a) {
  struct gavel *g = p->side;
  struct path_io io = {.send = on_send, .audio = on_audio, .copy = on_copy, .state = on_state, .ctx = p};
  if (!person_connect(p, a)) {
    person_fail(p, a->n_cand ? "no UDP socket" : "the answer has no candidate");
    return;
  }
  g->path = path_create(p->load->dtls, rng_system(), p->ssrc, a, p->load->now, 0, &io);
  if (g->path)
    person_check(p, a, false);
  else
    person_fail(p, "the answer's fingerprint cannot be used");
}

static void reachable(struct person *p) {
  struct gavel *g = p->side;
  path_transport_up(g->path, p->load->now);
}

static void datagram(struct person *p, uint8_t *b, size_t n) {
  struct gavel *g = p->side;
  if (g->path)
    path_handle_packet(g->path, p->load->now, b, n);
}

static void say(struct person *p, const struct capture_packet *k) {
  struct gavel *g = p->side;
  path_send(g->path, p->load->now, k);
}

static us_t due(const struct person *p) {
  const struct gavel *g = p->side;
  return g->path ? path_next_timeout(g->path) : g->retry_at;
}

/* ---- signalling ---- */

static void request(struct person *p, unsigned id, const char *method, json_t *params) {
  struct gavel *g = p->side;
  char *text = rpc_request(id, method, params);
  if (!text)
    abort();
  wsc_send(g->ws, text);
  free(text);
}

static void on_opened(void *ctx) {
  struct person *p = ctx;
  const struct link *l = &p->room->link;
  char name[64], secret[48];
  struct sdp_local me = {
      .ufrag = p->ufrag, .pwd = p->pwd, .fingerprint = p->load->cert.sha256, .ssrc = p->ssrc};
  char *sdp = sdp_write_offer(&me);
  if (!sdp)
    abort();
  snprintf(name, sizeof name, "%s %u", p->speaks ? "Speaker" : "Listener", p->number + 1);
  json_t *j = json_pack("{s:s,s:s,s:s,s:s}", "room", l->room, "client", "gavel-load/" GAVEL_VERSION, "name",
                        name, "sdp", sdp);
  free(sdp);
  if (l->app[0])
    json_object_set_new(j, "app", json_string(l->app));
  if (l->has_secret) {
    b64url_encode(l->secret, sizeof l->secret, secret);
    json_object_set_new(j, "invite", json_string(secret));
  }
  request(p, 1, "room.join", j);
}

/* By a new connection, for the server has ended the old one. How long it takes counts from the first. */
static void come_again(struct person *p) {
  struct gavel *g = p->side;
  unsigned retries = g->retries;
  us_t began = p->began_at;
  free(g);
  p->side = NULL;
  person_begin(p);
  p->began_at = began;
  if ((g = p->side))
    g->retries = retries;
}

static void timeout(struct person *p) {
  struct gavel *g = p->side;
  if (g->path) {
    path_handle_timeout(g->path, p->load->now);
    return;
  }
  g->retry_at = US_NEVER;
  if (!g->ws) {
    come_again(p);
    return;
  }
  on_opened(p);
  const char *over = wsc_ready(g->ws);
  if (over)
    person_fail(p, over);
}

static void on_answer(struct person *p, struct peek sdp) {
  const struct gavel *g = p->side;
  struct sdp a;
  const char *why = NULL;
  char *text = peek_text(sdp);
  if (!text)
    person_fail(p, "the server had no answer to the offer");
  else if (g->path)
    ; /* we offered once */
  else if (sdp_parse(text, strlen(text), &a, &why) != ERR_OK)
    person_fail(p, why ? why : "the server's answer cannot be read");
  else
    open_path(p, &a);
  free(text);
}

static void on_joined(struct person *p, struct peek result) {
  uint32_t me = (uint32_t)peek_number(peek(result, "me"));
  if (p->speaks)
    p->room->ids[p->number] = me;
  if (!peek_is(peek(result, "state"), "joined"))
    return; /* in the lobby: the answer comes if somebody admits him */
  person_joined(p);
  if (p->load->cfg.kbps)
    request(p, 3, "media.bandwidth", json_pack("{s:i}", "kbps", (int)p->load->cfg.kbps));
  on_answer(p, peek(result, "sdp"));
}

/* Too many come at once: he asks again when he is told to, a little later than that. */
static void on_refused(struct person *p, struct peek error) {
  struct gavel *g = p->side;
  us_t wait = (us_t)peek_number(peek(peek(error, "data"), "retry_ms")) * US_PER_MS;
  if (wait > 0 && g->retries++ < RETRIES) {
    g->retry_at = p->load->now + wait + (us_t)rng_below(rng_system(), (uint64_t)wait / 4 + 1);
    p->load->retries++;
    return;
  }
  p->why_text = peek_text(peek(error, "message"));
  person_fail(p, "room.join was refused");
}

static void on_tier(struct person *p, struct peek params) {
  static const char *const TIERS[LOAD_TIERS] = {"full", "packed", "low", "min"};
  if (!peek_is(peek(params, "state"), "tier"))
    return;
  for (unsigned i = 0; i < LOAD_TIERS; i++)
    if (peek_is(peek(params, "tier"), TIERS[i]))
      p->tier = i;
}

static void on_text(void *ctx, const char *text, size_t n) {
  struct person *p = ctx;
  struct peek all = {text, n}, method = peek(all, "method"), params = peek(all, "params");
  p->load->text_bytes += n;
  if (peek_is(method, "answer"))
    on_answer(p, peek(params, "sdp"));
  else if (peek_is(method, "media"))
    on_tier(p, params);
  else if (peek_is(method, "bye")) {
    p->why_text = peek_text(peek(params, "text"));
    person_fail(p, "told to go");
  } else if (!method.p && peek_number(peek(all, "id")) == 1) {
    params = peek(all, "error");
    if (params.p)
      on_refused(p, params);
    else
      on_joined(p, peek(all, "result"));
  }
}

static bool begin(struct person *p, const char **why) {
  struct load *l = p->load;
  struct wsc_events ev = {on_opened, on_text, p};
  char host[300];
  struct gavel *g = calloc(1, sizeof *g);
  if (!g)
    abort();
  p->stream = stream_create(l->tls, &p->room->link, (struct sockaddr *)&l->server, l->server_len, why);
  if (!p->stream) {
    free(g);
    return false;
  }
  snprintf(host, sizeof host, "%s:%u", p->room->link.host, p->room->link.port);
  g->ws = wsc_create(p->stream, host, "/v1/ws", "gavel.1", &ev);
  g->retry_at = US_NEVER;
  p->side = g;
  return true;
}

static const char *ready(struct person *p) {
  struct gavel *g = p->side;
  const char *over = wsc_ready(g->ws);
  if (over && g->retry_at != US_NEVER) { /* he was told to come again */
    wsc_destroy(g->ws);
    g->ws = NULL;
    p->stream = NULL;
    return NULL;
  }
  if (over && !p->why_text && *wsc_goodbye(g->ws))
    p->why_text = strdup(wsc_goodbye(g->ws));
  return over;
}

static void leave(struct person *p) {
  struct gavel *g = p->side;
  wsc_send(g->ws, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"room.leave\"}");
}

static void drop(struct person *p) {
  struct gavel *g = p->side;
  wsc_destroy(g->ws);
  path_destroy(g->path);
  free(g);
}

const struct kind KIND_GAVEL = {.name = "gavel",
                                .tells = true,
                                .setup = setup,
                                .cleanup = cleanup,
                                .begin = begin,
                                .ready = ready,
                                .leave = leave,
                                .reachable = reachable,
                                .datagram = datagram,
                                .say = say,
                                .due = due,
                                .timeout = timeout,
                                .drop = drop};
