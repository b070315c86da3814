/* SDP as other programs write it: bundled lines that lean on another, several sources, video and data beside
 * the audio; and the fragments of trickle ICE (RFC 8840). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/sdp.h"
#include "core/wire/sdp_frag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FP                                                                                                   \
  "a=fingerprint:sha-256 "                                                                                   \
  "7E:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:A4\r\n"
#define ICE "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
#define TRANSPORT ICE FP "a=setup:actpass\r\na=rtcp-mux\r\n"
#define HEAD "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
#define OPUS "a=rtpmap:111 opus/48000/2\r\n"
#define VIDEO "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:v\r\na=rtpmap:96 VP8/90000\r\n"

static const uint8_t FINGERPRINT[32] = {0xAB};
static const struct sdp_candidate CAND = {
    .line = "candidate:1 1 udp 2130706431 192.0.2.1 3478 typ host", .address = "192.0.2.1", .port = 3478};
static const struct sdp_local ME = {.ufrag = "srvU",
                                    .pwd = "serverpasswordserverpass",
                                    .fingerprint = FINGERPRINT,
                                    .ssrc = 4242,
                                    .cand = &CAND,
                                    .n_cand = 1,
                                    .lite = true};

static struct sdp accepted(const char *text) {
  struct sdp s;
  const char *why = NULL;
  if (sdp_parse(text, strlen(text), &s, &why) != ERR_OK)
    fail_msg("%s in:\n%s", why, text);
  return s;
}

static void refused(const char *text, const char *reason) {
  struct sdp s;
  const char *why = NULL;
  assert_int_equal(sdp_parse(text, strlen(text), &s, &why), ERR_BAD_SDP);
  assert_non_null(strstr(why, reason));
}

static char *answered(const struct sdp *s) {
  struct sdp back;
  char *a = sdp_write_answer(s, &ME);
  assert_non_null(a);
  assert_int_equal(sdp_parse(a, strlen(a), &back, NULL), ERR_OK);
  assert_int_equal(back.n_m, s->n_m);
  for (size_t i = 0; i < s->n_m; i++) { /* in order, and under the same names */
    assert_string_equal(back.m[i].media, s->m[i].media);
    assert_string_equal(back.m[i].mid, s->m[i].mid);
  }
  return a;
}

/* The audio is bundled behind a video line and has no transport of its own. */
static void test_bundle_only(void **state) {
  (void)state;
  static const char AUDIO[] =
      "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\na=bundle-only\r\n" OPUS;
  char text[4096];
  snprintf(text, sizeof text,
           HEAD "a=group:BUNDLE v a\r\n" VIDEO TRANSPORT
                "a=candidate:1 1 udp 2130706431 192.0.2.7 50059 typ host\r\na=sendonly\r\n%s",
           AUDIO);
  struct sdp s = accepted(text);
  assert_true(s.m[1].chosen && s.bundle && s.setup == SDP_ACTPASS && s.n_cand == 1 && s.send && s.recv);
  assert_string_equal(s.ufrag, "abcd");
  assert_true(s.fingerprint[0] == 0x7e && s.fingerprint[31] == 0xa4);
  char *a = answered(&s);
  assert_non_null(strstr(a, "a=group:BUNDLE a\r\n"));
  assert_non_null(strstr(a, "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n"));
  free(a);
  snprintf(text, sizeof text, HEAD "a=group:BUNDLE v\r\n" VIDEO TRANSPORT "%s", AUDIO);
  refused(text, "rtcp-mux"); /* not in the group: it has no transport at all */
  snprintf(text, sizeof text, HEAD "a=group:BUNDLE x a\r\n" VIDEO TRANSPORT "%s", AUDIO);
  refused(text, "rtcp-mux"); /* behind a line that is not there */
  snprintf(text, sizeof text,
           HEAD "a=group:BUNDLE v a\r\n" VIDEO TRANSPORT
                "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\n" OPUS);
  refused(text, "no audio"); /* port 0 alone: he refuses it himself */
}

