/* doctor_network.c: what a probe of the network means for a call. */
#include "tui/doctor.h"

#include <stdio.h>
#include <string.h>

#define RTT_MUCH_MS 400
#define LOSS_MUCH_PCT 5
#define JITTER_MUCH_MS 40

static void name(struct doctor *d, const struct link *l, const struct probe *p) {
  char all[200] = "";
  for (size_t i = 0; i < p->n_addresses; i++)
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", p->address[i]);
  if (p->n_addresses == 0)
    doctor_add(d, "name", DOCTOR_FAIL, "check the spelling of the link, and your name server", NULL,
               "%.200s is not found", l->host);
  else if (strcmp(l->host, p->address[0]) != 0) /* an address needs no name server */
    doctor_add(d, "name", DOCTOR_OK, NULL, json_pack("{s:i}", "lookup_ms", (int)p->lookup_ms),
               "%.80s is %.150s, found in %u ms", l->host, all, p->lookup_ms);
}

/* One line of what the connection is, after its label. */
static void tls_line(const char *lines, const char *label, char out[80]) {
  const char *at = strstr(lines ? lines : "", label);
  out[0] = '\0';
  if (!at)
    return;
  at += strlen(label);
  at += strspn(at, " ");
  snprintf(out, 80, "%.*s", (int)strcspn(at, "\n"), at);
}

static void signalling(struct doctor *d, const struct link *l, const struct probe *p) {
  char version[80], checked[80];
  json_t *figures = json_pack("{s:i,s:s}", "connect_ms", (int)p->connect_ms, "code", err_code(p->connected));
  tls_line(p->tls, "signalling", version);
  tls_line(p->tls, "checked by", checked);
  if (p->connected == ERR_OK)
    doctor_add(d, "signalling", p->connect_ms > 2000 ? DOCTOR_WARN : DOCTOR_OK,
               p->connect_ms > 2000 ? "the line is slow: joining takes that long too" : NULL, figures,
               "connected to port %u in %u ms%s%s%s%s", l->port, p->connect_ms, *version ? ", " : "", version,
               *checked ? ", certificate checked by " : "", checked);
  else if (p->connected == ERR_CERT)
    doctor_add(
        d, "signalling", DOCTOR_FAIL,
        "do not go on: ask the host for a fresh link, or something between you and the server reads along",
        figures, "%s", p->why);
  else
    doctor_add(d, "signalling", DOCTOR_FAIL,
               "is the server up, and does your network let TCP through to that port?", figures,
               "port %u does not answer: %s", l->port, *p->why ? p->why : err_text(p->connected));
}

static void admitted(struct doctor *d, const struct probe *p) {
  if (p->connected != ERR_OK)
    return;
  json_t *figures = json_pack("{s:s}", "code", err_code(p->admitted));
  if (p->admitted == ERR_OK)
    doctor_add(d, "invite", DOCTOR_OK, NULL, figures, "the link is good");
  else if (p->admitted == ERR_BAD_METHOD)
    doctor_add(d, "invite", DOCTOR_NOTE, "the media path can only be tried by joining", figures,
               "this server is older than this check");
  else if (p->admitted == ERR_AGAIN || p->admitted == ERR_RATE)
    doctor_add(d, "invite", DOCTOR_WARN, "try again in a minute", figures, "%s",
               *p->why ? p->why : err_text(p->admitted));
  else
    doctor_add(d, "invite", DOCTOR_FAIL, "ask the host for a fresh link", figures, "%s",
               *p->why ? p->why : err_text(p->admitted));
}

static void port(struct doctor *d, const struct probe_port *p) {
  unsigned loss = probe_loss(p);
  json_t *figures = json_pack("{s:s,s:i,s:i,s:i,s:i}", "address", p->address, "port", p->port, "loss_percent",
                              (int)loss, "rtt_ms", (int)p->rtt_ms, "jitter_ms", (int)p->jitter_ms);
  bool much = loss > LOSS_MUCH_PCT || p->rtt_ms > RTT_MUCH_MS || p->jitter_ms > JITTER_MUCH_MS;
  if (p->answered == 0)
    doctor_add(d, "udp", DOCTOR_WARN, "a wall stops UDP to that port: sound will take a detour", figures,
               "%s port %u does not answer", p->address, p->port);
  else
    doctor_add(d, "udp", much ? DOCTOR_WARN : DOCTOR_OK,
               !much ? NULL
               : loss > LOSS_MUCH_PCT
                   ? "a cable instead of wireless helps; --bandwidth 16k leaves room for repair"
               : p->rtt_ms > RTT_MUCH_MS ? "people will talk over each other: let a host give the floor"
                                         : "the line is uneven: stop downloads that share it",
               figures, "%s port %u: %u of %u answered, %u ms there and back, jitter %u ms", p->address,
               p->port, p->answered, p->sent, p->rtt_ms, p->jitter_ms);
}

static void relays(struct doctor *d, const struct probe *p) {
  for (size_t i = 0; i < p->n_relays; i++) {
    char uri[TURN_URI_MAX];
    const struct probe_relay *r = &p->relay[i];
    turn_uri_format(&r->uri, uri);
    json_t *figures = json_pack("{s:s,s:b,s:i}", "uri", uri, "works", r->works, "ms", (int)r->ms);
    if (r->works)
      doctor_add(d, "turn", DOCTOR_OK, NULL, figures, "%.250s gives a relay in %u ms", uri, r->ms);
    else
      doctor_add(d, "turn", DOCTOR_WARN, "only matters where UDP does not get through", figures,
                 "%.250s does not answer", uri);
  }
  if (p->n_relays == 0 && p->admitted == ERR_OK)
    doctor_add(d, "turn", DOCTOR_NOTE, NULL, NULL, "the server names no relay");
}

static void expect(struct doctor *d, const struct probe *p) {
  struct probe_expectation e;
  if (p->admitted != ERR_OK)
    return;
  probe_expect(p, &e);
  if (!e.tier) {
    bool relay = strcmp(e.via, "turn") == 0;
    doctor_add(d, "expect", DOCTOR_NOTE, NULL, json_pack("{s:s}", "via", e.via), "%s",
               relay ? "sound through a relay"
                     : "sound inside the signalling connection: with more delay where packets are lost");
    return;
  }
  doctor_add(d, "expect", DOCTOR_NOTE, NULL,
             json_pack("{s:s,s:s,s:i,s:i}", "via", e.via, "tier", e.tier, "kbps", (int)e.kbps, "mos_tenths",
                       e.mos_tenths),
             "sound directly by UDP, tier %s%s, %u kb/s each way while somebody speaks, MOS %u.%u of 4.5",
             e.tier, e.copies ? " with copies against loss" : "", e.kbps, e.mos_tenths / 10U,
             e.mos_tenths % 10U);
}

void doctor_network(struct doctor *d, const struct link *l, const struct probe *p) {
  name(d, l, p);
  if (p->n_addresses == 0)
    return;
  signalling(d, l, p);
  admitted(d, p);
  for (size_t i = 0; i < p->n_ports; i++)
    port(d, &p->port[i]);
  relays(d, p);
  expect(d, p);
}
