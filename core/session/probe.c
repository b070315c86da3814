#include "core/session/probe.h"

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/media/emodel.h"
#include "core/media/ladder.h"
#include "core/session/ice_nice.h"
#include "core/session/relays.h"
#include "core/session/ws_client.h"
#include "core/wire/json.h"
#include "core/wire/stun.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_US (10 * US_PER_S)
#define SPACING_US (20 * US_PER_MS)
#define LATE_US US_PER_S /* an answer later than that is of no use to sound */
#define RELAY_US (5 * US_PER_S)

/* ---- the name ---- */

static void look_up(const char *host, struct probe *out) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
  us_t began = clock_now();
  if (getaddrinfo(host, NULL, &hints, &list) == 0)
    for (const struct addrinfo *a = list; a && out->n_addresses < PROBE_ADDRESSES_MAX; a = a->ai_next)
      if (getnameinfo(a->ai_addr, a->ai_addrlen, out->address[out->n_addresses], sizeof out->address[0], NULL,
                      0, NI_NUMERICHOST) == 0)
        out->n_addresses++;
  if (list)
    freeaddrinfo(list);
  out->lookup_ms = (unsigned)((clock_now() - began) / US_PER_MS);
}

/* ---- signalling ---- */

/* The next event of that kind; anything else before it is dropped. False: it was closed, or took too long. */
static bool next_event(struct ws_client *w, int kind, struct ws_event *ev) {
  us_t until = clock_now() + CONNECT_US;
  for (us_t now; (now = clock_now()) < until;) {
    struct pollfd p = {.fd = ws_client_fd(w), .events = POLLIN};
    (void)poll(&p, 1, (int)((until - now) / US_PER_MS) + 1);
    while (ws_client_poll(w, ev)) {
      if ((int)ev->kind == kind)
        return true;
      if (ev->kind == WS_CLOSED)
        return false;
      free(ev->text);
    }
  }
  *ev = (struct ws_event){.kind = WS_CLOSED, .why = ERR_CONNECT};
  return false;
}

static bool connect_to(struct ws_client *w, struct probe *out) {
  struct ws_event ev;
  us_t began = clock_now();
  ws_client_connect(w);
  bool up = next_event(w, WS_OPENED, &ev);
  out->connect_ms = (unsigned)((clock_now() - began) / US_PER_MS);
  out->connected = up ? ERR_OK : ev.why;
  if (up) {
    out->tls = ev.text;
    return true;
  }
  snprintf(out->why, sizeof out->why, "%s", ev.text && ev.why != ERR_CERT ? ev.text : err_text(ev.why));
  free(ev.text);
  return false;
}

/* What we say of ourselves: the checks need names, the rest is never used. */
struct me {
  char ufrag[9], pwd[25];
};

static char *request(const struct link *l, const char *token, struct me *me) {
  uint8_t nobody[32];
  char secret[48] = "";
  rng_token(rng_system(), me->ufrag, 8);
  rng_token(rng_system(), me->pwd, 24);
  rng_system()->fill(rng_system(), nobody, sizeof nobody);
  char *sdp = sdp_write_offer(
      &(struct sdp_local){.ufrag = me->ufrag, .pwd = me->pwd, .fingerprint = nobody, .ssrc = 1});
  json_t *p = json_pack("{s:s,s:s}", "room", l->room, "sdp", sdp ? sdp : "");
  free(sdp);
  if (l->app[0])
    json_object_set_new(p, "app", json_string(l->app));
  if (token)
    json_object_set_new(p, "token", json_string(token));
  else if (l->has_secret) {
    b64url_encode(l->secret, sizeof l->secret, secret);
    json_object_set_new(p, "invite", json_string(secret));
    explicit_bzero(secret, sizeof secret);
  }
  return rpc_request(1, "media.probe", p);
}

/* The server's answer: where to, by which names, which relays. */
static bool ask(struct ws_client *w, const struct link *l, const char *token, struct me *me,
                struct sdp *answer, struct ice_relays *relays, struct probe *out) {
  struct ws_event ev;
  struct rpc_in in;
  ws_client_send(w, request(l, token, me));
  if (!next_event(w, WS_MESSAGE, &ev) || rpc_parse(ev.text, ev.n, true, &in) != ERR_OK) {
    free(ev.text);
    out->admitted = ERR_PROTOCOL;
    return false;
  }
  const char *sdp = in.kind == RPC_RESULT ? json_str(in.result, "sdp", "") : "";
  const json_t *ice = in.kind == RPC_RESULT ? json_object_get(in.result, "ice") : NULL;
  out->admitted = in.kind == RPC_ERROR ? in.error : sdp_parse(sdp, strlen(sdp), answer, NULL);
  if (out->admitted != ERR_OK)
    snprintf(out->why, sizeof out->why, "%s",
             in.message && in.kind == RPC_ERROR ? in.message : err_text(out->admitted));
  relays_read(ice, relays);
  json_decref(in.root);
  free(ev.text);
  return out->admitted == ERR_OK;
}

