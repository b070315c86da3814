/* bytes.h: bounded reading and writing of bytes, base64url and hex, SHA-256, constant-time compare.
 *
 * Invariant: a reader or writer that ran over stays failed (`ok` false) and reads zeros / writes nothing, so
 * a parser checks once at the end. Big endian (network order). Pure; any thread. */
#ifndef GAVEL_BASE_BYTES_H
#define GAVEL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
  const uint8_t *p, *end;
  bool ok;
};
struct writer {
  uint8_t *p, *start, *end;
  bool ok;
};

/* A reader over n borrowed bytes, what is left of them, and unsigned integers from its front. */
struct reader reader_of(const void *p, size_t n);
size_t reader_left(const struct reader *r);
uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u24(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
/* read_bytes: a borrowed pointer to n bytes inside the input, or NULL (and ok = false). */
const uint8_t *read_bytes(struct reader *r, size_t n);

/* A writer into n borrowed bytes, what was written so far, and integers or bytes at its end. */
struct writer writer_of(void *p, size_t n);
size_t writer_len(const struct writer *w);
void write_u8(struct writer *w, unsigned v);
void write_u16(struct writer *w, unsigned v);
void write_u32(struct writer *w, uint32_t v);
void write_u64(struct writer *w, uint64_t v);
void write_bytes(struct writer *w, const void *p, size_t n);

/* b64url_encode: RFC 4648 section 5 without padding, NUL-terminated; out needs 4*((n+2)/3)+1. Returns the
 * length. */
size_t b64url_encode(const void *in, size_t n, char *out);
/* b64url_decode: strict (no padding, canonical trailing bits); returns bytes written or -1; out holds cap
 * bytes. */
int b64url_decode(const char *in, size_t n, uint8_t *out, size_t cap);
/* hex_encode: lower case, NUL-terminated; out needs 2n+1. */
void hex_encode(const void *in, size_t n, char *out);
/* hex_decode: n hex digits (even) into n/2 bytes; false on any other character. */
bool hex_decode(const char *in, size_t n, uint8_t *out);

/* sha256: FIPS 180-4. */
void sha256(const void *in, size_t n, uint8_t out[32]);
/* bytes_equal_ct: constant-time compare of secrets. */
bool bytes_equal_ct(const void *a, const void *b, size_t n);

#endif
