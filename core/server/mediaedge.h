/* mediaedge.h: what media threads say to each other about a room larger than one of them.
 *
 * A room has one home, where its mixer is; on other threads it may have edges: peers, tiers and fan-out, but
 * no mixer. The home gives each of the mixer's packets to the edges, an edge gives what its people say,
 * decrypted and checked, to the home. Invariant: who may be heard from an edge is decided at home, by
 * MEDIA_REMOTE from the control side and never by an edge. A message that finds no place is lost like a
 * packet on the network; a lost EDGE_SILENCE is made up for by `cuts` of the next EDGE_SOUND. */
#ifndef GAVEL_SERVER_MEDIAEDGE_H
#define GAVEL_SERVER_MEDIAEDGE_H

#include "core/server/mixer.h"

#define MEDIA_EDGE_PAYLOAD 1500
struct media_edge {
  enum {
    EDGE_SOUND,   /* home to edge: `out`, and who has a PERSONAL stream */
    EDGE_SILENCE, /* home to edge: what is held of sound with `member` in it is dropped */
    EDGE_PACKET   /* edge to home: `in`; its gain and priority are the home's own */
  } kind;
  uint32_t room, member;
  uint32_t cuts; /* how often the home has silenced somebody */
  struct mixer_out out;
  struct mixer_in in; /* of both the payload is `data` */
  size_t n_personal;
  uint32_t personal[MIXER_HEARD_MAX];
  uint8_t data[MEDIA_EDGE_PAYLOAD];
};

#endif
