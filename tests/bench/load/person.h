/* person.h: one participant as docs/protocol.md has it: WebSocket, room.join with an offer, a STUN check,
 * DTLS-SRTP, sound; the path is the product's (core/session/path.h), the transport below it is not: one
 * socket, one address, one check.
 *
 * Invariant: a person that has failed has no connection, no path and no timer, and says why. Thread: one. */
#ifndef GAVEL_LOAD_PERSON_H
#define GAVEL_LOAD_PERSON_H

#include "core/session/path.h"
#include "core/wire/stun.h"
#include "tests/bench/load/load.h"

#define SAID_MAX 256 /* 5 s: a delay beyond that is not measured */

enum person_state { PERSON_NEW, PERSON_COMING, PERSON_IN, PERSON_UP, PERSON_LEAVING, PERSON_GONE };
struct said { /* a packet of a speaker and when it was sent */
  uint64_t hash;
  int64_t at_ns;
};
struct person {
  struct load *load;
  struct load_room *room;
  unsigned number; /* among the speakers or the listeners of his room */
  bool speaks;
  enum person_state state;
  const char *why; /* PERSON_GONE */
  char *why_text;  /* the server's words, or NULL */
  struct timer timer;
  us_t began_at, up_at, sound_at; /* sound_at: of the first packet; 0 before */

  struct wsc *ws;
  uint32_t ws_events; /* what epoll watches for */
  int udp;
  struct path *path;
  uint32_t ssrc;
  char ufrag[9], pwd[25];
  char peer_pwd[257], check_user[300];
  uint8_t check_id[12];
  us_t check_at, check_wait;
  bool checked;

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
/* person_socket: his WebSocket or his UDP socket is ready. */
void person_socket(struct person *p, bool udp);
void person_timeout(struct person *p);
/* person_talk: the speakers may begin. */
void person_talk(struct person *p);
/* person_leave: says so; he is PERSON_GONE when the server has closed the connection. */
void person_leave(struct person *p);
void person_free(struct person *p);

#endif
