/* shell_media.h: a media thread: one UDP socket, one mediaport, commands in and events out through mailboxes.
 * Invariant: the thread owns its socket and every room on it; nothing on the way of sound takes a lock.
 * Thread: functions from the control side. */
#ifndef GAVEL_SERVER_SHELL_MEDIA_H
#define GAVEL_SERVER_SHELL_MEDIA_H

#include "core/server/mediaport.h"
#include "core/server/shell_handshake.h"

struct media_thread;
struct media_thread_config {
  const char *listen; /* "" for all addresses (dual stack) */
  uint16_t port;      /* 0: any */
  struct dtls_ctx *dtls;
  struct handshakes *handshakes; /* borrowed, stopped before this thread is; NULL: handshakes are done here */
  unsigned index;
  unsigned packed_from;    /* as mediaport.h */
  bool tcp;                /* listen on TCP of the same port as well (shell_icetcp.h), when it is free */
  void (*wake)(void *ctx); /* called from the media thread after an event was put */
  void *ctx;
};
/* media_thread_start: ERR_PORT_TAKEN, ERR_IO. */
MUST_CHECK enum err media_thread_start(const struct media_thread_config *c, struct media_thread **out);
/* media_threads_link: those that may share a room, each at its `index`; `v` is borrowed. Before the first
 * command to any of them. */
void media_threads_link(struct media_thread *const *v, unsigned n);
uint16_t media_thread_port(const struct media_thread *t);
bool media_thread_has_tcp(const struct media_thread *t);
/* media_thread_command: waits while the mailbox is full: a right that is taken must arrive. */
void media_thread_command(struct media_thread *t, const struct media_cmd *cmd);
/* media_thread_event: the next event; false when none. */
bool media_thread_event(struct media_thread *t, struct media_event *ev);
/* media_thread_counters: a copy at most 1 s old. */
void media_thread_counters(struct media_thread *t, struct mediaport_counters *out);
/* media_thread_halt: it does nothing any more; of linked ones all, before any is stopped. */
void media_thread_halt(struct media_thread *t);
/* media_thread_cpu: what it has used so far. */
us_t media_thread_cpu(const struct media_thread *t);
/* media_thread_alive: whether it has answered the last question of this kind, or that is not 2 s ago; asks
 * anew. Never waits. */
bool media_thread_alive(struct media_thread *t, us_t now);
/* media_thread_carry: a datagram that came by another carrier (carrier.h); dropped when too many wait.
 * media_thread_carried: the next one for a tunnel; false when there is none. */
void media_thread_carry(struct media_thread *t, const struct carried *c);
bool media_thread_carried(struct media_thread *t, struct carried *c);
void media_thread_stop(struct media_thread *t);

#endif