/* Everything of the transport said once, for the session; data channel first. */
static void test_session_level(void **state) {
  (void)state;
  struct sdp s =
      accepted(HEAD "a=group:BUNDLE d a\r\na=msid-semantic: WMS *\r\na=extmap-allow-mixed\r\n" ICE FP
                    "a=setup:active\r\n"
                    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=sctp-port:5000\r\n"
                    "m=audio 9 UDP/TLS/RTP/SAVPF 0 63 111 9\r\na=mid:a\r\na=rtcp-mux\r\n" OPUS
                    "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
                    "a=fmtp:111 stereo=1;sprop-stereo=1;useinbandfec=1;maxaveragebitrate=510000;x-y=z\r\n"
                    "a=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
                    "a=extmap:4096 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                    "a=rid:1 send\r\na=simulcast:send 1;2\r\n");
  assert_true(s.setup == SDP_ACTIVE && s.opus_pt == 111 && s.red_pt == 63 && s.opus_stereo &&
              s.level_id == 14);
  assert_true(s.m[1].chosen && s.bundle && s.maxaveragebitrate == 510000);
  char *a = answered(&s);
  char *data = strstr(a, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n");
  assert_true(data && data < strstr(a, "m=audio 3478 UDP/TLS/RTP/SAVPF 111 63\r\n"));
  assert_null(strstr(a, "stereo"));
  assert_null(strstr(a, "simulcast"));
  free(a);
}

/* GStreamer and aiortc take no refused line without credentials. */
static void test_refused_lines(void **state) {
  (void)state;
  struct sdp s =
      accepted(HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\n" OPUS TRANSPORT VIDEO TRANSPORT);
  char *a = answered(&s), *video = strstr(a, "m=video 0 ");
  assert_non_null(video);
  assert_non_null(strstr(video, "a=inactive\r\n"));
  assert_non_null(strstr(video, "a=ice-ufrag:srvU\r\n"));
  assert_non_null(strstr(video, "a=fingerprint:sha-256 AB:00:"));
  assert_non_null(strstr(video, "a=setup:passive\r\n"));
  assert_null(strstr(video, "a=candidate"));
  free(a);
}

static void test_sources(void **state) {
  (void)state;
#define AUDIO HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" OPUS TRANSPORT
  assert_int_equal(accepted(AUDIO "a=ssrc:7 cname:x\r\na=ssrc:7 msid:a b\r\n").ssrc, 7);
  assert_int_equal(accepted(AUDIO "a=ssrc-group:FID 7 8\r\na=ssrc:7 cname:x\r\na=ssrc:8 cname:x\r\n").ssrc,
                   0);
  refused(AUDIO "a=ssrc:7 cname:x\r\na=ssrc:x\r\n", "ssrc");
}

static enum err frag(const char *text, struct sdp_frag *f) {
  const char *why;
  enum err e = sdp_frag_parse(text, strlen(text), f, &why);
  assert_true((e == ERR_OK) == !why);
  return e;
}

static void test_fragments(void **state) {
  (void)state;
  struct sdp_frag f;
  assert_int_equal(frag("a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\n"
                        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n" ICE
                        "a=candidate:1 1 udp 1 198.51.100.1 61764 typ host generation 0\r\n"
                        "a=candidate:2 1 tcp 1 198.51.100.1 9 typ host tcptype active\r\n"
                        "a=candidate:3 1 udp 1 a-b.local 61765 typ host\r\na=end-of-candidates\r\n"
                        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n" ICE,
                        &f),
                   ERR_OK);
  assert_string_equal(f.ufrag, "abcd");
  assert_string_equal(f.pwd, "0123456789012345678901");
  assert_true(f.n_cand == 3 && f.end);
  assert_int_equal(frag("a=end-of-candidates\n", &f), ERR_OK);
  assert_true(f.end && f.n_cand == 0 && !f.ufrag[0]);
  static const char *const BAD[] = {"",
                                    "\r\n",
                                    "hello",
                                    "a=ice-ufrag:abc\r\n",
                                    "a=ice-ufrag\r\n",
                                    "a=ice-pwd:short\r\n",
                                    ICE "a=ice-ufrag:efgh\r\n",
                                    "a=candidate:1 1 udp 1 198.51.100.1 70000 typ host\r\n",
                                    "a=candidate:\r\n",
                                    "a=mid:\x01\r\n"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    assert_int_equal(frag(BAD[i], &f), ERR_BAD_SDP);
  char *much = calloc(1, SDP_MAX + 2);
  assert_non_null(much);
  size_t n = 0;
  for (size_t i = 0; i <= SDP_CANDIDATES_MAX; i++)
    n += (size_t)snprintf(much + n, SDP_MAX - n, "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n");
  assert_int_equal(frag(much, &f), ERR_BAD_SDP);
  memset(much, 'a', SDP_MAX + 1);
  much[1] = '=';
  assert_int_equal(frag(much, &f), ERR_BAD_SDP);
  free(much);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_bundle_only), cmocka_unit_test(test_session_level),
                                     cmocka_unit_test(test_refused_lines), cmocka_unit_test(test_sources),
                                     cmocka_unit_test(test_fragments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
