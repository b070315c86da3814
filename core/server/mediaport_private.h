/* mediaport_private.h: what the files of the media plane share. Nobody else includes it.
 *
 *   datagram -> mediaport.c (demultiplex by first byte, RFC 7983)
 *     STUN  -> mediapeer.c: ufrag -> peer, integrity, address
 *     DTLS  -> mediapeer.c: handshake, keys
 *     SRTP  -> mediapeer.c: rights, SSRC, unprotect -> mediaroom.c: mixer
 *              -> mediafan.c: tiers -> one packet a listener
 */
#ifndef GAVEL_SERVER_MEDIAPORT_PRIVATE_H
#define GAVEL_SERVER_MEDIAPORT_PRIVATE_H

#include "core/base/map.h"
#include "core/base/timers.h"
#include "core/media/nack.h"
#include "core/media/resend.h"
#include "core/media/rtpstat.h"
#include "core/media/secure.h"
#include "core/server/carrier.h"
#include "core/server/mediaport.h"
#include "core/server/mixer.h"
#include "core/server/tiers.h"
#include "core/wire/rtp.h"

#define PEER_ADDRS 4
#define PEER_CONSENT_US (30 * US_PER_S)

union peer_sa {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_carrier carrier;
};
struct peer_addr {
  union peer_sa sa;
  socklen_t len;
  us_t seen;
  uint32_t priority;
  uint32_t agent; /* of the other side that nominated it: a digest of its ufrag */
  bool nominated;
};
struct peer_out { /* what we send him */
  bool started;
  bool moved;    /* what comes next is another time line: he was in another room, or did not hear */
  bool skipped;  /* packets of his stream went by that were not for him: his own words */
  uint8_t tier;  /* of the last packet */
  uint8_t since; /* packets since stream or tier changed, up to 255 */
  uint32_t stream, seq_off, ts_off;
  uint32_t last_seq, last_end; /* extended seq, RTP time after the last sample */
  uint64_t pos;                /* after the last sample, on the room's time line */
};
/* Lists of peers that a room keeps; each peer knows his place in each. */
enum peer_in { IN_ROOM, IN_EARS, IN_SHIFTING, IN_LISTS };
#define IN_NONE UINT32_MAX
struct peer_list {
  struct peer **v;
  uint32_t n, cap;
};
struct peer_seen { /* which of his packets went to the mixer; zero: none of those before the next */
  bool started;
  uint16_t high;
  uint64_t mask; /* bit n: high - n */
};
struct peer_line {   /* mediastat.c: since the last report */
  us_t since, told;  /* told: when he last said how it arrives */
  uint32_t fresh;    /* packets of his that the room got, copies too */
  uint32_t repaired; /* packets that did not come, but the next one holds their sound (LBRR) */
  uint32_t received, received_bytes, sent, sent_bytes, reports; /* as rtpstat had them */
};
struct peer_judged { /* medialadder.c: what was when he reported last */
  uint32_t reports, sent, last_seq, highest;
};
struct media_room;
struct peer {
  /* what the fan-out touches comes first */
  struct secure *secure; /* NULL before the first hello, and while its handshake is done elsewhere: */
  bool shaking;
  uint8_t shakes;        /* datagrams of that handshake */
  uint8_t ear;           /* the tier he gets, TIER_N: none */
  int n_addr, selected;  /* -1 before the first check */
  struct resend *resend; /* NULL: he loses nothing */
  uint32_t member;
  struct peer_out out;
  struct peer_addr addr[PEER_ADDRS];
  struct media_peer_params p;
  struct ladder ladder; /* what he is to get; after a change of it call peer_ladder_changed */
  struct rtpstat stat;
  uint32_t handle;
  uint32_t in[IN_LISTS]; /* places in the room's lists, or IN_NONE */
  us_t shift_by;         /* in IN_SHIFTING: how long he waits for a place where the tiers meet */
  struct media_room *room;
  uint16_t kbps; /* his wish */
  bool hidden;   /* the size of the room does not count him */
  bool packed;   /* no better than TIER_PACKED: the audience of a large room */
  uint8_t told_tier, told_copies;
  bool may_send, may_hear, priority, told_failed;
  int8_t gain_db;
  int dtls_addr; /* where the handshake runs */
  us_t alive, next_report;
  struct timer timer;  /* the next of: what `secure` waits for, report, consent */
  us_t pace;           /* when his next sound is due at the highest rate we take */
  uint16_t opened_seq; /* of the last packet that went through unprotect */
  struct peer_seen seen;
  struct peer_line line;
  struct peer_judged judged;
  struct nack *nack; /* of what he sends; NULL before the first */
};
struct media_room {
  uint32_t handle;
  struct mediaport *port;
  struct mixer *mixer; /* NULL: an edge of a room whose mixer is on another thread */
  struct peer_list peers;
  struct timer timer; /* the next of: mixer, tiers, tone, level report */
  us_t next_levels;
  struct media_tone *tone; /* mediatone.c; NULL: none sounds */
  bool told_sound, large;
  uint32_t n_hidden; /* of the peers */
  /* mediafan.c */
  struct tiers *tiers;
  struct peer_list ears[TIER_N]; /* who hears, by the tier he gets */
  struct peer_list shifting;     /* of them, who is to get another */
  size_t n_personal;
  struct media_personal { /* who has a PERSONAL stream now */
    uint32_t member;
    struct peer *peer; /* NULL: not here */
  } personal[MIXER_HEARD_MAX];
  struct media_heard { /* who was in what was sent lately: it may be held, and lies in copies */
    uint32_t member;
    us_t at;
  } heard[MIXER_TALKERS_MAX];
  /* mediaedge.c */
  unsigned home;       /* of an edge */
  uint32_t edges;      /* of a home: a set of 1 << thread */
  uint32_t cuts;       /* home: how often somebody was silenced; edge: as far as it knows */
  struct map *remotes; /* home: struct media_remote by member, who may speak on an edge; NULL: none yet */
};
struct media_remote {
  unsigned thread;
  bool priority;
  int8_t gain_db;
};
#define FAN_RED 4
struct fan_red { /* a payload with copies, as several listeners get it */
  uint8_t plan, pt;
  size_t len; /* 0: there is nothing to copy */
  uint8_t data[MEDIAPORT_DATAGRAM_MAX];
};
struct load {           /* whether we fall behind */
  us_t until;           /* of the present window */
  us_t least;           /* by which anything in it was late: a peak is no load, a queue that never ends is */
  unsigned level, calm; /* windows since it was not */
};
struct mediaport {
  struct mediaport_config cfg;
  us_t now;
  us_t waited; /* the present packet, in the socket */
  struct load load;
  struct map *peers, *ufrags, *addrs, *rooms;
  struct timers peer_timers, room_timers;
  struct media_datagram *batch;
  size_t n_batch;
  unsigned n_red;
  struct fan_red red[FAN_RED]; /* of the packet that is fanned out now */
  struct media_edge edge;      /* being written */
  struct mediaport_counters count;
};

