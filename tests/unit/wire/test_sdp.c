/* SDP: offers of Chromium, Firefox, aiortc and GStreamer, our answers to them, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/sdp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[4 * SDP_MAX];

/* A vector of tests/vectors/sdp as text. */
static size_t load(const char *name) {
  char path[200];
  snprintf(path, sizeof path, "%s/tests/vectors/sdp/%s", GAVEL_SRCDIR, name);
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  size_t n = fread(text, 1, sizeof text - 1, f);
  fclose(f);
  text[n] = '\0';
  return n;
}

static struct sdp parse_file(const char *name) {
  struct sdp s;
  const char *why;
  assert_int_equal(sdp_parse(text, load(name), &s, &why), ERR_OK);
  assert_null(why);
  return s;
}

static const uint8_t FINGERPRINT[32] = {0xAB, 1, 2, 3, [31] = 0xFF};
static const struct sdp_candidate CAND[2] = {
    {.line = "candidate:1 1 udp 2130706431 192.0.2.1 3478 typ host", .address = "192.0.2.1", .port = 3478},
    {.line = "candidate:2 1 udp 2130706175 2001:db8::1 3478 typ host",
     .address = "2001:db8::1",
     .port = 3478}};
static const struct sdp_local ME = {.ufrag = "srvU",
                                    .pwd = "serverpasswordserverpass",
                                    .fingerprint = FINGERPRINT,
                                    .ssrc = 4242,
                                    .cand = CAND,
                                    .n_cand = 2,
                                    .lite = true};

/* Our answer: it must itself parse, with our values and the offer's mid and payload type. The caller frees
 * it. */
static char *answer(const struct sdp *offer, struct sdp *back) {
  char *a = sdp_write_answer(offer, &ME);
  const char *why;
  assert_non_null(a);
  if (sdp_parse(a, strlen(a), back, &why) != ERR_OK)
    fail_msg("%s in:\n%s", why, a);
  assert_true(back->ice_lite && back->setup == SDP_PASSIVE && back->opus_fec && back->opus_dtx);
  assert_string_equal(back->ufrag, "srvU");
  assert_string_equal(back->pwd, ME.pwd);
  assert_int_equal(back->fingerprint_len, 32);
  assert_memory_equal(back->fingerprint, FINGERPRINT, 32);
  assert_int_equal(back->opus_pt, offer->opus_pt);
  assert_int_equal(back->red_pt, offer->red_pt);
  assert_string_equal(back->mid, offer->mid);
  assert_int_equal(back->bundle, offer->bundle);
  assert_int_equal(back->rtcp_rsize, offer->rtcp_rsize);
  assert_int_equal(back->nack, offer->nack && offer->rtcp_rsize);
  assert_true(back->send == offer->recv && back->recv == offer->send);
  assert_int_equal(back->n_m, offer->n_m);
  for (size_t i = 0; i < offer->n_m; i++) {
    assert_string_equal(back->m[i].mid, offer->m[i].mid);
    assert_int_equal(back->m[i].chosen, offer->m[i].chosen);
  }
  assert_int_equal(back->n_cand, 2);
  assert_string_equal(back->cand[1].line, CAND[1].line);
  assert_non_null(strstr(a, "a=end-of-candidates\r\n"));
  return a;
}

static void chromium(void **state) {
  (void)state;
  struct sdp s = parse_file("chromium-offer.sdp"), back;
  assert_string_equal(s.ufrag, "CcDA");
  assert_string_equal(s.pwd, "JxmWwpBouI8Vs0nFxBQD3JHv");
  assert_string_equal(s.hash, "sha-256");
  assert_true(s.fingerprint[0] == 0x7e && s.fingerprint[31] == 0xa4 && s.fingerprint_len == 32);
  assert_true(s.setup == SDP_ACTPASS && s.send && s.recv && !s.ice_lite && s.rtcp_rsize && s.bundle);
  assert_true(s.opus_pt == 111 && s.red_pt == 63 && s.opus_fec && !s.opus_dtx && !s.opus_stereo);
  assert_true(s.level_id == 1 && s.csrc_level_id == 0 && s.ssrc == 1077458038 && s.n_cand == 0 && s.n_m == 1);
  char *a = answer(&s, &back);
  assert_true(back.level_id == 1 && back.csrc_level_id == 0 && back.ssrc == 4242);
  assert_non_null(strstr(a, "a=group:BUNDLE 0\r\n"));
  assert_non_null(strstr(a, "m=audio 3478 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 192.0.2.1\r\n"));
  assert_non_null(strstr(a, "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"));
  assert_non_null(strstr(a, "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n"));
  free(a);

  s = parse_file("chromium-offer-red-first.sdp");
  assert_true(s.opus_pt == 111 && s.red_pt == 63 && s.n_cand == 4); /* the four TCP ones are left out */
  assert_string_equal(s.cand[3].address, "fd00::2");
  assert_string_equal(s.cand[2].line, "candidate:2886915172 1 udp 2122267903 ::1 59034 typ host");
  free(answer(&s, &back));
}

