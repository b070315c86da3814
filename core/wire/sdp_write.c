#include "core/wire/sdp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URI_LEVEL "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
#define URI_CSRC_LEVEL "urn:ietf:params:rtp-hdrext:csrc-audio-level"
#define CNAME "gavel"
#define OPUS_PT 111 /* of our offers */
#define RED_PT 112
#define NO_RED 255

static void write_session(FILE *f, const struct sdp_local *me, bool bundle, const char *mid) {
  /* The session id only has to be a number of our own (RFC 8829 section 5.2.1); the SSRC is one. */
  fprintf(f, "v=0\r\no=- %lu 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", (unsigned long)me->ssrc);
  if (me->lite)
    fputs("a=ice-lite\r\n", f);
  if (bundle)
    fprintf(f, "a=group:BUNDLE %s\r\n", mid);
}

/* The m-line with the default candidate, or port 9 and no address while there is none (RFC 8839 section 4.1).
 */
static void write_mline(FILE *f, const struct sdp_local *me, unsigned pt, unsigned red) {
  const struct sdp_candidate *c = me->n_cand > 0 ? &me->cand[0] : NULL;
  const char *address = c ? c->address : "0.0.0.0";
  fprintf(f, "m=audio %u UDP/TLS/RTP/SAVPF %u", c ? (unsigned)c->port : 9u, pt);
  if (red != NO_RED)
    fprintf(f, " %u", red);
  fputs("\r\n", f);
  fprintf(f, "c=IN IP%c %s\r\n", strchr(address, ':') ? '6' : '4', address);
}

static void write_transport(FILE *f, const struct sdp_local *me, const char *setup, bool rsize) {
  fprintf(f, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 ", me->ufrag, me->pwd);
  for (int i = 0; i < 32; i++)
    fprintf(f, "%s%02X", i ? ":" : "", (unsigned)me->fingerprint[i]);
  fprintf(f, "\r\na=setup:%s\r\na=rtcp-mux\r\n%s", setup, rsize ? "a=rtcp-rsize\r\n" : "");
}

static void write_opus(FILE *f, unsigned pt, unsigned red, bool nack) {
  fprintf(f, "a=rtpmap:%u opus/48000/2\r\na=fmtp:%u minptime=10;useinbandfec=1;usedtx=1\r\n", pt, pt);
  if (red != NO_RED) /* of Opus in Opus (RFC 2198 section 5) */
    fprintf(f, "a=rtpmap:%u red/48000/2\r\na=fmtp:%u %u/%u\r\n", red, red, pt, pt);
  if (nack)
    fprintf(f, "a=rtcp-fb:%u nack\r\n", pt);
  if (nack && red != NO_RED)
    fprintf(f, "a=rtcp-fb:%u nack\r\n", red);
}

static void write_source(FILE *f, const struct sdp_local *me) {
  fprintf(f, "a=msid:%s %s\r\na=ssrc:%lu cname:%s\r\n", CNAME, CNAME, (unsigned long)me->ssrc, CNAME);
}

static void write_candidates(FILE *f, const struct sdp_local *me) {
  for (size_t i = 0; i < me->n_cand; i++)
    fprintf(f, "a=%s\r\n", me->cand[i].line);
  fputs("a=end-of-candidates\r\n", f);
}

/* The extensions the peer offered in a direction of use: he sends his level, we send those of the speakers.
 * One offered with a direction is answered with one (RFC 8285 section 6). */
static void write_extmaps(FILE *f, const struct sdp *offer) {
  if (offer->level_id && offer->level_dir != SDP_RECVONLY)
    fprintf(f, "a=extmap:%u%s " URI_LEVEL "\r\n", offer->level_id, offer->level_dir ? "/recvonly" : "");
  if (offer->csrc_level_id && offer->csrc_level_dir != SDP_SENDONLY)
    fprintf(f, "a=extmap:%u%s " URI_CSRC_LEVEL "\r\n", offer->csrc_level_id,
            offer->csrc_level_dir ? "/sendonly" : "");
}

static const char *direction(bool send, bool recv) {
  return send && recv ? "sendrecv" : send ? "sendonly" : recv ? "recvonly" : "inactive";
}

static void write_mid(FILE *f, const char *mid) {
  if (*mid)
    fprintf(f, "a=mid:%s\r\n", mid);
}

static void write_answered(FILE *f, const struct sdp *offer, const struct sdp_local *me) {
  write_mline(f, me, offer->opus_pt, offer->red_pt);
  write_mid(f, offer->mid);
  fprintf(f, "a=%s\r\n", direction(offer->recv, offer->send));
  write_transport(f, me, "passive", offer->rtcp_rsize);
  write_opus(f, offer->opus_pt, offer->red_pt, offer->nack && offer->rtcp_rsize);
  write_extmaps(f, offer);
  if (offer->recv)
    write_source(f, me);
  if (me->rekey_s)
    fprintf(f, "a=x-gavel-rekey:%lu\r\n", (unsigned long)me->rekey_s);
  write_candidates(f, me);
}

/* Close the memory stream; its text, or NULL when memory ran out on the way. */
static char *finish(FILE *f, char **text) {
  bool failed = ferror(f);
  if (fclose(f) == 0 && !failed)
    return *text;
  free(*text);
  return NULL;
}

char *sdp_write_answer(const struct sdp *offer, const struct sdp_local *me) {
  if (offer->setup == SDP_PASSIVE)
    return NULL;
  char *text = NULL;
  size_t n;
  FILE *f = open_memstream(&text, &n);
  if (!f)
    return NULL;
  write_session(f, me, offer->bundle, offer->mid);
  for (size_t i = 0; i < offer->n_m; i++) {
    if (offer->m[i].chosen) {
      write_answered(f, offer, me);
      continue;
    }
    fprintf(f, "m=%s 0 %s %s\r\nc=IN IP4 0.0.0.0\r\n", offer->m[i].media, offer->m[i].proto, offer->m[i].fmt);
    write_mid(f, offer->m[i].mid);
    fputs("a=inactive\r\n", f);
    write_transport(f, me, "passive", false); /* GStreamer 1.22 and aiortc look for it here too */
  }
  return finish(f, &text);
}

char *sdp_write_offer(const struct sdp_local *me) {
  char *text = NULL;
  size_t n;
  FILE *f = open_memstream(&text, &n);
  if (!f)
    return NULL;
  write_session(f, me, true, "0");
  write_mline(f, me, OPUS_PT, RED_PT);
  fputs("a=mid:0\r\na=sendrecv\r\n", f);
  write_transport(f, me, "actpass", true);
  write_opus(f, OPUS_PT, RED_PT, true);
  fputs("a=extmap:1 " URI_LEVEL "\r\na=extmap:2 " URI_CSRC_LEVEL "\r\n", f);
  write_source(f, me);
  write_candidates(f, me);
  return finish(f, &text);
}
