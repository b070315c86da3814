/* client.h: the client engine as a front end sees it: intents in, events out. Behind it: session.c (the
 * sans-IO state machine), an engine thread (libnice, DTLS-SRTP, timers), a signalling thread (libwebsockets),
 * capture and playout threads.
 *
 * Invariant: no call here blocks; a stuck front end never stops audio (its mailbox fills and snapshots
 * replace what was lost). Thread: all functions from the front end's one thread. */
#ifndef GAVEL_SESSION_CLIENT_H
#define GAVEL_SESSION_CLIENT_H

#include "core/room/room.h"
#include "core/wire/link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum client_state {
  CLIENT_CONNECTING,
  CLIENT_LOBBY, /* place, waiting; from JOINED: a host put him back, text says who and why; the replica of the
                   room is to be forgotten */
  CLIENT_JOINED,
  CLIENT_RECONNECTING, /* lost the server; the person keeps his seat for ROOM_AWAY_MS */
  CLIENT_ENDED         /* final: why, text; ERR_OK when left by himself */
};
enum client_mic {
  MIC_NONE,    /* no input device */
  MIC_CLOSED,  /* gate closed by himself */
  MIC_OPEN,    /* on air */
  MIC_MUTED,   /* muted in the room (by himself or a host): he may unmute */
  MIC_HELD,    /* muted by mute-all with hold: he may not */
  MIC_NO_FLOOR /* his role has no floor */
};
#define CLIENT_KBPS_MIN 6 /* of a wish, besides 0 */
#define CLIENT_KBPS_MAX 1000
#define CLIENT_KBPS_SPEECH 12u /* who wishes less gets speech all the same, and that takes this */
struct client_link {           /* quality of his own path */
  bool connected;              /* media path up */
  const char *profile;         /* SRTP profile, static string, "" before */
  char via[12]; /* by which way: "udp", "turn-udp", "turn-tcp", "turn-tls", "tunnel"; "" before */
  uint8_t loss_down_pct, loss_up_pct;
  uint16_t rtt_ms, jitter_ms, buffer_ms;
  uint16_t playout_ms; /* held ready for the loudspeaker; underruns: how often that was too little */
  uint64_t underruns;
  const char *tier_down,
      *tier_up; /* what he gets and sends: "full", "packed", "low", "min"; static, "" before */
  uint8_t ptime_down_ms, ptime_up_ms; /* of a packet */
  uint8_t copies_down, copies_up;     /* in each packet, RFC 2198 */
  uint8_t concealed_pct;              /* of what he heard lately, made up */
  uint8_t mos_down, mos_up;           /* MOS-LQ times 10, 0: not known; up: as the server hears him */
  uint16_t kbps_down, kbps_up;        /* on the wire, with headers, lately */
  uint16_t limit_kbps;                /* his wish, 0: automatic */
};
struct client_other { /* quality of another's path, as the server sees it; up: from him */
  uint32_t member;    /* 0: not known */
  char tier[8];       /* what he gets */
  char via[8];        /* by what: "udp", "tcp", "turn", "tunnel", or "" */
  uint16_t copies;
  uint16_t loss_up_pct, loss_down_pct, concealed_up_pct, concealed_down_pct;
  uint16_t mos_up, mos_down; /* times 10, 0: not known */
  uint16_t jitter_ms, rtt_ms, buffer_ms, kbps_up, kbps_down;
};
#define CLIENT_LEVELS_MAX 16
struct client_event {
  enum {
    CLIENT_EV_STATE, /* state, why, text, place, waiting, me (own id once known) */
    CLIENT_EV_ROOM,  /* room: a fresh snapshot replaces the replica; receiver owns it (room_free + free) */
    CLIENT_EV_EVENT, /* event: apply it to the replica; receiver owns it (room_event_free + free) */
    CLIENT_EV_REPLY, /* ticket, why, text: how an act ended; text may hold an invite link, a claim code, whom
                        else a ban would hit ("ann, bob"), or a CSV file; see data */
    CLIENT_EV_HISTORY,  /* why; chat, n_chat (oldest first), more: client_history_into puts them in a replica
                         */
    CLIENT_EV_LEVELS,   /* who is heard now; n = 0: silence */
    CLIENT_EV_QUALITY,  /* n people in level_of, level: 0 good, 1 weak, 2 bad line; others as before */
    CLIENT_EV_MIC,      /* mic, level, muted_talk */
    CLIENT_EV_LINK,     /* link */
    CLIENT_EV_OTHER,    /* other: asked for by client_other */
    CLIENT_EV_SECURITY, /* data: how everything is protected, in lines; when something of it has changed */
    CLIENT_EV_MAINTENANCE, /* at_ms, text: the server goes down then; 0: it does not */
    CLIENT_EV_NOTICE,      /* text: one sentence for the person (audio device gone, server restarts, ...) */
    CLIENT_EV_CONSENT,     /* text: the version, data: what the server asks consent to; ENDED with
                              ERR_NEED_CONSENT follows, and nothing of the person has been sent */
    CLIENT_EV_PRIVACY      /* why; data: what is stored about oneself, as lines; text: the refusal */
  } kind;
  enum client_state state;
  enum err why;
  uint32_t me;
  unsigned place, waiting;
  struct room *room;
  struct room_event *event;
  uint32_t ticket;
  unsigned n;
  struct {
    uint32_t member;
    uint8_t level;
  } level_of[CLIENT_LEVELS_MAX];
  int64_t at_ms; /* wall time */
  enum client_mic mic;
  uint8_t level;   /* own input, -dBov */
  bool muted_talk; /* he talks while muted */
  struct client_link link;
  struct client_other other;
  char text[640];
  char *data; /* REPLY: the whole text when it is longer than fits in `text`, else NULL; CONSENT, PRIVACY,
                 SECURITY: the text. Receiver owns it */
  struct chat *chat; /* HISTORY: receiver owns it and the texts */
  size_t n_chat;
  bool more; /* there are still older ones */
};