static void aiortc(void **state) {
  (void)state;
  struct sdp s = parse_file("aiortc-offer.sdp"), back;
  assert_true(s.opus_pt == 96 && s.red_pt == 255 && s.level_id == 2 && !s.opus_fec && !s.rtcp_rsize);
  assert_int_equal(s.n_cand, 2);
  assert_int_equal(s.cand[0].port, 50059);
  assert_string_equal(s.cand[0].line,
                      "candidate:f957a2332b1715da3b0ef8ba684454eb 1 udp 2130706431 192.0.2.2 50059 typ host");
  char *a = answer(&s, &back);
  assert_null(strstr(a, "red/")); /* who does not offer it is not sent it */
  assert_null(strstr(a, "rtcp-rsize"));
  assert_non_null(strstr(a, "a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"));
  free(a);
}

/* Three m-lines, session-level fingerprint, mDNS, TCP, and an extension that is only received. */
static void firefox(void **state) {
  (void)state;
  struct sdp s = parse_file("firefox-offer.sdp"), back;
  assert_true(s.opus_pt == 109 && s.opus_stereo && s.opus_fec && s.fingerprint[0] == 0x8c);
  assert_true(s.level_id == 1 && s.level_dir == SDP_DIR_NONE);
  assert_true(s.csrc_level_id == 2 && s.csrc_level_dir == SDP_RECVONLY);
  assert_int_equal(s.n_cand, 2);
  assert_string_equal(s.cand[0].line,
                      "candidate:1 1 udp 1686052863 203.0.113.7 57311 typ srflx raddr 0.0.0.0 rport 9");
  assert_true(!s.cand[0].host && s.cand[0].udp);
  assert_string_equal(s.cand[1].address, "198.51.100.20");
  assert_int_equal(s.n_m, 3);
  char *a = answer(&s, &back);
  assert_non_null(strstr(a, "a=group:BUNDLE 0\r\n"));
  assert_non_null(strstr(a, "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"));
  assert_non_null(strstr(a, "a=extmap:2/sendonly urn:ietf:params:rtp-hdrext:csrc-audio-level\r\n"));
  char *video = strstr(a, "m=video 0 UDP/TLS/RTP/SAVPF 120\r\n"),
       *data = strstr(a, "m=application 0 UDP/DTLS/SCTP ");
  assert_true(video && data && video < data && strstr(a, "m=audio ") < video);
  assert_non_null(strstr(video, "a=mid:1\r\n"));
  free(a);
}

/* The audio line is the second, its codec in capitals, and it only sends. */
static void webrtcbin(void **state) {
  (void)state;
  struct sdp s = parse_file("webrtcbin-offer.sdp"), back;
  assert_true(s.opus_pt == 97 && s.opus_fec && s.send && !s.recv && s.m[1].chosen && !s.m[0].chosen);
  assert_string_equal(s.mid, "audio1");
  char *a = answer(&s, &back);
  assert_non_null(strstr(a, "a=group:BUNDLE audio1\r\n"));
  assert_true(strstr(a, "m=video 0 ") < strstr(a, "m=audio 3478 "));
  assert_non_null(strstr(a, "a=recvonly\r\n"));
  assert_null(strstr(a, "a=ssrc:"));
  free(a);
}

static void session_level(void **state) {
  (void)state;
  struct sdp s = parse_file("session-level-lf.sdp"), back;
  assert_true(s.ice_lite && s.setup == SDP_ACTIVE && !s.send && s.recv && s.level_id == 7);
  assert_string_equal(s.ufrag, "abcd");
  assert_string_equal(s.hash, "sha-384");
  assert_true(s.fingerprint_len == 48 && s.fingerprint[47] == 0x2f);
  assert_true(s.opus_pt == 101 && s.opus_dtx && !s.opus_fec && s.maxaveragebitrate == 20000);
  assert_true(s.ptime_ms == 20 && s.maxptime_ms == 60 && s.mid[0] == '\0' && !s.bundle);
  char *a = answer(&s, &back);
  assert_null(strstr(a, "a=mid"));
  assert_null(strstr(a, "BUNDLE"));
  free(a);
}

