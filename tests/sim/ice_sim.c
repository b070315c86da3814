#include "tests/sim/ice_sim.h"

#include "core/wire/stun.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PORT 20000
#define CHECK_US (100 * US_PER_MS)
#define CONSENT_US (2 * US_PER_S)
#define FAIL_US (8 * US_PER_S)
#define PRIORITY 0x7e0000ff
#define TIDS 8

struct ice {
  struct ice_sim_env *env;
  struct ice_events ev;
  struct sockaddr_in local;
  char ufrag[9], pwd[25];
  char remote_ufrag[257], remote_pwd[257];
  bool gathered, remote, up, failed;
  uint8_t tid[TIDS][12]; /* of the checks sent last */
  unsigned n_tid;
  uint64_t tie_breaker;
  us_t next, give_up; /* check, failure */
};

static struct ice *create(void *env, const struct ice_events *ev, const struct ice_relays *relays) {
  (void)relays;
  struct ice_sim_env *e = env;
  struct ice *i = calloc(1, sizeof *i);
  if (!i)
    abort();
  i->env = e;
  i->ev = *ev;
  i->local = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(e->ip)};
  i->local.sin_port = htons((uint16_t)(FIRST_PORT + ++e->last_port));
  rng_token(e->rng, i->ufrag, 8);
  rng_token(e->rng, i->pwd, 24);
  i->tie_breaker = rng_u64(e->rng);
  i->give_up = US_NEVER;
  e->agent = i;
  return i;
}

static size_t local(struct ice *i, char ufrag[257], char pwd[257], struct sdp_candidate *out, size_t max) {
  if (max == 0)
    return 0;
  snprintf(ufrag, 257, "%s", i->ufrag);
  snprintf(pwd, 257, "%s", i->pwd);
  *out = (struct sdp_candidate){.port = ntohs(i->local.sin_port), .udp = true, .host = true};
  inet_ntop(AF_INET, &i->local.sin_addr, out->address, sizeof out->address);
  snprintf(out->line, sizeof out->line, "candidate:1 1 udp 2130706431 %.40s %u typ host", out->address,
           out->port);
  return 1;
}

static void remote(struct ice *i, const struct sdp *answer) {
  snprintf(i->remote_ufrag, sizeof i->remote_ufrag, "%s", answer->ufrag);
  snprintf(i->remote_pwd, sizeof i->remote_pwd, "%s", answer->pwd);
  i->remote = true;
  i->next = 0;
}

static void send_packet(struct ice *i, const uint8_t *p, size_t n) {
  i->env->send(i->env->ctx, &i->local, p, n);
}

static const char *via(struct ice *i) {
  (void)i;
  return "udp";
}

static void destroy(struct ice *i) {
  if (i->env->agent == i)
    i->env->agent = NULL;
  free(i);
}

struct ice_kind ice_sim_kind(struct ice_sim_env *env) {
  return (struct ice_kind){create, local, remote, send_packet, via, destroy, env};
}

static void check(struct ice *i, us_t now) {
  uint8_t buf[STUN_MAX];
  char name[520];
  uint8_t *tid = i->tid[i->n_tid++ % TIDS];
  i->env->rng->fill(i->env->rng, tid, 12);
  snprintf(name, sizeof name, "%.250s:%s", i->remote_ufrag, i->ufrag);
  size_t n =
      stun_build_request(buf, sizeof buf, tid, name, i->remote_pwd, true, i->tie_breaker, PRIORITY, true);
  if (n)
    send_packet(i, buf, n);
  i->next = now + (i->up ? CONSENT_US : CHECK_US);
  if (i->give_up == US_NEVER)
    i->give_up = now + FAIL_US;
}

/* What was not asked by us is the session's own check: as libnice, we hand it on. */
static void take_stun(struct ice *i, us_t now, uint8_t *p, size_t n) {
  struct stun s;
  if (stun_parse(p, n, &s) != ERR_OK || !s.success || !stun_check(p, n, &s, i->remote_pwd))
    return;
  bool asked = false;
  for (unsigned k = 0; k < TIDS && k < i->n_tid; k++)
    asked |= memcmp(i->tid[k], s.tid, 12) == 0;
  if (!asked) {
    i->ev.packet(i->ev.ctx, now, p, n);
    return;
  }
  i->give_up = now + FAIL_US;
  if (i->up)
    return;
  i->up = true;
  i->next = now + CONSENT_US;
  i->ev.up(i->ev.ctx, now);
}

void ice_sim_packet(struct ice_sim_env *env, us_t now, const struct sockaddr_in *to, uint8_t *p, size_t n) {
  struct ice *i = env->agent;
  if (!i || i->local.sin_port != to->sin_port)
    return;
  if (stun_looks_like(p, n))
    take_stun(i, now, p, n);
  else
    i->ev.packet(i->ev.ctx, now, p, n);
}

us_t ice_sim_due(const struct ice_sim_env *env) {
  const struct ice *i = env->agent;
  if (!i || i->failed)
    return US_NEVER;
  if (!i->gathered)
    return 0;
  if (!i->remote)
    return US_NEVER;
  return i->next < i->give_up ? i->next : i->give_up;
}

void ice_sim_timeout(struct ice_sim_env *env, us_t now) {
  struct ice *i = env->agent;
  if (ice_sim_due(env) > now)
    return;
  if (!i->gathered) {
    i->gathered = true;
    i->ev.gathered(i->ev.ctx, now);
  } else if (i->give_up <= now) {
    i->failed = true;
    i->ev.failed(i->ev.ctx, now);
  } else
    check(i, now);
}
