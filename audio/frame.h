/* frame.h: the one PCM format inside: 48 kHz, mono, float -1..1, and its arithmetic.
 * Invariant: everything between a device and Opus is this format. Depends on nothing of ours. */
#ifndef GAVEL_AUDIO_FRAME_H
#define GAVEL_AUDIO_FRAME_H

#define AUDIO_RATE 48000
#define AUDIO_MS(ms) ((ms) * (AUDIO_RATE / 1000)) /* samples */
#define AUDIO_FRAME AUDIO_MS(20)
#define AUDIO_FRAME_MAX AUDIO_MS(120)
#define AUDIO_PACKET_MAX 1275   /* bytes of one Opus frame at most; our packets stay far below */
#define AUDIO_BLOCK AUDIO_MS(5) /* what a device moves at a time */

#endif
