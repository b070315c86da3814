/* load.h: a run of gavel-load: rooms full of participants over the public protocol, in one thread.
 *
 * main_load.c reads the options, load.c is the loop and its phases (speakers come, listeners come, it is
 * counted, all leave), soak.c the long count, person.c one participant, report.c what is printed. Invariant:
 * everything here is touched by one thread. */
#ifndef GAVEL_LOAD_LOAD_H
#define GAVEL_LOAD_LOAD_H

#include "core/base/timers.h"
#include "core/media/dtls.h"
#include "core/wire/link.h"
#include "tests/bench/load/clip.h"
#include "tests/bench/load/ear.h"
#include "tests/bench/load/histo.h"
#include "tests/bench/load/kind.h"
#include "tests/bench/relay/impair.h"

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/types.h>

#define LOAD_PATTERN_MAX 32
#define LOAD_FRAME_US (20 * US_PER_MS)
#define LOAD_TIERS 4 /* full, packed, low, min */

struct load_config {
  unsigned listeners, speakers; /* of each room */
  unsigned rooms;
  unsigned pattern[LOAD_PATTERN_MAX], n_pattern; /* how many talk, turn by turn; n 0: a conversation */
  us_t turn_us, seconds_us;
  unsigned ramp;   /* joins a second */
  unsigned decode; /* one in so many is played out; 0: nobody */
  pid_t pid;       /* of the server, 0 when not known */
  bool json;
  const char *control; /* the operator's socket, or NULL */
  char **speech;       /* files; none: sines */
  size_t n_speech;
  bool once;          /* each file once from its beginning, in a room of its own, when all are there */
  const char *record; /* folder for what the decoded ones hear, or NULL */
  unsigned kbps;      /* what each person allows towards him, 0: not said */
  const struct kind *kind;
  char peer_host[256]; /* of another kind than gavel */
  uint16_t peer_port;
  struct impair_config impair; /* both ways of each listener, and of the speakers too when so said */
  bool impaired, impair_speakers;
  us_t impair_after_us; /* of the count */
  uint64_t seed;
  us_t soak_us; /* 0: none */
};
struct person;
struct soak;
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
  uint64_t retries;    /* of joins that the server had put off */
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
  struct timers air; /* datagrams on bad lines */
  bool impairing;
  uint64_t packets, bytes, frames, copies; /* of all listeners, while the speakers talked */
  uint64_t wire_bytes, text_bytes;         /* towards all people, counted: datagrams with headers; JSON */
  double handshake_us;                     /* a server's CPU for one bare DTLS handshake */
  struct soak *soak;                       /* NULL: none */
  us_t last_up_at, ramp_at, ramp_us;
  struct usage empty, joining, began, ended; /* before anybody, before the listeners, around the count */
  struct histo delay, onset, joined, first_sound;
};

/* load_talks: whether this speaker of this room talks at `t`. */
bool load_talks(const struct load *l, const struct load_room *room, unsigned speaker, us_t t);
/* load_run: people come and what they hear is counted. False when it could not begin (said on stderr). */
bool load_run(struct load *l);
void load_leave(struct load *l);
void load_free(struct load *l);

/* soak_run: people come and go for cfg.soak_us. soak_free: NULL is fine. */
void soak_run(struct load *l);
void soak_free(struct soak *s);
struct soak_drift { /* the first and the last quarter */
  double rss_mib[2], us_per_listener_second[2], delay_p50[2], delay_p99[2], lost_percent[2];
  double rss_kib_per_minute; /* least squares over the last three quarters */
  uint64_t joins, failed;
};
struct soak_drift soak_drift(const struct soak *s);
/* load_move: one turn of the loop, at most until then. */
void load_move(struct load *l, us_t until);

/* line_start: from now on everybody's network is bad (line.c). line_move: what is due arrives. */
void line_start(struct load *l);
void line_move(struct load *l);
void line_end(struct load *l);

/* handshake_cost: microseconds of CPU that a server spends on one DTLS handshake, in memory, over many. */
double handshake_cost(void);

/* usage_now: what the server has used until now, and this program. */
struct usage usage_now(pid_t server);

/* report_print: the table or the JSON of a run. True when everybody heard whom he should. */
bool report_print(const struct load *l);

/* rooms_make: cfg.rooms new rooms without a lobby, by the operator's socket; rooms_end ends them. False:
 * said on stderr. */
bool rooms_make(struct load *l);
void rooms_end(struct load *l);
/* rooms_count: cfg.rooms rooms that a peer has already. */
void rooms_count(struct load *l);

#endif
