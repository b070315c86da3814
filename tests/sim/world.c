#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TURNS_MOST 2000             /* at one instant: beyond that a timeout is due for ever */
#define QUIET_US (2200 * US_PER_MS) /* a rude one clings for 1 s after his goodbye, then tries to return */
#define TOLD_US (400 * US_PER_MS)   /* then everyone knows of a change */
#define SETTLE_US (9 * US_PER_S)    /* the longest that coming back may take */

int64_t world_wall_ms(const struct world *w) {
  return WORLD_WALL_MS + w->now / US_PER_MS;
}

void world_note(struct world *w, const char *format, ...) {
  char *to = w->note[w->n_notes++ % WORLD_NOTES];
  int n = snprintf(to, WORLD_NOTE_MAX, "%9.4f ", (double)w->now / 1e6);
  va_list args;
  va_start(args, format);
  vsnprintf(to + n, WORLD_NOTE_MAX - (size_t)n, format, args);
  va_end(args);
  if (w->verbose)
    puts(to);
}

void world_fail(struct world *w, const char *format, ...) {
  if (w->failed)
    return;
  w->failed = true;
  va_list args;
  va_start(args, format);
  vsnprintf(w->why, sizeof w->why, format, args);
  va_end(args);
}

static void begin(struct world *w, uint64_t seed, int seconds, bool thin, bool verbose) {
  memset(w, 0, sizeof *w);
  w->seed = seed;
  w->verbose = verbose;
  w->thin = thin;
  w->now = US_PER_S / 2;
  rng_seed(&w->rng, seed);
  net_init(&w->net, &w->rng);
  oracle_init(&w->oracle, w);
  script_init(&w->script, w, w->now + seconds * US_PER_S - QUIET_US);
  w->n_people = 3 + (unsigned)rng_below(&w->rng, WORLD_PEOPLE_MAX - 2);
  host_init(&w->host, w, seed, rng_below(&w->rng, 2));
  for (unsigned i = 0; i < w->n_people; i++) {
    struct person *p = &w->person[i];
    person_init(p, w, i);
    p->rejoin_at = w->now + (us_t)rng_below(&w->rng, i ? 400 : 20) * US_PER_MS;
    world_note(w, "p%u: %.0f Hz, %lld+%lld ms, loss %u%%%s%s", i, p->freq,
               (long long)(p->link.base / US_PER_MS), (long long)(p->link.jitter / US_PER_MS),
               p->link.loss_pct, p->link.bursty ? " in bursts" : "", p->rude ? ", rude" : "");
  }
}

static void deliver(struct world *w) {
  struct net_event *e;
  while (!w->failed && (e = net_take(&w->net, w->now))) {
    bool server = e->kind != NET_DOWN && e->kind != NET_SIG_OPENED && e->kind != NET_SIG_DOWN &&
                  e->kind != NET_SIG_LOST_DOWN;
    if (server)
      host_take(&w->host, e);
    else
      person_take(&w->person[e->peer], e);
    net_event_free(e);
  }
}

static us_t due(const struct world *w) {
  us_t t = net_due(&w->net), x = host_due(&w->host);
  t = x < t ? x : t;
  x = script_due(&w->script);
  t = x < t ? x : t;
  for (unsigned i = 0; i < w->n_people; i++) {
    x = person_due(&w->person[i]);
    t = x < t ? x : t;
  }
  return t;
}

static void run_until(struct world *w, us_t end) {
  unsigned still = 0;
  while (!w->failed) {
    us_t t = due(w);
    if (t > end)
      break;
    still = t > w->now ? 0 : still + 1;
    w->now = t > w->now ? t : w->now;
    if (still > TURNS_MOST)
      world_fail(w, "the clock stands still: a timeout is due for ever");
    deliver(w);
    host_timeout(&w->host);
    for (unsigned i = 0; i < w->n_people; i++)
      if (person_due(&w->person[i]) <= w->now)
        person_timeout(&w->person[i]);
    script_timeout(&w->script);
    host_end_turn(&w->host);
    oracle_turn(&w->oracle);
  }
  if (!w->failed)
    w->now = end;
}

static bool unsettled(const struct world *w) {
  if (!w->host.control)
    return true;
  for (unsigned i = 0; i < w->n_people; i++) {
    const struct person *p = &w->person[i];
    enum client_state s = p->session ? session_state(p->session) : CLIENT_ENDED;
    if (s == CLIENT_CONNECTING || s == CLIENT_RECONNECTING || p->rejoin_at != US_NEVER)
      return true;
  }
  return false;
}

static void report(const struct world *w) {
  printf("FAILED seed=%llu at t=%.4f : %s\n", (unsigned long long)w->seed, (double)w->now / 1e6, w->why);
  unsigned first = w->n_notes > WORLD_NOTES ? w->n_notes - WORLD_NOTES : 0;
  for (unsigned i = first; i < w->n_notes && !w->verbose; i++)
    puts(w->note[i % WORLD_NOTES]);
}

/* What the server sent again, and how much of what was heard had to be made up. */
static void print_repair(const struct world *w) {
  uint64_t resent = 0, played = 0, concealed = 0;
  for (unsigned t = 0; t < w->host.threads; t++) {
    struct mediaport_counters n;
    mediaport_counters(w->host.media[t], &n);
    resent += n.resent;
  }
  for (unsigned i = 0; i < w->n_people; i++) {
    struct jitter_stats st;
    jitter_stats(w->person[i].jitter, &st);
    played += st.played;
    concealed += st.concealed;
  }
  printf("%llu packets sent again, concealed %.1f %%\n", (unsigned long long)resent,
         100.0 * (double)concealed / (double)(played + concealed + 1));
}

bool world_run(uint64_t seed, int seconds, bool thin, bool verbose) {
  static struct world w; /* large; one run at a time */
  begin(&w, seed, seconds, thin, verbose);
  run_until(&w, w.script.quiet_at);
  us_t limit = w.now + SETTLE_US;
  while (!w.failed && unsettled(&w) && w.now < limit)
    run_until(&w, w.now + US_PER_S / 4);
  run_until(&w, w.now + QUIET_US);
  limit = w.now + SETTLE_US;
  while (!w.failed && w.now - w.host.changed_at < TOLD_US &&
         w.now < limit) /* time alone still changes things */
    run_until(&w, w.host.changed_at + TOLD_US);
  if (!w.failed)
    oracle_end(&w.oracle);
  if (!w.failed)
    script_check(&w.script);
  if (w.failed)
    report(&w);
  else if (verbose) {
    printf("seed %llu: %u acts, %u refused; %llu windows must be silent (most %.3f, longest %u), %llu must "
           "sound (least %.3f), loudest %.3f; %u tiers, copies %u up, %u down\n",
           (unsigned long long)seed, w.script.acts, w.script.refused, (unsigned long long)w.oracle.forbidden,
           (double)w.oracle.most_forbidden, w.oracle.longest, (unsigned long long)w.oracle.required,
           (double)w.oracle.least_required, (double)w.oracle.loudest, w.tiers, w.copies_up, w.copies_down);
    print_repair(&w);
  }
  bool ok = !w.failed;
  for (unsigned i = 0; i < w.n_people; i++)
    person_free(&w.person[i]);
  host_free(&w.host);
  net_free(&w.net);
  return ok;
}
