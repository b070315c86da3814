/* srtp_plug.h: OpenSSL's AES-CTR, AES-GCM and HMAC-SHA1 for libsrtp2, in place of the ones it was built with.
 *
 * Private to core/media. Invariant: each type passed libsrtp's self-test before it is used. Thread: install
 * once, after srtp_init and before any session; the types are const, a cipher or auth object belongs to its
 * session. */
#ifndef GAVEL_MEDIA_SRTP_PLUG_H
#define GAVEL_MEDIA_SRTP_PLUG_H

#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <stdbool.h>

extern const srtp_cipher_type_t srtp_plug_icm_128, srtp_plug_icm_256, srtp_plug_gcm_128, srtp_plug_gcm_256;
extern const srtp_auth_type_t srtp_plug_hmac_sha1;

/* srtp_plug_install: false when libsrtp refuses a type or its self-test fails. */
bool srtp_plug_install(void);

#endif