/* ---- checks to the media ports ---- */

struct aim {
  struct probe_port *port;
  int fd;
  us_t sent[PROBE_CHECKS], rtt[PROBE_CHECKS]; /* rtt 0: no answer */
};

static bool aim_open(struct aim *a, const struct sdp_candidate *c) {
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(c->port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(c->port)};
  bool is_v6 = inet_pton(AF_INET6, c->address, &v6.sin6_addr) == 1;
  if (!is_v6 && inet_pton(AF_INET, c->address, &v4.sin_addr) != 1)
    return false;
  a->fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool ok = a->fd >= 0 && connect(a->fd, is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
                                  is_v6 ? sizeof v6 : sizeof v4) == 0;
  if (!ok && a->fd >= 0)
    close(a->fd);
  if (!ok)
    return false; /* no way there from here, as to IPv6 without IPv6 */
  snprintf(a->port->address, sizeof a->port->address, "%s", c->address);
  a->port->port = c->port;
  return true;
}

static void aim_send(struct aim *a, const struct sdp *answer, const char *user, unsigned i) {
  uint8_t out[STUN_MAX], tid[12] = {'g', 'v', 'd', 'r', (uint8_t)i};
  size_t n = stun_build_request(out, sizeof out, tid, user, answer->pwd, true, 1, 1, false);
  a->sent[i] = clock_now();
  a->port->sent++;
  (void)send(a->fd, out, n, 0); /* what does not leave is lost */
}

static void aim_receive(struct aim *a, const struct sdp *answer) {
  uint8_t in[1500];
  ssize_t n;
  struct stun s;
  while ((n = recv(a->fd, in, sizeof in, 0)) > 0) {
    if (stun_parse(in, (size_t)n, &s) != ERR_OK || !s.success || !stun_check(in, (size_t)n, &s, answer->pwd))
      continue;
    unsigned i = s.tid[4];
    if (memcmp(s.tid, "gvdr", 4) == 0 && i < PROBE_CHECKS && a->sent[i] && !a->rtt[i])
      a->rtt[i] = clock_now() - a->sent[i];
  }
}

static int by_size(const void *x, const void *y) {
  us_t a = *(const us_t *)x, b = *(const us_t *)y;
  return (a > b) - (a < b);
}

static void aim_sum(struct aim *a) {
  us_t sorted[PROBE_CHECKS], last = 0, changes = 0;
  unsigned n = 0;
  for (unsigned i = 0; i < PROBE_CHECKS; i++)
    if (a->rtt[i] && a->rtt[i] < LATE_US) {
      changes += n == 0 ? 0 : a->rtt[i] > last ? a->rtt[i] - last : last - a->rtt[i];
      last = sorted[n++] = a->rtt[i];
    }
  a->port->answered = n;
  if (n == 0)
    return;
  qsort(sorted, n, sizeof sorted[0], by_size);
  a->port->rtt_ms = (unsigned)((sorted[n / 2] + US_PER_MS / 2) / US_PER_MS);
  a->port->jitter_ms = n > 1 ? (unsigned)((changes / (n - 1) + US_PER_MS / 2) / US_PER_MS) : 0;
}

/* Until `until` read what comes. */
static void listen_until(struct aim *v, size_t n, const struct sdp *answer, us_t until) {
  struct pollfd p[PROBE_PORTS_MAX];
  for (us_t now; (now = clock_now()) < until;) {
    for (size_t i = 0; i < n; i++)
      p[i] = (struct pollfd){.fd = v[i].fd, .events = POLLIN};
    struct timespec wait = {.tv_sec = (until - now) / US_PER_S, .tv_nsec = (until - now) % US_PER_S * 1000};
    (void)ppoll(p, n, &wait, NULL);
    for (size_t i = 0; i < n; i++)
      aim_receive(&v[i], answer);
  }
}

static void check_ports(const struct sdp *answer, const struct me *me, struct probe *out) {
  struct aim *v = calloc(PROBE_PORTS_MAX, sizeof *v);
  char user[sizeof answer->ufrag + sizeof me->ufrag + 1];
  if (!v)
    abort();
  snprintf(user, sizeof user, "%s:%s", answer->ufrag, me->ufrag);
  for (size_t i = 0; i < answer->n_cand && out->n_ports < PROBE_PORTS_MAX; i++) {
    v[out->n_ports].port = &out->port[out->n_ports];
    out->n_ports += answer->cand[i].udp && aim_open(&v[out->n_ports], &answer->cand[i]);
  }
  us_t next = clock_now();
  for (unsigned k = 0; out->n_ports > 0 && k < PROBE_CHECKS; k++) {
    for (size_t i = 0; i < out->n_ports; i++)
      aim_send(&v[i], answer, user, k);
    listen_until(v, out->n_ports, answer, next += SPACING_US);
  }
  listen_until(v, out->n_ports, answer, next + LATE_US);
  for (size_t i = 0; i < out->n_ports; i++) {
    aim_sum(&v[i]);
    close(v[i].fd);
  }
  free(v);
}

