/* person.h: one participant of a kind of server: what all kinds have in common (a connection for signalling,
 * a socket for sound, checks, talking, hearing); kind.h has what they do not.
 *
 * Invariant: a person that has failed has no connection, no sound and no timer, and says why. Thread: one. */
#ifndef GAVEL_LOAD_PERSON_H
#define GAVEL_LOAD_PERSON_H

#include "core/wire/stun.h"
#include "tests/bench/load/kind.h"
#include "tests/bench/load/load.h"
#include "tests/bench/load/stream.h"
#include "tests/bench/relay/impair.h"

#define SAID_MAX 256 /* 5 s: a delay beyond that is not measured */

enum person_state { PERSON_NEW, PERSON_COMING, PERSON_IN, PERSON_UP, PERSON_LEAVING, PERSON_GONE };
enum person_way { WAY_UP, WAY_DOWN, WAYS };
struct said { /* a packet of a speaker and when it was sent */
  uint64_t hash;
  int64_t at_ns;
};
struct person {
  struct load *load;
  struct load_room *room;
  unsigned number; /* among the speakers or the listeners of his room */
  bool speaks;
  bool leaves;   /* because he was told to */
  unsigned tier; /* what he gets, as the server has said */
  enum person_state state;
  const char *why; /* PERSON_GONE */
  char *why_text;  /* the server's words, or NULL */
  struct timer timer;
  us_t began_at, up_at, sound_at; /* sound_at: of the first packet; 0 before */

  struct stream *stream;  /* of side's, watched */
  uint32_t stream_events; /* what epoll watches for */
  void *side;             /* his kind's */
  int udp;
  uint32_t ssrc;
  char ufrag[9], pwd[25];
  char peer_pwd[257], check_user[300];
  uint8_t check_id[12];
  us_t check_at, check_wait;
  bool checked, is_controlled;

  struct impair line[WAYS]; /* his bad network */
  uint32_t life;            /* how often he has come: what flies to an earlier one is dropped */

  struct ear ear;
  us_t play_at;
  int64_t arrived_ns;               /* the packet in hand */
  uint32_t seen[LOAD_SPEAKERS_MAX]; /* each speaker's turn that he has heard the beginning of */

  struct clip *clip; /* of a speaker */
  us_t say_at;
  uint32_t frame;
  bool talks;
  bool voiced; /* in this turn; since when, and which turn it is */
  int64_t voiced_ns;
  uint32_t turn;
  struct said *said; /* SAID_MAX of them, the last is n_said - 1 */
  uint64_t n_said;
  uint32_t n_spoken; /* packets with voice, counted */
};
void person_begin(struct person *p);
/* person_socket: his connection or his UDP socket is ready. */
void person_socket(struct person *p, bool udp);
void person_timeout(struct person *p);
/* person_talk: the speakers may begin. */
void person_talk(struct person *p);
/* person_leave: says so; he is PERSON_GONE when the server has closed the connection, or at once. */
void person_leave(struct person *p);
/* person_settle: after anything that may have failed. */
void person_settle(struct person *p);
/* person_again: who is PERSON_GONE becomes new. */
void person_again(struct person *p);
void person_free(struct person *p);

#endif
