#include "core/session/ice_nice.h"

#include "core/session/turn_tls.h"

#include <agent.h>
#include <arpa/inet.h>
#include <interfaces.h>
#include <stdlib.h>
#include <string.h>

#define RELAY_START_MS 200
#define TURN_UDP_PREFERENCE 30 /* of the type, as libnice puts it into a priority; by TCP less */

struct ice {
  struct ice_nice_env *env; /* NULL when it is gone before the relays were told */
  struct ice *next;         /* in env->closing */
  NiceAgent *agent;
  guint stream;
  struct ice_events ev;
  bool gathered, up;
  struct ice_relays relays;
  GSource *turns; /* of the kinds of relays; NULL without relays */
  unsigned next_kind;
  struct turn_tls *hop[TURN_URIS_MAX];
  size_t n_hop;
};

static void on_gathered(NiceAgent *agent, guint stream, gpointer user) {
  (void)agent;
  (void)stream;
  struct ice *i = user;
  if (!i->gathered)
    i->ev.gathered(i->ev.ctx, clock_now());
  i->gathered = true;
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer user) {
  (void)agent;
  (void)stream;
  (void)component;
  struct ice *i = user;
  if ((state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY) && !i->up) {
    i->up = true;
    i->ev.up(i->ev.ctx, clock_now());
  } else if (state == NICE_COMPONENT_STATE_FAILED)
    i->ev.failed(i->ev.ctx, clock_now());
}

static void on_recv(NiceAgent *agent, guint stream, guint component, guint len, gchar *buf, gpointer user) {
  (void)agent;
  (void)stream;
  (void)component;
  struct ice *i = user;
  i->ev.packet(i->ev.ctx, clock_now(), (uint8_t *)buf, len);
}

static void release(struct ice *i) {
  nice_agent_remove_stream(i->agent, i->stream);
  g_object_unref(i->agent);
  for (size_t k = 0; k < i->n_hop; k++)
    turn_tls_destroy(i->hop[k]);
  if (i->turns)
    g_source_unref(i->turns);
  explicit_bzero(&i->relays, sizeof i->relays);
  free(i);
}

static void on_closed(GObject *agent, GAsyncResult *result, gpointer user) {
  (void)agent;
  (void)result;
  struct ice *i = user;
  for (struct ice **at = i->env ? &i->env->closing : NULL; at && *at; at = &(*at)->next)
    if (*at == i) {
      *at = i->next;
      break;
    }
  release(i);
}

static void ignore(NiceAgent *agent, guint stream, guint component, guint len, gchar *buf, gpointer user) {
  (void)agent, (void)stream, (void)component, (void)len, (void)buf, (void)user;
}

/* A relay keeps what it gave us for ten minutes, unless it is told; what is lost is not said often. */
static void destroy(struct ice *i) {
  g_signal_handlers_disconnect_by_data(i->agent, i);
  if (!i->turns) {
    nice_agent_attach_recv(i->agent, i->stream, 1, NULL, NULL, NULL);
    release(i);
    return;
  }
  g_source_destroy(i->turns);
  nice_agent_attach_recv(i->agent, i->stream, 1, i->env->context, ignore, NULL); /* for the relays' answers */
  i->next = i->env->closing;
  i->env->closing = i;
  g_object_set(i->agent, "stun-initial-timeout", 200, "stun-max-retransmissions", 2, "stun-reliable-timeout",
               600, NULL);
  nice_agent_close_async(i->agent, on_closed, i);
}

static gboolean tick(gpointer user) {
  (void)user;
  return G_SOURCE_CONTINUE;
}

void ice_nice_settle(struct ice_nice_env *e) {
  us_t until = clock_now() + US_PER_S;
  GSource *source = g_timeout_source_new(20); /* so that iterations end */
  g_source_set_callback(source, tick, NULL, NULL);
  g_source_attach(source, e->context);
  while (e->closing && clock_now() < until)
    g_main_context_iteration(e->context, TRUE);
  for (; e->closing; e->closing = e->closing->next)
    e->closing->env = NULL;
  g_source_destroy(source);
  g_source_unref(source);
}

/* Without any IPv4 address libnice connects to IPv6 addresses only. */
static int hop_family(const struct ice_nice_env *e) {
  bool v4 = e->loopback;
  GList *list = nice_interfaces_get_local_ips(FALSE);
  for (GList *at = list; at; at = at->next)
    v4 |= !strchr(at->data, ':');
  g_list_free_full(list, g_free);
  return v4 ? AF_INET : AF_INET6;
}

static void add_relay(struct ice *i, const struct turn_uri *u) {
  const char *host = u->host;
  guint port = u->port;
  if (u->kind == TURN_TLS) { /* libnice's own TURN/TLS is plain TCP */
    int family = hop_family(i->env);
    struct turn_tls *hop = turn_tls_create(i->env->context, family, u->host, u->port);
    if (!hop)
      return;
    i->hop[i->n_hop++] = hop;
    host = family == AF_INET ? "127.0.0.1" : "::1";
    port = turn_tls_port(hop);
  }
  (void)nice_agent_set_relay_info(i->agent, i->stream, 1, host, port, i->relays.user, i->relays.credential,
                                  u->kind == TURN_UDP ? NICE_RELAY_TYPE_TURN_UDP : NICE_RELAY_TYPE_TURN_TCP);
}

/* What libnice is told of last it prefers. False: there are no more. */
static bool add_next_kind(struct ice *i) {
  bool any = false;
  while (!any && i->next_kind <= TURN_TLS) {
    for (size_t k = i->relays.n; k-- > 0;)
      if (i->relays.uri[k].kind == i->next_kind) {
        add_relay(i, &i->relays.uri[k]);
        any = true;
      }
    i->next_kind++;
  }
  return any;
}