/* mediaport.c */
struct media_datagram *mediaport_slot(struct mediaport *m,
                                      const struct peer_addr *to); /* the next free one of the batch */
void mediaport_commit_slot(struct mediaport *m);
void mediaport_flush(struct mediaport *m);
void mediaport_event(struct mediaport *m, const struct media_event *ev);

/* mediapeer.c */
bool peer_up(const struct peer *r);
void peer_stun(struct mediaport *m, const struct sockaddr *from, socklen_t from_len, const uint8_t *p,
               size_t n);
void peer_dtls(struct mediaport *m, struct peer *r, int addr, const uint8_t *p, size_t n);
/* peer_secured: what came of the handshake done elsewhere; takes s, which may be NULL. */
void peer_secured(struct mediaport *m, struct peer *r, struct secure *s);
void peer_rtp(struct mediaport *m, struct peer *r, uint8_t *p, size_t n);
void peer_rtcp(struct mediaport *m, struct peer *r, uint8_t *p, size_t n);
void peer_timeout(struct mediaport *m, struct peer *r);
/* peer_addr_key: family, port and address as map key bytes; returns the length (0 for an unknown family). */
size_t peer_addr_key(const struct sockaddr *sa, uint8_t out[24]);
int peer_addr_find(const struct peer *r, const struct sockaddr *sa);
void peer_free(struct mediaport *m, struct peer *r);