/* What the client offers, the server reads with the same values, and the client reads the answer. */
static void own_offer(void **state) {
  (void)state;
  struct sdp_local me = ME;
  me.lite = false;
  char *offer = sdp_write_offer(&me);
  struct sdp s, back;
  assert_int_equal(sdp_parse(offer, strlen(offer), &s, NULL), ERR_OK);
  assert_true(!s.ice_lite && s.setup == SDP_ACTPASS && s.send && s.recv && s.opus_pt == 111 &&
              s.red_pt == 112 && s.nack && s.rtcp_rsize);
  assert_true(s.opus_fec && s.opus_dtx && s.level_id == 1 && s.csrc_level_id == 2 && s.ssrc == 4242 &&
              s.bundle);
  assert_string_equal(s.ufrag, ME.ufrag);
  assert_string_equal(s.pwd, ME.pwd);
  assert_memory_equal(s.fingerprint, FINGERPRINT, 32);
  assert_true(s.n_cand == 2 && s.cand[0].host && s.cand[0].udp && s.cand[0].port == 3478);
  assert_string_equal(s.cand[0].line, CAND[0].line);
  free(offer);
  free(answer(&s, &back));
  assert_true(back.level_id == 1 && back.csrc_level_id == 2);
  me.n_cand = 0;
  offer = sdp_write_offer(&me);
  assert_non_null(strstr(offer, "m=audio 9 UDP/TLS/RTP/SAVPF 111 112\r\nc=IN IP4 0.0.0.0\r\n"));
  free(offer);
}

/* An answer reads like an offer: aiortc's to what sdp_write_offer makes. */
static void foreign_answer(void **state) {
  (void)state;
  struct sdp s = parse_file("aiortc-answer.sdp");
  assert_true(s.setup == SDP_ACTIVE && s.opus_pt == 111 && s.level_id == 1 && s.csrc_level_id == 0);
  assert_true(!s.ice_lite && s.send && s.recv && s.ssrc == 2109152217 && s.n_cand == 2);
  assert_string_equal(s.pwd, "feQvWJEhuei5Zanzwe4n6A");
}

/* Replace `from` in the aiortc offer (or cut it out) and parse: the reason, or NULL when accepted. */
static const char *with(const char *from, const char *to, struct sdp *s) {
  static char changed[4 * SDP_MAX];
  load("aiortc-offer.sdp");
  char *at = strstr(text, from);
  assert_non_null(at);
  int n = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
  assert_true(n > 0 && (size_t)n < sizeof changed);
  const char *why;
  enum err e = sdp_parse(changed, (size_t)n, s, &why);
  assert_true((e == ERR_OK) == (why == NULL) && (e == ERR_OK || e == ERR_BAD_SDP));
  return why;
}
#define REFUSED(from, to, reason)                                                                            \
  do {                                                                                                       \
    struct sdp s_;                                                                                           \
    const char *why_ = with(from, to, &s_);                                                                  \
    assert_non_null(why_);                                                                                   \
    assert_non_null(strstr(why_, reason));                                                                   \
  } while (0)