static gboolean on_turn(gpointer user) {
  struct ice *i = user;
  return !i->up && add_next_kind(i) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* The better kind of relay gets a start: the first pair that works is taken. */
static void begin_relays(struct ice *i) {
  (void)add_next_kind(i);
  i->turns = g_timeout_source_new(RELAY_START_MS);
  g_source_set_callback(i->turns, on_turn, i, NULL);
  g_source_attach(i->turns, i->env->context);
  g_object_set(i->agent, "force-relay", TRUE, NULL); /* else it waits for pairs that a wall swallows */
}

static struct ice *create(void *env, const struct ice_events *ev, const struct ice_relays *relays) {
  struct ice_nice_env *e = env;
  struct ice *i = calloc(1, sizeof *i);
  if (!i)
    return NULL;
  i->env = e;
  i->ev = *ev;
  /* Not libnice's consent freshness: two lost answers end a path that works. Consent (RFC 7675) is what
   * arrives authentic, reports at least: media.c ends a path that brought none for 24 s. */
  i->agent =
      nice_agent_new_full(e->context, NICE_COMPATIBILITY_RFC5245, NICE_AGENT_OPTION_REGULAR_NOMINATION);
  g_object_set(i->agent, "controlling-mode", TRUE, "upnp", FALSE, "ice-tcp", FALSE, "stun-pacing-timer", 5,
               NULL);
  if (e->loopback) { /* libnice leaves loopback out by itself; naming one address leaves the others out */
    NiceAddress a;
    nice_address_init(&a);
    nice_address_set_from_string(&a, "127.0.0.1");
    nice_agent_add_local_address(i->agent, &a);
  }
  i->stream = nice_agent_add_stream(i->agent, 1);
  nice_agent_attach_recv(i->agent, i->stream, 1, e->context, on_recv, i);
  g_signal_connect(i->agent, "candidate-gathering-done", G_CALLBACK(on_gathered), i);
  g_signal_connect(i->agent, "component-state-changed", G_CALLBACK(on_state), i);
  i->relays = *relays;
  if (i->stream && relays->n > 0)
    begin_relays(i);
  if (!i->stream || !nice_agent_gather_candidates(i->agent, i->stream)) {
    destroy(i);
    return NULL;
  }
  /* The server needs no candidates of ours, so that relays may be found while it is asked: a wall answers
   * late or never. */
  if (i->turns)
    on_gathered(i->agent, i->stream, i);
  return i;
}

static size_t local(struct ice *i, char ufrag[257], char pwd[257], struct sdp_candidate *out, size_t max) {
  gchar *u = NULL, *p = NULL;
  if (!nice_agent_get_local_credentials(i->agent, i->stream, &u, &p))
    return 0;
  g_strlcpy(ufrag, u, 257);
  g_strlcpy(pwd, p, 257);
  g_free(u);
  g_free(p);
  size_t n = 0;
  GSList *list = nice_agent_get_local_candidates(i->agent, i->stream, 1);
  for (GSList *at = list; at && n < max; at = at->next) {
    NiceCandidate *c = at->data;
    gchar *line = nice_agent_generate_local_candidate_sdp(i->agent, c);
    memset(&out[n], 0, sizeof out[n]);
    nice_address_to_string(&c->addr, out[n].address);
    out[n].port = (uint16_t)nice_address_get_port(&c->addr);
    out[n].udp = c->transport == NICE_CANDIDATE_TRANSPORT_UDP;
    out[n].host = c->type == NICE_CANDIDATE_TYPE_HOST;
    g_strlcpy(out[n].line, g_str_has_prefix(line, "a=") ? line + 2 : line, sizeof out[n].line);
    n++;
    g_free(line);
  }
  g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
  return n;
}

static void remote(struct ice *i, const struct sdp *answer) {
  nice_agent_set_remote_credentials(i->agent, i->stream, answer->ufrag, answer->pwd);
  GSList *list = NULL;
  for (size_t k = 0; k < answer->n_cand; k++) {
    char line[sizeof answer->cand[k].line + 2];
    g_snprintf(line, sizeof line, "a=%s", answer->cand[k].line);
    NiceCandidate *c = nice_agent_parse_remote_candidate_sdp(i->agent, i->stream, line);
    if (c)
      list = g_slist_append(list, c);
  }
  nice_agent_set_remote_candidates(i->agent, i->stream, 1, list);
  g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
}

static void send_packet(struct ice *i, const uint8_t *p, size_t n) {
  (void)nice_agent_send(i->agent, i->stream, 1, (guint)n, (const gchar *)p); /* lost packets are lost */
}

static const char *via(struct ice *i) {
  NiceCandidate *here, *there;
  NiceAddress relay;
  if (!nice_agent_get_selected_pair(i->agent, i->stream, 1, &here, &there) ||
      here->type != NICE_CANDIDATE_TYPE_RELAYED)
    return "udp";
  nice_candidate_relay_address(here, &relay);
  for (size_t k = 0; k < i->n_hop; k++)
    if (nice_address_get_port(&relay) == turn_tls_port(i->hop[k]))
      return "turn-tls";
  return here->priority >> 24 >= TURN_UDP_PREFERENCE ? "turn-udp" : "turn-tcp";
}

bool ice_nice_loopback(const char *host) {
  struct in_addr v4;
  struct in6_addr v6;
  return strcmp(host, "localhost") == 0 ||
         (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127) ||
         (inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

struct ice_kind ice_nice_kind(struct ice_nice_env *env) {
  return (struct ice_kind){create, local, remote, send_packet, via, destroy, env};
}
