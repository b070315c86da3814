/* sdp.h: the audio part of WebRTC SDP (RFC 8866, 8829, 8122, 8839, 7587): offers in, answers out, and the
 * reverse.
 *
 * Invariant: what sdp_parse accepts has exactly one usable audio m-line over UDP/TLS/RTP/SAVPF (others are
 * remembered to be refused with port 0), a SHA-256/384/512 fingerprint, ufrag/pwd within RFC 8839 lengths.
 * Limits: 16 KiB, 500 lines, 8 m-lines, 32 candidates. Pure; any thread. */
#ifndef GAVEL_WIRE_SDP_H
#define GAVEL_WIRE_SDP_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SDP_MAX 16384
#define SDP_CANDIDATES_MAX 32
#define SDP_MLINES_MAX 8
struct sdp_candidate {
  char line[160]; /* "candidate:..." without "a="; of a parsed one rewritten in plain form, the related
                     address blanked */
  char address[64];
  uint16_t port;
  bool udp, host;
};
enum sdp_setup { SDP_ACTPASS, SDP_ACTIVE, SDP_PASSIVE };
enum sdp_dir { SDP_DIR_NONE, SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };
#define SDP_REKEY_MAX 10000000 /* seconds */

struct sdp {
  bool ice_lite, rtcp_rsize;
  bool bundle; /* the chosen line is in a BUNDLE group */
  char ufrag[257], pwd[257];
  char hash[8];            /* "sha-256" */
  uint8_t fingerprint[64]; /* sha-256: 32 bytes used */
  size_t fingerprint_len;
  enum sdp_setup setup;
  char mid[33];    /* empty when not given */
  bool send, recv; /* of the one who wrote it */
  uint8_t opus_pt; /* 0..63 or 96..127: the others collide with RTCP (RFC 5761) */
  uint8_t red_pt;  /* 255 none */
  bool nack;       /* a=rtcp-fb: lost Opus, bare or in RED, may be asked for again (RFC 4585) */
  bool opus_fec, opus_dtx, opus_stereo;
  unsigned maxptime_ms, ptime_ms, maxaveragebitrate; /* 0 = not given */
  uint8_t level_id, csrc_level_id;                   /* header extension ids 1..14, 0 = not offered */
  /* the ids' "/sendonly" and so on (RFC 8285); SDP_DIR_NONE: without */
  enum sdp_dir level_dir, csrc_level_dir;
  uint32_t ssrc;    /* of a=ssrc, 0 when absent, or when there are several */
  uint32_t rekey_s; /* of our own a=x-gavel-rekey: new keys this often, 0 never */
  struct sdp_candidate cand[SDP_CANDIDATES_MAX];
  size_t n_cand;
  /* every m-line in order, so that an answer can refuse the others */
  struct {
    char media[16], proto[32], fmt[64], mid[33]; /* fmt: the first format */
    bool chosen;
  } m[SDP_MLINES_MAX];
  size_t n_m;
};
/* sdp_parse: offers and answers alike. ERR_BAD_SDP with *why (static sentence; why may be NULL). */
MUST_CHECK enum err sdp_parse(const char *text, size_t n, struct sdp *out, const char **why);

struct sdp_local { /* what we say of ourselves */
  const char *ufrag, *pwd;
  const uint8_t *fingerprint; /* SHA-256 of our certificate */
  uint32_t ssrc;
  const struct sdp_candidate *cand; /* the first is the default one of the c= line */
  size_t n_cand;
  bool lite;
  uint32_t rekey_s; /* 0: not said */
};
/* sdp_write_answer: the server's one answer: passive, opus with useinbandfec=1;usedtx=1, RED behind it and
 * level extensions where they were offered, NACK only with reduced-size RTCP, other m-lines refused.
 * malloc'd; caller frees. NULL when out of memory or when the offer is setup:passive (then nobody would start
 * DTLS). */
char *sdp_write_answer(const struct sdp *offer, const struct sdp_local *me);
/* sdp_write_offer: the client's offer: one audio line, opus 111, RED 112 of it (RFC 2198), NACK,
 * ssrc-audio-level id 1, csrc-audio-level id 2, actpass. malloc'd. */
char *sdp_write_offer(const struct sdp_local *me);

#endif
