#include "core/session/check.h"

#include <stdio.h>
#include <string.h>

size_t check_build(struct check *k, struct rng *rng, const struct check_names *who, uint32_t priority,
                   uint8_t out[STUN_MAX]) {
  char name[520];
  if (!k->tie_breaker)
    k->tie_breaker = rng_u64(rng) | 1;
  uint8_t *tid = k->tid[k->n++ % CHECK_TIDS];
  rng->fill(rng, tid, 12);
  int len = snprintf(name, sizeof name, "%s:%s", who->theirs, who->ours);
  if (len < 0 || (size_t)len >= sizeof name)
    return 0;
  return stun_build_request(out, STUN_MAX, tid, name, who->pwd, true, k->tie_breaker, priority, true);
}

bool check_answered(const struct check *k, const char *pwd, const uint8_t *p, size_t n) {
  struct stun s;
  if (stun_parse(p, n, &s) != ERR_OK || !s.success || !stun_check(p, n, &s, pwd))
    return false;
  for (unsigned i = 0; i < CHECK_TIDS && i < k->n; i++)
    if (memcmp(k->tid[i], s.tid, sizeof s.tid) == 0)
      return true;
  return false;
}
