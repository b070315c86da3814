/* session.h: the client engine's state machine, sans-IO: one person in one room, through lost connections.
 *
 *   CONNECTING --joined--> JOINED <--resumed-- RECONNECTING
 *        \--lobby--> LOBBY --admitted--/  \--lost--/       any --bye, refused, left--> ENDED
 *                      \<-----held-----/
 *
 * Invariant: the replica is changed only by server events; acts are requests, never guesses. The microphone's
 * gate is open only when the person wants it and the room lets him speak. A secret (invite, resume) is never
 * in a log or an event. Thread: the engine's. The shell (client.c) or the simulator brings bytes and time. */
#ifndef GAVEL_SESSION_SESSION_H
#define GAVEL_SESSION_SESSION_H

#include "audio/capture.h"
#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/media/dtls.h"
#include "core/session/client.h"
#include "core/session/ice.h"
#include "core/wire/rtp.h"

struct session;
struct session_voice {
  int ptime_ms, bitrate, loss_pct; /* as struct capture_config and encoder_config have them */
  bool hush;
};
struct session_ear { /* of the playout side: its buffer, and samples so far (struct jitter_stats) */
  unsigned buffer_ms;
  uint64_t played, concealed;
  unsigned playout_ms; /* held ready for the device; underruns: how often that was too little */
  uint64_t underruns;
};
struct session_config {
  struct link link;
  struct client_monitor monitor;
  char name[TEXT_NAME_MAX + 1];
  const char *device_id, *password;
  const char *token;   /* who he is: of a session (`gavel login`) or for joining; NULL or "": a guest */
  const char *consent; /* version accepted, NULL or "": none */
  bool ask_terms;      /* before anything of the person is sent, ask what the server wants consent to */
  bool no_audio, mic_open, has_input;
  unsigned kbps; /* as struct client_config */
  struct rng *rng;
  struct dtls_ctx *dtls;
  uint8_t dtls_sha256[32];
  struct ice_kind ice;
  struct ice_kind tunnel; /* inside the signalling connection; create NULL: none */
  /* out */
  void (*connect)(void *ctx);    /* open the signalling connection (again) */
  void (*disconnect)(void *ctx); /* close it */
  void (*abort)(
      void *ctx); /* likewise, when it may be dead: session_closed comes at once. NULL: it cannot be */
  void (*send)(void *ctx, char *text);               /* one message; the callee owns the malloc'd text */
  void (*event)(void *ctx, struct client_event *ev); /* the callee owns what it points to */
  void (*audio)(void *ctx, const struct rtp *h);     /* to the playout side */
  void (*copy)(void *ctx, const struct rtp *h, uint32_t offset); /* likewise: of the packet `offset` samples
                                                                    before h (jitter_put_copy) */
  void (*expect)(void *ctx, unsigned wait_ms);                   /* likewise: jitter_expect_resend */
  void (*gate)(void *ctx, bool open);                            /* to the capture side */
  void (*voice)(void *ctx, const struct session_voice *v);       /* likewise: how to encode from now on */
  void *ctx;
};
/* session_create: idle; the config is copied, what it points to borrowed. NULL without memory. */
struct session *session_create(const struct session_config *c);
/* session_start: gather and connect. */
void session_start(struct session *s, us_t now);

/* in: signalling */
/* session_connected: `tls` says what the connection is, in lines (copied; NULL: nothing is known). */
void session_connected(struct session *s, us_t now, const char *tls);
void session_message(struct session *s, us_t now, const char *text, size_t n);
/* session_closed: `why` ERR_CERT is final, anything else is tried again. */
void session_closed(struct session *s, us_t now, enum err why);

/* in: the person */
void session_act(struct session *s, us_t now, uint32_t ticket, const struct room_cmd *cmd);
void session_history(struct session *s, us_t now, uint64_t before);
void session_gate(struct session *s, us_t now, bool open);
/* session_bandwidth: as client_bandwidth. */
void session_bandwidth(struct session *s, us_t now, unsigned kbps);
void session_leave(struct session *s, us_t now);
/* session_other: as client_other. */
void session_other(struct session *s, us_t now, uint32_t member);
/* session_privacy: what is stored about oneself, or withdraw the consent. */
void session_privacy(struct session *s, us_t now, bool withdraw);

/* in: the capture side */
void session_captured(struct session *s, us_t now, const struct capture_packet *p);
/* session_input: own level and whether he talks while muted, a few times a second; has_input false: no
 * device. session_ear: how sound comes out, as often. */
void session_input(struct session *s, us_t now, bool has_input, uint8_t level, bool muted_talk);
void session_ear(struct session *s, us_t now, const struct session_ear *ear);
/* session_network_changed: addresses came or went: another way to the server is looked for; the path and its
 * keys stay. */
void session_network_changed(struct session *s, us_t now);

/* session_tick: call at the top of each turn, and when a timeout is due. */
void session_tick(struct session *s, us_t now);
us_t session_next_timeout(const struct session *s);
enum client_state session_state(const struct session *s);
const struct room *session_room(const struct session *s);
uint32_t session_me(const struct session *s);
/* session_repeat_room: CLIENT_EV_ROOM of the replica as it is, for who missed events; nothing in the lobby.
 */
void session_repeat_room(struct session *s);
bool session_media_up(const struct session *s);
void session_destroy(struct session *s);

#endif
