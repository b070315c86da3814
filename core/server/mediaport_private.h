/* mediaport_private.h: what the files of the media plane share. Nobody else includes it.
 *
 *   datagram -> mediaport.c (demultiplex by first byte, RFC 7983)
 *     STUN  -> mediapeer.c: ufrag -> peer, integrity, address
 *     DTLS  -> mediapeer.c: handshake, keys
 *     SRTP  -> mediapeer.c: rights, SSRC, unprotect -> mediaroom.c: mixer -> fan-out: one packet a listener
 */
#ifndef GAVEL_SERVER_MEDIAPORT_PRIVATE_H
#define GAVEL_SERVER_MEDIAPORT_PRIVATE_H

#include "core/base/map.h"
#include "core/base/timers.h"
#include "core/media/rtpstat.h"
#include "core/media/secure.h"
#include "core/server/mediaport.h"
#include "core/server/mixer.h"
#include "core/wire/rtp.h"

#define PEER_ADDRS 4
#define PEER_CONSENT_US (30 * US_PER_S)
#define BATCH 64

struct peer_addr {
  struct sockaddr_storage sa;
  socklen_t len;
  us_t seen;
  uint32_t priority;
  bool nominated;
};
struct peer_out { /* what we send him */
  bool started;
  bool moved; /* to another room: its stream is another one, whatever its number */
  uint32_t stream, seq_off, ts_off;
  uint32_t last_seq, last_end; /* extended seq, RTP time after the last sample */
};
struct media_room;
struct peer {
  uint32_t handle, member;
  struct media_room *room;
  size_t at; /* in room->peers */
  struct media_peer_params p;
  bool may_send, may_hear, priority, told_failed;
  int8_t gain_db;
  enum media_tier tier;
  struct peer_addr addr[PEER_ADDRS];
  int n_addr, selected;  /* -1 before the first check */
  int dtls_addr;         /* where the handshake runs */
  struct secure *secure; /* NULL before the first hello */
  us_t alive, next_report;
  struct timer timer; /* the next of: what `secure` waits for, report, consent */
  struct rtpstat stat;
  us_t pace;           /* when his next packet is due at the highest rate we take */
  uint16_t opened_seq; /* of the last packet that went through unprotect */
  struct peer_out out;
};
struct media_room {
  uint32_t handle;
  struct mediaport *port;
  struct mixer *mixer;
  struct peer **peers;
  size_t n_peers, cap_peers;
  struct timer timer; /* the mixer's next, or the next level report */
  us_t next_levels;
  bool told_sound;
};
struct mediaport {
  struct mediaport_config cfg;
  us_t now;
  struct map *peers, *ufrags, *addrs, *rooms;
  struct timers peer_timers, room_timers;
  struct media_datagram *batch;
  size_t n_batch;
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
void peer_rtp(struct mediaport *m, struct peer *r, uint8_t *p, size_t n);
void peer_rtcp(struct mediaport *m, struct peer *r, uint8_t *p, size_t n);
void peer_timeout(struct mediaport *m, struct peer *r);
/* peer_addr_key: family, port and address as map key bytes; returns the length (0 for an unknown family). */
size_t peer_addr_key(const struct sockaddr *sa, uint8_t out[24]);
int peer_addr_find(const struct peer *r, const struct sockaddr *sa);
void peer_free(struct mediaport *m, struct peer *r);

/* mediaroom.c */
struct media_room *media_room_open(struct mediaport *m, uint32_t handle);
void media_room_close(struct mediaport *m, struct media_room *g);
/* media_room_add, media_room_remove: r is in a room from now on, or in none; then nothing of his is left in
 * it and nothing of it reaches him. */
void media_room_add(struct media_room *g, struct peer *r);
void media_room_remove(struct media_room *g, struct peer *r);
void media_room_rights(struct media_room *g, struct peer *r, bool could_send);
void media_room_put(struct media_room *g, struct peer *r, const struct rtp *h);
void media_room_timeout(struct media_room *g);

#endif