struct client;
struct client_monitor { /* an operator who listens in (docs/protocol.md, section 7); mode "": he does not */
  char mode[8];         /* "listen": announced; "silent" */
  char reason[201], ticket[65];
  unsigned minutes; /* of silent: 1 to 10 */
};
struct client_config {
  struct link link;
  struct client_monitor monitor; /* with a token of a session; state JOINED says that he listens */
  char name[TEXT_NAME_MAX + 1];
  const char
      *password;     /* NULL: none. Ended with ERR_NEED_PASSWORD or ERR_BAD_PASSWORD: start again with one */
  const char *token; /* who he is: of a session (`gavel login`) or for joining; NULL: a guest */
  const char *input, *output; /* as struct device_config */
  bool loop;                  /* file input starts again */
  bool no_audio;              /* moderate only: no media path at all */
  bool mic_open;              /* gate at start */
  bool aec, ns, agc;
  unsigned kbps;         /* the most his line may carry in each direction, 0: automatic */
  const char *consent;   /* version of the consent text that was accepted; NULL: none */
  const char *device_id; /* install id, any text; hashed before it is sent; "" for none */
};
/* client_start: begins connecting. NULL with *why (a sentence) when threads or descriptors cannot be had.
 * Strings are copied. */
struct client *client_start(const struct client_config *c, const char **why);
/* client_fd: readable while events wait. client_poll: the next event; false when none. */
int client_fd(const struct client *c);
bool client_poll(struct client *c, struct client_event *ev);
/* client_event_free: what a polled event owns (room, event, data, chat); for events one does not keep. */
void client_event_free(struct client_event *ev);
/* client_act: send an act; the reply carries the ticket returned here (never 0). Targets and text are copied.
 */
uint32_t client_act(struct client *c, const struct room_cmd *cmd);
/* client_history: ask for up to 100 messages older than message `before`; one page at a time (more calls are
 * ignored). CLIENT_EV_HISTORY brings them. */
void client_history(struct client *c, uint64_t before);
/* client_history_into: move the messages of such an event that are older than the replica's oldest into it,
 * so that later edits and deletions reach them too; returns how many. Free the event afterwards. */
size_t client_history_into(struct room *replica, struct client_event *ev);
/* client_mic_gate: open or close the microphone (push-to-talk). Local and immediate; the room is not told. */
void client_mic_gate(struct client *c, bool open);
/* client_audio: change devices in the call ("" default). */
void client_audio(struct client *c, const char *input, const char *output);
/* client_bandwidth: the most his line may carry from now on, in kb/s and each direction; 0: automatic. */
void client_bandwidth(struct client *c, unsigned kbps);
/* client_other: how good that person's line is: CLIENT_EV_OTHER, or nothing when the server says nothing
 * (only who moderates may ask). One question at a time, more are ignored. */
void client_other(struct client *c, uint32_t member);
/* client_privacy: ask what is stored about oneself (CLIENT_EV_PRIVACY), or withdraw the consent: that ends
 * it. */
void client_privacy(struct client *c, bool withdraw);
/* client_leave: leave politely; CLIENT_EV_STATE/CLIENT_ENDED follows within 2 s. */
void client_leave(struct client *c);
/* client_stop: stop all threads and free, politely or not. */
void client_stop(struct client *c);

#endif
