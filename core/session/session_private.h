/* session_private.h: the state of a session, shared by session.c (life and requests), inbox.c (what the
 * server says), history.c (older messages), others.c (their lines), media.c (sound), ways.c (how it gets
 * there) and figures.c (how good it is). Nobody else includes it. */
#ifndef GAVEL_SESSION_SESSION_PRIVATE_H
#define GAVEL_SESSION_SESSION_PRIVATE_H

#include "core/session/check.h"
#include "core/session/path.h"
#include "core/session/session.h"
#include "core/wire/json.h"

#include <jansson.h>

#define BACKOFF_FIRST_US (200 * US_PER_MS)
#define CONNECT_LIMIT_US (30 * US_PER_S) /* never been in: then it is not a drop but a wrong address */
#define FIGURES_MARKS 3                  /* of LINK_US each: what "lately" means */
#define LINK_US (2 * US_PER_S)
#define SESSION_TICKETS 64 /* acts on their way */

enum way_kind { WAY_DIRECT, WAY_RELAY, WAY_TUNNEL }; /* best first */
#define WAYS_MAX 4
struct way { /* ways.c: an agent that looks for a way to the server; all zero: none */
  struct session *s;
  enum way_kind kind;
  struct ice *ice;
  bool gathered, told, up;
  bool over; /* to be freed at the next tick */
  char ufrag[257];
};

struct session {
  struct session_config cfg;
  char *token; /* wiped at the end */
  char *device, *password, *consent;
  us_t now;
  enum client_state state;
  bool connected, leaving;
  uint32_t me;
  unsigned place, waiting;
  char resume[64];
  struct room room; /* the replica */
  json_int_t last_id, join_id, media_id, history_id, terms_id, privacy_id, other_id;
  bool terms_known, terms_asked, terms_twice; /* asked: there is a text, and it was accepted */
  struct {
    json_int_t id;
    uint32_t ticket;
  } tickets[SESSION_TICKETS];
  us_t retry_at, leave_at, give_up_at, backoff, retry_after;
  us_t probe_at; /* nothing came since it was asked whether the connection lives: then it is dead */
  /* microphone */
  bool want_open, has_input, gate, muted_talk;
  enum client_mic mic;
  uint8_t level;
  /* media.c */
  struct path *path;
  bool gathered, offered, reached, failed; /* of the present path */
  char *tls;                               /* what the signalling connection is, in lines */
  unsigned told_rekeys;                    /* as the last CLIENT_EV_SECURITY said */
  uint8_t peer_sha256[32];                 /* of the server's DTLS certificate, by its answer */
  uint32_t ssrc;
  char ufrag[257], pwd[257];
  enum srtp_profile_id profile;
  us_t link_at, regather_at, levels_at, heard_at;
  unsigned regathers;
  /* ways.c */
  struct way way[WAYS_MAX];
  struct way *on;           /* what carries the sound, NULL: nothing does yet */
  struct ice_relays relays; /* relays.c: as the server said; n 0: none */
  us_t relays_until;        /* they are good for a new one */
  json_int_t relays_id;
  struct sdp *answer; /* of the present path, NULL before */
  bool lost, again;   /* `on` does not answer; all ways are to be tried again */
  bool tunnelled;     /* the tunnel was used last */
  bool told_turn;     /* the server was told of a relay */
  json_int_t tunnel_id;
  unsigned step, asks;
  us_t step_at, better_at, check_at, reached_at;
  struct check check;
  /* figures.c */
  unsigned kbps;             /* his wish */
  bool wished;               /* the server has been told one: it may still know an older one */
  enum media_tier tier_down; /* what he gets, as the server says */
  uint8_t copies_down;
  struct session_ear ear;
  struct figures_mark {
    us_t at;
    uint64_t played, concealed, in, out;
  } mark[FIGURES_MARKS]; /* the newest first; at 0: none */
  unsigned n_heard;      /* who is heard, from CSRCs, collected for the next report */
  uint32_t heard[CLIENT_LEVELS_MAX];
  uint8_t heard_level[CLIENT_LEVELS_MAX];
  bool told_sound;
};

