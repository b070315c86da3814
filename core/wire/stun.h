/* stun.h: the STUN of ICE connectivity checks: RFC 8489 binding requests and responses with short-term
 * credentials and FINGERPRINT, ICE attributes of RFC 8445 section 7.
 *
 * Invariant: attributes after MESSAGE-INTEGRITY (but FINGERPRINT) are ignored; a message without valid
 * FINGERPRINT and integrity never yields a result. Pure; any thread. */
#ifndef GAVEL_WIRE_STUN_H
#define GAVEL_WIRE_STUN_H

#include "core/base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STUN_MAX 548 /* we never build larger ones; larger ones are refused */
struct stun {
  bool request, success, error; /* binding class; indications set none */
  uint8_t tid[12];
  const char *username; /* borrowed, not NUL-terminated */
  size_t username_len;
  bool use_candidate, controlling, controlled, has_priority;
  uint32_t priority;
  uint64_t tie_breaker;
  bool has_mapped;
  struct sockaddr_storage mapped; /* XOR-MAPPED-ADDRESS of a response */
  int error_code;                 /* of an error response, 0 else */
  size_t integrity_at;            /* offset of MESSAGE-INTEGRITY, 0 when absent */
};
/* stun_looks_like: the demultiplexing test of RFC 7983 plus the magic cookie. */
bool stun_looks_like(const uint8_t *p, size_t n);
/* stun_parse: structure and FINGERPRINT (must be present and right). ERR_BAD_STUN. Unknown
 * comprehension-required attributes refuse. */
MUST_CHECK enum err stun_parse(const uint8_t *p, size_t n, struct stun *out);
/* stun_check: MESSAGE-INTEGRITY (HMAC-SHA1) with the short-term password; constant time, false when absent.
 */
bool stun_check(const uint8_t *p, size_t n, const struct stun *s, const char *password);
/* stun_ufrag_local: of "local:remote" in USERNAME the local part; length into *n, NULL when malformed. */
const char *stun_ufrag_local(const struct stun *s, size_t *n);

/* The builders return the length, 0 when cap is too small (STUN_MAX suffices for a username of up to 460
 * bytes). */
size_t stun_build_request(uint8_t *out, size_t cap, const uint8_t tid[12], const char *username,
                          const char *password, bool controlling, uint64_t tie_breaker, uint32_t priority,
                          bool use_candidate);
size_t stun_build_success(uint8_t *out, size_t cap, const uint8_t tid[12], const struct sockaddr *mapped,
                          const char *password);
size_t stun_build_error(uint8_t *out, size_t cap, const uint8_t tid[12], int code, const char *password);

#endif
