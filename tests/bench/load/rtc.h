/* rtc.h: the sound of a person at a Janus: DTLS (active), SRTP, and any number of streams towards him, which
 * the product's path (core/session/path.h) does not know. Sans-IO.
 *
 * Invariant: only what authenticated is handed on. Thread: one. */
#ifndef GAVEL_LOAD_RTC_H
#define GAVEL_LOAD_RTC_H

#include "audio/capture.h"
#include "core/media/dtls.h"
#include "core/wire/rtp.h"
#include "core/wire/sdp.h"

struct rtc;
struct rtc_io {
  void (*send)(void *ctx, const uint8_t *p, size_t n);
  void (*audio)(void *ctx, const struct rtp *h);
  void (*state)(void *ctx, bool up); /* once up, and once if it fails */
  void *ctx;
};
/* rtc_create: for what a Janus has said of itself. NULL: its fingerprint cannot be used. */
struct rtc *rtc_create(struct dtls_ctx *dtls, uint32_t ssrc, const struct sdp *theirs,
                       const struct rtc_io *io);
void rtc_start(struct rtc *r, us_t now);
void rtc_handle_packet(struct rtc *r, us_t now, uint8_t *b, size_t n);
void rtc_send(struct rtc *r, const struct capture_packet *k);
void rtc_handle_timeout(struct rtc *r, us_t now);
us_t rtc_next_timeout(const struct rtc *r);
void rtc_destroy(struct rtc *r); /* NULL is fine */

#endif
