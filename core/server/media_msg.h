/* media_msg.h: what the control thread and a media thread say to each other: plain structs through a mailbox.
 *
 * Invariant: handles (peer, room) are chosen by the control side, 32-bit, never reused in a process. A
 * message about an unknown peer is ignored. SET with another room than the peer's moves him: from that call
 * on he is neither heard in the old one nor hears it; what he receives goes on with the same SSRC and without
 * a break in sequence or time. All rooms of one peer are on one thread. SET for a room that is not open takes
 * both rights from him until the next SET and leaves him where he is. CLOSE drops the peers still in the
 * room. */
#ifndef GAVEL_SERVER_MEDIA_MSG_H
#define GAVEL_SERVER_MEDIA_MSG_H

#include "core/base/err.h"
#include "core/media/dtls.h"
#include "core/media/ladder.h"
#include "core/server/carrier.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define MEDIA_TONE_MEMBER (UINT32_MAX - 2) /* who the tones come from, in CSRC lists: nobody */
struct secure;
struct media_peer_params {
  char local_ufrag[9], local_pwd[25]; /* ours for this peer; the ufrag names him on the shared port */
  char hash[8];
  uint8_t fingerprint[64];
  size_t fingerprint_len;
  uint8_t opus_pt;
  uint8_t red_pt; /* 255: none */
  bool nack;      /* lost packets may be asked for again, in both directions; reduced-size RTCP (RFC 5506) */
  uint8_t level_id, csrc_level_id;
  uint32_t ssrc_in;  /* announced by the peer, 0: lock to the first that authenticates */
  uint32_t ssrc_out; /* ours towards him, also our CSRC-free stream identity */
  bool recv, send;   /* the peer wants to receive / may send, by its SDP */
};
struct media_cmd {
  enum {
    MEDIA_ROOM_OPEN,
    MEDIA_ROOM_CLOSE,
    MEDIA_PEER_ADD,
    MEDIA_PEER_SET,
    MEDIA_PEER_DEL,
    MEDIA_SECURED, /* from a handshake thread */
    /* A room on several threads (mediaedge.h): */
    MEDIA_EDGE_OPEN, /* to a thread that helps: `thread` is the room's home. CLOSE as any room */
    MEDIA_EDGE_ADD,  /* to the home: `thread` helps */
    MEDIA_REMOTE,    /* to the home: `member`, who is on `thread`, may speak or not; with gain and priority */
    MEDIA_TONE,   /* to the home: all hear two tones, rising or falling (mediatone.c) */
    MEDIA_PING, /* `peer` counts: media_thread_alive */
    MEDIA_STOP
  } kind;
  uint32_t room, peer;
  uint32_t member; /* CSRC and level reports name people by member id */
  unsigned thread; /* EDGE_*, REMOTE: which other */
  /* ADD and SET, each time all of them: */
  bool may_send, may_hear; /* the bits the media path enforces per packet. Fail closed: false until set */
  bool priority;           /* while he is heard, the others are softer (mixer.h) */
  int8_t gain_db;          /* how much louder he is for all, ROOM_GAIN_MIN_DB..ROOM_GAIN_MAX_DB */
  bool rising;             /* TONE */
  bool hidden;             /* ADD: he only hears, and nothing of the room may show that he does */
  uint16_t kbps;           /* the most he wants to get, on the wire; 0: what his line carries */
  struct media_peer_params params; /* ADD */
  struct secure *secure; /* SECURED: up or failed, the reader's from now on; NULL: came to nothing */
};
/* How a peer's line was since the last STATS: up is what comes from him, down what he gets. */
struct media_stats {
  uint16_t over_ms;                     /* how long that is: less often while all is well */
  uint8_t loss_up, loss_down;           /* percent, before repair */
  uint8_t concealed_up, concealed_down; /* percent of the sound made up; down: as he says, 0 if he does not */
  uint8_t mos_up,
      mos_down; /* MOS-LQ times 10 by the E-model (emodel.h), 0: not known, or there was no sound */
  uint16_t burst_up_ms, burst_down_ms;   /* mean length of a loss */
  uint16_t jitter_ms, rtt_ms, buffer_ms; /* buffer: his, 0: not known */
  uint16_t kbps_up, kbps_down;           /* on the wire, IPv4 headers counted */
  uint64_t in, out;                      /* packets so far */
  uint8_t via;                           /* enum via: by what he is reached */
};
#define MEDIA_LEVELS_MAX 16
struct media_event {
  enum {
    MEDIA_CONNECTED,
    MEDIA_REKEYED,
    MEDIA_FAILED,
    MEDIA_LOST,
    MEDIA_LEVELS,
    MEDIA_STATS,
    MEDIA_TIER
  } kind;
  uint32_t room, peer;
  enum err why;                 /* FAILED: FINGERPRINT, NO_SRTP, DTLS; LOST: consent expired */
  enum srtp_profile_id profile; /* CONNECTED */
  struct sockaddr_storage addr; /* CONNECTED: where he is now */
  /* LEVELS: who is heard in the room now, at most 4 times a second, and once when it falls silent (n = 0) */
  unsigned n;
  struct {
    uint32_t member;
    uint8_t level;
  } level[MEDIA_LEVELS_MAX];
  /* TIER, when it changes, and STATS: what he gets */
  enum media_tier tier;
  uint8_t copies;           /* of each packet, RFC 2198 */
  struct media_stats stats; /* STATS, about every 5 s a peer */
};

#endif