/* ---- relays: one that gives an address works ---- */

static void nothing(void *ctx, us_t now) {
  (void)ctx, (void)now;
}
static void no_packet(void *ctx, us_t now, uint8_t *p, size_t n) {
  (void)ctx, (void)now, (void)p, (void)n;
}

static bool has_relay(const struct ice_kind *kind, struct ice *agent) {
  char ufrag[257], pwd[257];
  struct sdp_candidate c[SDP_CANDIDATES_MAX];
  size_t n = kind->local(agent, ufrag, pwd, c, SDP_CANDIDATES_MAX);
  for (size_t i = 0; i < n; i++)
    if (strstr(c[i].line, " typ relay"))
      return true;
  return false;
}

static gboolean tick(gpointer user) {
  (void)user;
  return G_SOURCE_CONTINUE;
}

static void try_relay(GMainContext *context, const struct ice_relays *all, size_t i, bool loopback,
                      struct probe_relay *out) {
  struct ice_relays one = *all;
  struct ice_nice_env env = {.context = context, .loopback = loopback};
  struct ice_kind kind = ice_nice_kind(&env);
  struct ice_events ev = {.gathered = nothing, .up = nothing, .failed = nothing, .packet = no_packet};
  one.uri[0] = out->uri = all->uri[i];
  one.n = 1;
  us_t began = clock_now();
  struct ice *agent = kind.create(kind.env, &ev, &one);
  while (agent && !out->works && clock_now() - began < RELAY_US) {
    g_main_context_iteration(context, TRUE);
    out->works = has_relay(&kind, agent);
  }
  out->ms = (unsigned)((clock_now() - began) / US_PER_MS);
  if (agent)
    kind.destroy(agent);
  ice_nice_settle(&env);
  explicit_bzero(&one, sizeof one);
}

static void try_relays(const struct ice_relays *all, const char *host, struct probe *out) {
  if (all->n == 0)
    return;
  GMainContext *context = g_main_context_new();
  GSource *source = g_timeout_source_new(20);
  g_source_set_callback(source, tick, NULL, NULL);
  g_source_attach(source, context);
  g_main_context_push_thread_default(context);
  bool loopback = ice_nice_loopback(host);
  for (size_t i = 0; i < all->n; i++)
    try_relay(context, all, i, loopback, &out->relay[out->n_relays++]);
  g_main_context_pop_thread_default(context);
  g_source_destroy(source);
  g_source_unref(source);
  g_main_context_unref(context);
}

/* ---- what it means ---- */

#define OTHER_DELAY_MS 60 /* coding, de-jitter and both sound cards, roughly */
#define LOSS_COPIED 2     /* percent from which the ladder sends copies */

unsigned probe_loss(const struct probe_port *p) {
  return p->sent ? (p->sent - p->answered) * 100 / p->sent : 100;
}

void probe_expect(const struct probe *p, struct probe_expectation *out) {
  const struct probe_port *best = NULL;
  bool relay = false;
  for (size_t i = 0; i < p->n_ports; i++)
    if (p->port[i].answered && (!best || probe_loss(&p->port[i]) < probe_loss(best)))
      best = &p->port[i];
  for (size_t i = 0; i < p->n_relays; i++)
    relay |= p->relay[i].works;
  *out = (struct probe_expectation){.via = best ? "udp" : relay ? "turn" : "tunnel"};
  if (!best)
    return;
  const struct tier_info *tier = tier_info(TIER_FULL);
  double loss = probe_loss(best);
  out->tier = tier->name;
  out->copies = loss >= LOSS_COPIED;
  out->kbps = (unsigned)tier->wire_kbps * (out->copies ? 2 : 1);
  struct emodel_in in = {.heard_loss_pct = out->copies ? loss * loss / 100 : loss, /* both lost, at random */
                         .burst_ratio = 1,
                         .delay_ms = OTHER_DELAY_MS + best->rtt_ms / 2.0 + 2.0 * best->jitter_ms,
                         .bitrate = tier->bitrate};
  out->mos_tenths = emodel_mos(emodel_r(&in));
}

/* ---- all of it ---- */

void probe_run(const struct link *l, const char *token, struct probe *out) {
  struct sdp *answer = calloc(1, sizeof *answer);
  struct ice_relays *relays = calloc(1, sizeof *relays);
  struct me me;
  *out = (struct probe){.admitted = ERR_CONNECT};
  if (!answer || !relays)
    abort();
  look_up(l->host, out);
  struct ws_client *w = ws_client_create(l);
  if (!w) {
    out->connected = ERR_NOMEM;
    snprintf(out->why, sizeof out->why, "%s", err_text(ERR_NOMEM));
  } else if (connect_to(w, out) && ask(w, l, token, &me, answer, relays, out)) {
    check_ports(answer, &me, out);
    try_relays(relays, l->host, out);
  }
  ws_client_destroy(w);
  explicit_bzero(relays, sizeof *relays);
  free(relays);
  free(answer);
}

void probe_free(struct probe *p) {
  free(p->tls);
  p->tls = NULL;
}
