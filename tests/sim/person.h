/* person.h: one participant: the real session, capture and jitter buffer, a voice that is one sine in bursts,
 * and an ear.
 *
 * Invariant: what the ear hears comes out of the jitter buffer only. A rude participant's gate is forced
 * open: his sound goes out whatever his room says, as a changed client would do it. */
#ifndef GAVEL_SIM_PERSON_H
#define GAVEL_SIM_PERSON_H

#include "audio/capture.h"
#include "audio/jitter.h"
#include "core/session/session.h"
#include "tests/sim/ice_sim.h"
#include "tests/sim/net.h"

#define PERSON_IP_FIRST 10
#define PERSON_BLOCK AUDIO_MS(10)
#define PERSON_EAR AUDIO_MS(60)
#define PERSON_HOP_BLOCKS 3
#define PERSON_AMPLITUDE 0.25f
#define PERSON_HISS 0.01f /* peak to peak, -51 dBov */

struct world;
struct person {
  struct world *w;
  unsigned at;
  bool rude;
  struct rng rng; /* the session's */
  struct cert cert;
  struct dtls_ctx *dtls;
  struct ice_sim_env ice;
  struct net_link link;
  struct session *session; /* NULL before the first join and between two */
  struct capture *capture;
  struct jitter *jitter;
  char device[16];
  uint8_t device_hash[16]; /* as the room keeps it */
  /* signalling */
  uint32_t epoch;
  bool sig_up, sig_open; /* stands; or on its way */
  us_t last_up, clings_until, sulks_until;
  /* voice */
  double freq, phase;
  uint32_t hiss; /* state of his microphone's noise */
  bool gate, talking;
  us_t gate_since, talk_until, talk_since, talk_ended;
  us_t media_since, sig_since; /* US_NEVER while down */
  us_t next_audio, rejoin_at;
  /* ear */
  float ear[PERSON_EAR]; /* the last 60 ms, oldest first */
  unsigned ear_blocks;
  const char *tier_down, *tier_up; /* static, as told last */
  unsigned kbps;                   /* what he wishes his line to carry */
  int delay_ms;                    /* the most of the last second */
  us_t delay_at, mended_at;        /* sound was concealed or repaired */
  uint64_t mended;
};
void person_init(struct person *p, struct world *w, unsigned at);
void person_free(struct person *p);
/* person_join: a new session, with the owner's or the guests' link. */
void person_join(struct person *p, bool owner);
/* person_take: an event of the network for him. */
void person_take(struct person *p, struct net_event *e);
/* person_wish: something about his line, at random. */
void person_wish(struct person *p);
/* person_cut: his signalling connection breaks; both sides notice in their own time. */
void person_cut(struct person *p);
void person_timeout(struct person *p);
us_t person_due(const struct person *p);
/* person_joined: he is in the room, as he knows. */
bool person_joined(const struct person *p);

#endif
