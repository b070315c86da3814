/* mailbox.h: the one door for messages between threads: fixed-size records, bounded, with an eventfd to poll
 * on.
 *
 * Invariant: records leave in the order they entered; a full box refuses, it never blocks and never
 * overwrites. Thread: any number of writers (a short mutex), one reader. Not for audio samples: those use
 * audio/ring.h. */
#ifndef GAVEL_BASE_MAILBOX_H
#define GAVEL_BASE_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

struct mailbox;

/* mailbox_create: `capacity` records of `size` bytes; NULL when out of memory or file descriptors. */
struct mailbox *mailbox_create(size_t size, size_t capacity);
/* mailbox_put: copy one record in and wake the reader. False when full: the caller decides what that means.
 */
bool mailbox_put(struct mailbox *m, const void *record);
/* mailbox_get: copy the oldest record out. False when empty (the wake-up is then cleared). Reader only. */
bool mailbox_get(struct mailbox *m, void *record);
/* mailbox_fd: readable while records wait; for poll/epoll/GLib. Owned by the mailbox. */
int mailbox_fd(const struct mailbox *m);
/* mailbox_destroy: frees; NULL is fine. Records still inside are dropped: drain first if they own memory. */
void mailbox_destroy(struct mailbox *m);

#endif
