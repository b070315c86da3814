#include "core/media/nack.h"

#include <assert.h>
#include <string.h>

#define ANEW 500                    /* a larger step of the number is another stream */
#define HELPS_US (20 * US_PER_S)    /* answers are expected so long after one */
#define SAVED_US (1000 * US_PER_MS) /* so much of the rate may be used at once */
#define MARGIN_MS 20

static void drop(struct nack *k, unsigned i) {
  k->n--;
  memmove(&k->missing[i], &k->missing[i + 1], (k->n - i) * sizeof k->missing[0]);
}

static void note(struct nack *k, us_t now, uint16_t seq) {
  if (k->n == NACK_MISSING)
    drop(k, 0);
  k->missing[k->n++] = (struct nack_missing){.noted = now, .due = now + NACK_GRACE_US, .seq = seq};
}

/* What was missing is here. */
static bool found(struct nack *k, us_t now, uint16_t seq, bool copy, unsigned rtt_ms) {
  for (unsigned i = 0; i < k->n; i++) {
    const struct nack_missing *m = &k->missing[i];
    if (m->seq != seq)
      continue;
    bool answer = !copy && m->times > 0 && now - m->noted >= NACK_GRACE_US + (us_t)rtt_ms * US_PER_MS * 3 / 4;
    if (!copy && now - m->noted >= NACK_GRACE_US) /* also when it was the server that had to ask for it */
      k->helped = now;
    drop(k, i);
    return answer;
  }
  return false;
}

bool nack_received(struct nack *k, us_t now, uint16_t seq, bool copy, unsigned rtt_ms) {
  int ahead = (int16_t)(uint16_t)(seq - k->high);
  k->fresh = 0;
  if (!k->started || ahead > ANEW || ahead < -ANEW) {
    k->started = true;
    k->high = seq;
    k->n = 0;
    return false;
  }
  if (ahead <= 0)
    return found(k, now, seq, copy, rtt_ms);
  for (int back = ahead - 1 < NACK_MISSING ? ahead - 1 : NACK_MISSING; back > 0; back--) {
    note(k, now, (uint16_t)(seq - back));
    k->fresh++;
  }
  k->high = seq;
  return false;
}

us_t nack_next(const struct nack *k) {
  us_t due = US_NEVER;
  for (unsigned i = 0; i < k->n; i++)
    due = k->missing[i].due < due ? k->missing[i].due : due;
  return due > k->next || due == US_NEVER ? due : k->next;
}

size_t nack_ask(struct nack *k, us_t now, unsigned rtt_ms, unsigned kbps, uint16_t v[NACK_MISSING]) {
  us_t again = (us_t)(rtt_ms > 20 ? rtt_ms : 20) * US_PER_MS * 6 / 5;
  size_t n = 0;
  for (unsigned i = 0; i < k->n;)
    if (now - k->missing[i].noted >= NACK_GIVE_UP_US ||
        (k->missing[i].times >= NACK_TIMES && k->missing[i].due <= now))
      drop(k, i);
    else
      i++;
  assert(kbps > 0);
  if (now < k->next)
    return 0;
  for (unsigned i = 0; i < k->n; i++) {
    struct nack_missing *m = &k->missing[i];
    if (m->due > now)
      continue;
    m->due = now + again;
    m->times++;
    v[n++] = m->seq;
  }
  if (n) {
    k->paid = (k->paid > now - SAVED_US ? k->paid : now - SAVED_US) + NACK_BYTES * 8 * US_PER_MS / kbps;
    k->next = k->paid > now + NACK_EVERY_US ? k->paid : now + NACK_EVERY_US;
  }
  return n;
}

unsigned nack_wait_ms(const struct nack *k, us_t now, unsigned rtt_ms, unsigned ptime_ms) {
  if (!k->fresh || !k->helped || now - k->helped > HELPS_US)
    return 0;
  unsigned again = (rtt_ms > 20 ? rtt_ms : 20) * 6 / 5;
  unsigned wait = k->fresh * ptime_ms + (unsigned)(NACK_GRACE_US / US_PER_MS) + again + rtt_ms + MARGIN_MS;
  return wait < NACK_WAIT_MAX_MS ? wait : NACK_WAIT_MAX_MS;
}
