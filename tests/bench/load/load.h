/* load.h: a run of gavel-load: rooms full of participants over the public protocol, in one thread.
 *
 * main_load.c reads the options, load.c is the loop and its phases (speakers come, listeners come, it is
 * counted, all leave), person.c one participant, report.c what is printed. Invariant: everything here is
 * touched by one thread. */
#ifndef GAVEL_LOAD_LOAD_H
#define GAVEL_LOAD_LOAD_H

#include "core/base/timers.h"
#include "core/media/dtls.h"
#include "tests/bench/load/clip.h"
#include "tests/bench/load/ear.h"
#include "tests/bench/load/histo.h"
#include "tests/bench/load/wsc.h"

#include <sys/types.h>

#define LOAD_PATTERN_MAX 32
#define LOAD_FRAME_US (20 * US_PER_MS)

struct load_config {
  unsigned listeners, speakers; /* of each room */
  unsigned rooms;
  unsigned pattern[LOAD_PATTERN_MAX], n_pattern; /* how many talk, turn by turn */
  us_t turn_us, seconds_us;
  unsigned ramp;   /* joins a second */
  unsigned decode; /* one in so many is played out; 0: nobody */
  pid_t pid;       /* of the server, 0 when not known */
  bool json;
  const char *control; /* the operator's socket, or NULL */
  char **speech;       /* files; none: sines */
  size_t n_speech;
};
struct person;
struct load_room {
  struct link link;
  unsigned at;
  struct person *speaker[LOAD_SPEAKERS_MAX];
  unsigned n_speakers;
  uint32_t ids[LOAD_SPEAKERS_MAX]; /* the speakers' member ids, 0 before they are in */
  double freqs[LOAD_SPEAKERS_MAX];
};
struct usage { /* of the server at one moment; zero when it is not known */
  us_t at, cpu_us, own_cpu_us;
  int64_t rss;
};
struct load {
  struct load_config cfg;
  struct load_room *rooms;
  size_t n_rooms;
  struct person *people;
  size_t n_people, n_begun;
  size_t n_up, n_gone; /* with sound; those for whom it went wrong */
  struct clip **clips;
  size_t n_clips;
  int epoll;
  struct timers timers;
  SSL_CTX *tls;
  struct sockaddr_storage server;
  socklen_t server_len;
  struct cert cert;
  struct dtls_ctx *dtls;
  us_t now, talk_at; /* since when the speakers talk; US_NEVER: not (any more) */
  bool counting;
  uint64_t packets, bytes; /* of all listeners, while the speakers talked */
  us_t last_up_at, ramp_at;
  struct usage empty, joining, began, ended; /* before anybody, before the listeners, around the count */
  struct histo delay, onset, joined, first_sound;
};

/* load_talks: whether this speaker of this room talks at `t`. */
bool load_talks(const struct load *l, const struct load_room *room, unsigned speaker, us_t t);
/* load_run: people come and what they hear is counted. False when it could not begin (said on stderr). */
bool load_run(struct load *l);
void load_leave(struct load *l);
void load_free(struct load *l);

/* usage_now: what the server has used until now, and this program. */
struct usage usage_now(pid_t server);

/* report_print: the table or the JSON of a run. True when everybody heard whom he should. */
bool report_print(const struct load *l);

/* rooms_make: cfg.rooms new rooms without a lobby, by the operator's socket; rooms_end ends them. False:
 * said on stderr. */
bool rooms_make(struct load *l);
void rooms_end(struct load *l);

#endif