#define PWD "lAfEOYYDtYAbUppe4SentG"
#define C256                                                                                                 \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                                         \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                                         \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                                         \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void refused(void **state) {
  (void)state;
  REFUSED("v=0", "v=1", "v=0");
  REFUSED("s=-", "s", "x=value");
  REFUSED("s=-", "s=\x01", "control character");
  REFUSED("a=rtcp-mux\r\n", "", "rtcp-mux");
  REFUSED("m=audio", "m=video", "no audio");
  REFUSED("audio 50059", "audio 0", "no audio");
  REFUSED("audio 50059", "audio 65536", "m-line");
  REFUSED("audio 50059", "audio 9/2", "m-line");
  REFUSED("UDP/TLS/RTP/SAVPF 96 0 8", "UDP/TLS/RTP/SAVPF", "m-line");
  REFUSED("UDP/TLS/RTP/SAVPF", "RTP/AVP", "no audio");
  REFUSED("96 0 8", "96 128", "payload type");
  REFUSED("a=rtpmap:96 opus/48000/2", "a=rtpmap:96 opus/48000", "opus");
  REFUSED("ufrag:gJwz", "ufrag:gJw", "ufrag");
  REFUSED("ufrag:gJwz", "ufrag:" C256 "x", "ufrag");
  REFUSED("ufrag:gJwz", "ufrag:gJ z", "ufrag");
  REFUSED("a=ice-ufrag:gJwz\r\n", "a=ice-ufrag\r\n", "ufrag");
  REFUSED("pwd:" PWD, "pwd:lAfEOYYDtYAbUppe4Sent", "pwd");
  REFUSED("a=fingerprint:sha-256 E1", "a=fingerprint:sha-1 E1", "fingerprint");
  REFUSED("sha-256 E1:D7", "sha-256 E1:D", "length");
  REFUSED("sha-256 E1:D7", "sha-256 E1:G7", "malformed");
  REFUSED("sha-256 E1:D7", "sha-256 E1D:7", "malformed");
  REFUSED("sha-256", "sha-512", "length");
  REFUSED("a=setup:actpass", "a=setup:holdconn", "setup");
  REFUSED("a=setup:actpass\r\n", "", "setup");
  REFUSED("a=extmap:1 ", "a=extmap:0 ", "extmap");
  REFUSED("a=extmap:1 ", "a=extmap:x ", "extmap");
  REFUSED("a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid",
          "a=extmap:2 urn:ietf:params:rtp-hdrext:csrc-audio-level", "same id");
  REFUSED("a=ssrc:2691792943", "a=ssrc:4294967296", "ssrc");
  REFUSED("a=mid:0", "a=mid:0123456789012345678901234567890123", "mid");
  REFUSED("a=mid:0", "a=mid:0\r\na=mid:1", "mid");
  REFUSED("a=setup:actpass\r\n", "a=setup:actpass\r\nm=video 9 X 1\r\na=mid:0\r\n", "same mid");
  REFUSED("1 udp 2130706431 192.0.2.2 50059", "1 udp 2130706431 192.0.2.2 70000", "candidate");
  REFUSED("a=end-of-candidates", "a=candidate:", "candidate");
  REFUSED("a=end-of-candidates", "a=candidate:1 1 udp 1 192.0.2.3 9", "candidate");
  struct sdp s;
  assert_int_equal(sdp_parse("", 0, &s, NULL), ERR_BAD_SDP);
  assert_int_equal(sdp_parse("v=0\0m=", 6, &s, NULL), ERR_BAD_SDP);
}

static void accepted(void **state) {
  (void)state;
  struct sdp s;
  assert_null(with("ufrag:gJwz", "ufrag:" C256, &s));
  assert_int_equal(strlen(s.ufrag), 256);
  assert_null(with("pwd:" PWD, "pwd:" C256, &s));
  assert_null(with("a=sendrecv", "a=inactive", &s));
  assert_true(!s.send && !s.recv);
  assert_null(with("a=sendrecv\r\n", "", &s));
  assert_true(s.send && s.recv);
  assert_null(with("a=extmap:2 ", "a=extmap:15 ", &s)); /* needs the two-byte form: not ours */
  assert_int_equal(s.level_id, 0);
  assert_null(with("a=extmap:2 ", "a=extmap:14/sendrecv ", &s));
  assert_true(s.level_id == 14 && s.level_dir == SDP_SENDRECV);
  assert_null(with("a=extmap:2 ", "a=extmap:2/inactive ", &s));
  assert_int_equal(s.level_id, 0);
  assert_null(with("a=extmap:2 ", "a=extmap:2/recvonly ", &s)); /* he will not send levels */
  struct sdp back;
  free(answer(&s, &back));
  assert_int_equal(back.level_id, 0);
  assert_null(with("a=setup:actpass", "a=setup:passive", &s));
  assert_null(sdp_write_answer(&s, &ME));
  /* candidates of no use are passed over, not refused */
  assert_null(with(
      "a=end-of-candidates",
      "a=candidate:1 1 udp 9 fe80::1%eth0 9 typ host\r\na=candidate:1 1 udp 9 host.example 9 typ host\r\n"
      "a=candidate:1 1 udp 9 a.local 9 typ host\r\na=candidate:1 1 udp 9 192.0.2.7 9 typ prflx\r\n"
      "a=candidate:1 2 udp 9 192.0.2.7 9 typ host\r\na=candidate:1 1 TCP 9 192.0.2.7 9 typ host",
      &s));
  assert_int_equal(s.n_cand, 2);
}

