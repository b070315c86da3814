/* ocb2.h: OCB2-AES128 as Mumble's UDP voice has it: a block cipher mode with a tag of 16 bytes, of which the
 * packet carries 3, and the lowest byte of its counter. Only for talking to a murmur server under test.
 *
 * Invariant: nothing is handed out whose tag was wrong. Thread: one. */
#ifndef GAVEL_LOAD_OCB2_H
#define GAVEL_LOAD_OCB2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OCB2_HEAD 4
struct ocb2;
/* ocb2_create: both directions' counters are as the server's CryptSetup says. */
struct ocb2 *ocb2_create(const uint8_t key[16], const uint8_t send[16], const uint8_t receive[16]);
/* ocb2_seal: out has room for n + OCB2_HEAD bytes; returns that. */
size_t ocb2_seal(struct ocb2 *c, uint8_t *out, const uint8_t *p, size_t n);
/* ocb2_open: the plain text's length in out (n bytes), 0: not authentic, or more than 127 packets were lost.
 */
size_t ocb2_open(struct ocb2 *c, uint8_t *out, const uint8_t *p, size_t n);
void ocb2_destroy(struct ocb2 *c); /* NULL is fine */

#endif
