/* outq.h: how much a TCP connection still holds of what was written to it, sent or not. What it holds cannot
 * be taken back, so sound is only given to it while that is little: a slow line loses sound then, and does
 * not play what was said long ago.
 *
 * Invariant: asks the kernel, changes nothing. Any thread. */
#ifndef GAVEL_BASE_OUTQ_H
#define GAVEL_BASE_OUTQ_H

#include <linux/sockios.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#define OUTQ_SOUND_MAX 4096 /* bytes: half a second of full sound, three of the least */

/* outq_is_long: more than OUTQ_SOUND_MAX wait for the other side's word. */
static inline bool outq_is_long(int fd) {
  int n = 0;
  return ioctl(fd, SIOCOUTQ, &n) == 0 && n > OUTQ_SOUND_MAX;
}

#endif