/* `count` times `line` in place of the end-of-candidates line. */
static const char *many(const char *line, size_t count, struct sdp *s) {
  static char lines[3 * SDP_MAX];
  size_t n = 0;
  for (size_t i = 0; i < count; i++)
    n += (size_t)snprintf(lines + n, sizeof lines - n, "%s\r\n", line);
  return with("a=end-of-candidates\r\n", lines, s);
}

static void limits(void **state) {
  (void)state;
  struct sdp s;
  assert_null(many("a=x", 400, &s));
  assert_non_null(strstr(many("a=x", 500, &s), "many lines"));
  assert_non_null(strstr(many("a=candidate:1 1 udp 9 192.0.2.7 9 typ host", 31, &s), "many candidates"));
  assert_null(many("a=candidate:1 1 udp 9 192.0.2.7 9 typ host", 30, &s));
  assert_int_equal(s.n_cand, SDP_CANDIDATES_MAX);
  assert_null(many("a=candidate:1 1 tcp 9 192.0.2.7 9 typ host", 100, &s));
  assert_non_null(
      strstr(many("a=fmtp:96 "
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                  300, &s),
             "too long"));
#define M "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
  assert_null(with("a=setup:actpass\r\n", "a=setup:actpass\r\n" M M M M M M M, &s));
  assert_int_equal(s.n_m, SDP_MLINES_MAX);
  REFUSED("a=setup:actpass\r\n", "a=setup:actpass\r\n" M M M M M M M M, "many m-lines");
#define F " 0 0 0 0 0 0 0 0"
  assert_null(with("96 0 8", "96" F F F F F F F " 0 0 0 0 0 0 0", &s));
  REFUSED("96 0 8", "96" F F F F F F F F, "many payload types");
}

/* Of two audio lines the first usable one is taken; a payload type in RTCP's range is passed over. */
static void choice(void **state) {
  (void)state;
  struct sdp s;
  assert_null(with("m=audio 50059 UDP/TLS/RTP/SAVPF 96 0 8",
                   "m=audio 9 RTP/SAVP 0\r\na=mid:p\r\nm=audio 50059 UDP/TLS/RTP/SAVPF 72 97 96\r\n"
                   "a=rtpmap:72 opus/48000/2\r\na=rtpmap:97 red/48000/2",
                   &s));
  assert_true(s.n_m == 2 && s.m[1].chosen && !s.m[0].chosen && s.opus_pt == 96 && s.red_pt == 97);
  assert_null(
      with("a=setup:actpass\r\n", "a=setup:actpass\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:q\r\n", &s));
  assert_true(s.n_m == 2 && s.m[0].chosen && !s.m[1].chosen);
}

/* a=rtcp-fb: plain "nack" of Opus or of everything; without reduced-size RTCP the answer leaves it out. */
static void feedback(void **state) {
  (void)state;
  static const struct {
    const char *line;
    bool nack;
  } cases[] = {{"a=rtcp-fb:96 nack", true},     {"a=rtcp-fb:* nack", true}, {"a=rtcp-fb:96 nack pli", false},
               {"a=rtcp-fb:8 nack", false},     {"a=rtcp-fb:96", false},    {"a=rtcp-fb: nack", false},
               {"a=rtcp-fb:96 ccm fir", false}, {"a=rtcp-fb", false},       {"a=rtcp-fb:999 nack", false}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    for (int rsize = 0; rsize < 2; rsize++) {
      struct sdp s, back;
      char line[120];
      snprintf(line, sizeof line, "a=setup:actpass\r\n%s\r\n%s", cases[i].line,
               rsize ? "a=rtcp-rsize\r\n" : "");
      assert_null(with("a=setup:actpass\r\n", line, &s));
      assert_int_equal(s.nack, cases[i].nack);
      char *a = answer(&s, &back);
      assert_int_equal(strstr(a, "a=rtcp-fb:96 nack\r\n") != NULL, cases[i].nack && rsize);
      free(a);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chromium),  cmocka_unit_test(aiortc),         cmocka_unit_test(firefox),
      cmocka_unit_test(webrtcbin), cmocka_unit_test(session_level),  cmocka_unit_test(own_offer),
      cmocka_unit_test(refused),   cmocka_unit_test(accepted),       cmocka_unit_test(limits),
      cmocka_unit_test(choice),    cmocka_unit_test(foreign_answer), cmocka_unit_test(feedback),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