/* mediastat.c. peer_ear: before a report of ours: what it will say of what he sends. peer_stats: after it, of
 * both directions; begins the next interval. */
void peer_ear(struct peer *r);
void peer_stats(struct peer *r, us_t now, struct media_event *ev);

/* mediaresend.c. peer_send_again: what RTCP of his asks for. peer_keep: he was just sent this. peer_note: of
 * his packet, or a copy of one; true: it was asked for. peer_ask_again: what is missing and due. */
void peer_send_again(struct mediaport *m, struct peer *r, const uint8_t *rtcp, size_t n);
void peer_keep(struct peer *r, us_t now, uint16_t seq, const struct media_datagram *d);
bool peer_note(struct mediaport *m, struct peer *r, uint16_t seq, bool copy);
void peer_ask_again(struct mediaport *m, struct peer *r);

/* medialadder.c. peer_judge: after RTCP of his: what he gets may change. peer_report_interval: until our next
 * report. */
void peer_judge(struct mediaport *m, struct peer *r);
us_t peer_report_interval(const struct mediaport *m, const struct peer *r);

/* mediaroom.c */
struct media_room *media_room_open(struct mediaport *m, uint32_t handle, bool edge);
void media_room_close(struct mediaport *m, struct media_room *g);
/* media_room_add, media_room_remove: r is in a room from now on, or in none; then nothing of his is left in
 * it and nothing of it reaches him. */
void media_room_add(struct media_room *g, struct peer *r);
void media_room_remove(struct media_room *g, struct peer *r);
void media_room_rights(struct media_room *g, struct peer *r, bool could_send);
void media_room_put(struct media_room *g, struct peer *r, const struct rtp *h);
/* media_room_speak: sound of one who may speak, into the mixer, or towards it. */
void media_room_speak(struct media_room *g, const struct mixer_in *in);
/* media_room_silence: nothing of his is heard from now on. */
void media_room_silence(struct media_room *g, uint32_t member);
void media_room_schedule(struct media_room *g);
void media_room_timeout(struct media_room *g);
/* peer_limit: what he may get at best, from his wish and the room's size. */
void peer_limit(struct peer *r);
/* peer_ladder_changed: r->ladder has another tier or plan: he gets it from the next packet that fits on, and
 * is told. */
void peer_ladder_changed(struct peer *r);

/* mediafan.c */
void fan_open(struct media_room *g);
void fan_close(struct media_room *g);
void list_add(struct peer_list *l, struct peer *r, enum peer_in in);
void list_del(struct peer_list *l, struct peer *r, enum peer_in in);
/* fan_update: to be called when anything has changed that decides whether, or in which tier, he hears. */
void fan_update(struct peer *r);
/* fan_leave: he hears nothing of this room any more. */
void fan_leave(struct peer *r);
void fan_enter(struct peer *r); /* on a new path: a stream of his own that goes on is sent there */
/* fan_personal: who has a PERSONAL stream from now on. fan_put: a packet of the mixer to all who hear it. */
void fan_personal(struct media_room *g, const uint32_t *members, size_t n);
void fan_put(struct media_room *g, const struct mixer_out *o);
/* fan_silence: what is held of the sound in which `member` may be heard is dropped; before the mixer forgets
 * him. */
void fan_silence(struct media_room *g, uint32_t member);
/* fan_forget: all that is held is dropped. */
void fan_forget(struct media_room *g);

/* mediatone.c. tone_due: when it goes on, US_NEVER: none sounds. */
void tone_start(struct media_room *g, bool rising);
void tone_stop(struct media_room *g);
us_t tone_due(const struct media_room *g);
void tone_timeout(struct media_room *g);

/* mediaedge.c */
void edge_sound(struct media_room *g, const struct mixer_out *o);
void edge_silence(struct media_room *g, uint32_t member);
void edge_add(struct media_room *g, unsigned thread);
void edge_remote(struct media_room *g, const struct media_cmd *cmd);
void edge_speak(struct media_room *g, const struct mixer_in *in);
void edge_close(struct media_room *g);

#endif