/* session.c */
struct client_event *session_event(struct client_event *ev, int kind);
void session_request(struct session *s, json_int_t id, const char *method, json_t *params);
void session_reply(struct session *s, uint32_t ticket, enum err why, const char *text);
void session_emit_state(struct session *s, enum err why, const char *text);
void session_notice(struct session *s, const char *text);
void session_end(struct session *s, enum err why, const char *text);
void session_try_join(struct session *s);
void session_probe(struct session *s, us_t patience); /* does the connection live? */
void session_media_request(struct session *s);
void session_levels(struct session *s, unsigned n, const uint32_t *id, const uint8_t *level);
void session_gate_update(struct session *s);

/* terms.c: consent, and what is stored. terms_first: true when the join has to wait for an answer. */
bool terms_first(struct session *s);
bool terms_reply(struct session *s, const struct rpc_in *in); /* false: not an answer to us */
bool terms_again(struct session *s); /* the join was refused for want of consent: the text is a new one */

/* history.c */
void history_reply(struct session *s, const struct rpc_in *in);
void history_lost(struct session *s); /* with the connection */

/* others.c */
bool others_reply(struct session *s, const struct rpc_in *in); /* false: not an answer to us */

/* ways.c: which way datagrams take. ways_begin: a new path's first agent; false: there is none. ways_answer:
 * the server's, once. ways_again: everything is tried anew, what works stays in use; false: there is no path
 * yet. ways_heard_at: when the server was last heard of. ways_via: as ice.h and "tunnel"; "" while nothing
 * works. */
bool ways_begin(struct session *s);
bool ways_any(const struct session *s);
size_t ways_local(struct session *s, struct sdp_candidate *out, size_t max);
void ways_answer(struct session *s, const struct sdp *answer);
bool ways_again(struct session *s);
void ways_send(struct session *s, const uint8_t *p, size_t n);
const char *ways_via(const struct session *s);
us_t ways_heard_at(const struct session *s);
bool ways_reply(struct session *s, const struct rpc_in *in); /* false: not an answer to us */
void ways_connected(struct session *s);                      /* in the room, on a new connection */
void ways_closed(struct session *s);                         /* the connection is gone */
void ways_drop(struct session *s);
void ways_relays(struct session *s); /* the relays are known now */
void ways_tick(struct session *s);
us_t ways_next_timeout(const struct session *s);

/* relays.c. relays_ask: unless they are known and good; ways_relays follows when there are some. */
void relays_ask(struct session *s);
bool relays_reply(struct session *s, const struct rpc_in *in); /* false: not an answer to us */
void relays_forget(struct session *s);

/* media.c. media_gathered: the first agent is ready. media_reached: another way carries the sound now.
 * media_packet: one that is not of the agents. */
void media_gathered(struct session *s);
void media_reached(struct session *s);
void media_packet(struct session *s, uint8_t *p, size_t n);
void media_init(struct session *s);
void media_gather(struct session *s); /* a new agent; media_offer when gathered */
char *media_offer(struct session *s); /* malloc'd SDP, NULL before gathered */
void media_answer(struct session *s, const char *sdp);
void media_failed(struct session *s, enum err why);
void media_drop(struct session *s);
bool media_alive(
    const struct session *s); /* up and heard lately: no new offer is needed after a signalling drop */
void media_tick(struct session *s);
/* media_tell_security: certificate, TLS and SRTP in lines; when a connection or the path has changed. */
void media_tell_security(struct session *s);
us_t media_next_timeout(const struct session *s);

/* figures.c */
void figures_emit(struct session *s);                      /* CLIENT_EV_LINK */
void figures_tick(struct session *s);                      /* every LINK_US */
void figures_path(struct session *s);                      /* there is a new path, or none any more */
void figures_uplink(struct session *s);                    /* the ladder has moved */
void figures_tier(struct session *s, const json_t *media); /* the server says what it sends */
void figures_joined(struct session *s);                    /* the server may have forgotten his wish */

#endif
