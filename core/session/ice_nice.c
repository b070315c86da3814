#include "core/session/ice_nice.h"

#include <agent.h>
#include <stdlib.h>
#include <string.h>

struct ice {
  NiceAgent *agent;
  guint stream;
  struct ice_events ev;
  bool up;
};

static void on_gathered(NiceAgent *agent, guint stream, gpointer user) {
  (void)agent;
  (void)stream;
  struct ice *i = user;
  i->ev.gathered(i->ev.ctx, clock_now());
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

static void destroy(struct ice *i) {
  g_signal_handlers_disconnect_by_data(i->agent, i);
  nice_agent_attach_recv(i->agent, i->stream, 1, NULL, NULL, NULL);
  nice_agent_remove_stream(i->agent, i->stream);
  g_object_unref(i->agent);
  free(i);
}

static struct ice *create(void *env, const struct ice_events *ev) {
  struct ice_nice_env *e = env;
  struct ice *i = calloc(1, sizeof *i);
  if (!i)
    return NULL;
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
  if (!i->stream || !nice_agent_gather_candidates(i->agent, i->stream)) {
    destroy(i);
    return NULL;
  }
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

struct ice_kind ice_nice_kind(struct ice_nice_env *env) {
  return (struct ice_kind){create, local, remote, send_packet, destroy, env};
}
