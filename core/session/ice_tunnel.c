#include "core/session/ice_tunnel.h"

#include "core/session/check.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_US (250 * US_PER_MS) /* until the first answer */
#define KEEP_US (10 * US_PER_S)    /* after it: the session checks what carries its sound more often */
#define FAIL_US (8 * US_PER_S)
#define PRIORITY 1 /* any other way is better */

struct ice {
  struct ice_tunnel_env *env;
  struct ice_events ev;
  struct check check;
  char ufrag[9], pwd[25];
  char remote_ufrag[257], remote_pwd[257];
  bool gathered, remote, up, failed;
  us_t next, give_up;
};

static struct ice *create(void *env, const struct ice_events *ev, const struct ice_relays *relays) {
  (void)relays;
  struct ice_tunnel_env *e = env;
  struct ice *i = calloc(1, sizeof *i);
  if (!i)
    return NULL;
  i->env = e;
  i->ev = *ev;
  rng_token(e->rng, i->ufrag, 8);
  rng_token(e->rng, i->pwd, 24);
  i->give_up = US_NEVER;
  e->agent = i;
  return i;
}

static size_t local(struct ice *i, char ufrag[257], char pwd[257], struct sdp_candidate *out, size_t max) {
  (void)out;
  (void)max;
  snprintf(ufrag, 257, "%s", i->ufrag);
  snprintf(pwd, 257, "%s", i->pwd);
  return 0;
}

static void remote(struct ice *i, const struct sdp *answer) {
  snprintf(i->remote_ufrag, sizeof i->remote_ufrag, "%s", answer->ufrag);
  snprintf(i->remote_pwd, sizeof i->remote_pwd, "%s", answer->pwd);
  i->remote = true;
  i->next = 0;
}

static void send_packet(struct ice *i, const uint8_t *p, size_t n) {
  i->env->send(i->env->ctx, p, n);
}

static const char *via(struct ice *i) {
  (void)i;
  return "tunnel";
}

static void destroy(struct ice *i) {
  if (i->env->agent == i)
    i->env->agent = NULL;
  free(i);
}

struct ice_kind ice_tunnel_kind(struct ice_tunnel_env *env) {
  return (struct ice_kind){create, local, remote, send_packet, via, destroy, env};
}

static void ask(struct ice *i, us_t now) {
  uint8_t buf[STUN_MAX];
  struct check_names who = {i->remote_ufrag, i->remote_pwd, i->ufrag};
  size_t n = check_build(&i->check, i->env->rng, &who, PRIORITY, buf);
  if (n)
    send_packet(i, buf, n);
  i->next = now + (i->up ? KEEP_US : CHECK_US);
  if (i->give_up == US_NEVER)
    i->give_up = now + FAIL_US;
}

void ice_tunnel_packet(struct ice_tunnel_env *env, us_t now, uint8_t *p, size_t n) {
  struct ice *i = env->agent;
  if (!i || !i->remote)
    return;
  if (!stun_looks_like(p, n) || !check_answered(&i->check, i->remote_pwd, p, n)) {
    i->ev.packet(i->ev.ctx, now, p, n); /* checks of the session's own, too */
    return;
  }
  i->give_up = now + FAIL_US + KEEP_US;
  if (i->up)
    return;
  i->up = true;
  i->next = now + KEEP_US;
  i->ev.up(i->ev.ctx, now);
}

us_t ice_tunnel_due(const struct ice_tunnel_env *env) {
  const struct ice *i = env->agent;
  if (!i || i->failed)
    return US_NEVER;
  if (!i->gathered)
    return 0;
  if (!i->remote)
    return US_NEVER;
  return i->next < i->give_up ? i->next : i->give_up;
}

void ice_tunnel_timeout(struct ice_tunnel_env *env, us_t now) {
  struct ice *i = env->agent;
  if (ice_tunnel_due(env) > now)
    return;
  assert(i);
  if (!i->gathered) {
    i->gathered = true;
    i->ev.gathered(i->ev.ctx, now);
  } else if (i->give_up <= now) {
    i->failed = true;
    i->ev.failed(i->ev.ctx, now);
  } else
    ask(i, now);
}
