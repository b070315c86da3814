/* kind_janus.c: Janus, its AudioBridge (a mix for each) and its VideoRoom with sound alone (each speaker's
 * packets forwarded), by the WebSocket API: create, attach, join; where he offers we answer. Room k of a run
 * is Janus's room k + 1, speaker k the feed with id 1000 x room + k + 1; versus.py writes such rooms into his
 * configuration. */
#include "audio/codec.h"
#include "audio/dsp.h"
#include "core/wire/json.h"
#include "tests/bench/load/person_private.h"
#include "tests/bench/load/rtc.h"
#include "tests/bench/load/wsc.h"

#include <arpa/inet.h>
#include <opus.h>
#include <stdlib.h>
#include <string.h>

#define PT "111"
#define TONE_SHARE 0.08
#define READY_US (20 * US_PER_MS) /* Janus drops a ClientHello that comes before its own agent is ready */

enum step { STEP_CREATE, STEP_ATTACH, STEP_JOIN, STEP_START };
struct janus {
  struct wsc *ws;
  struct rtc *rtc;
  us_t start_at;
  enum step step;
  json_int_t session, handle;
  uint32_t ssrc[LOAD_SPEAKERS_MAX]; /* each speaker's stream towards him */
  OpusDecoder *decoder;             /* of one who finds out by ear who is in a mix */
};

static bool setup(struct load *l) {
  return cert_make("gavel-load", 2, &l->cert) == ERR_OK && (l->dtls = dtls_ctx_create(&l->cert, false));
}

static void cleanup(struct load *l) {
  dtls_ctx_destroy(l->dtls);
  cert_free(&l->cert);
}

static bool is_bridge(const struct person *p) {
  return p->load->cfg.kind == &KIND_BRIDGE;
}

/* ---- requests ---- */

static void request(struct person *p, const char *verb, json_t *body, const char *type, const char *sdp) {
  struct janus *j = p->side;
  json_t *o = json_pack("{s:s,s:s}", "janus", verb, "transaction", "t");
  if (j->session)
    json_object_set_new(o, "session_id", json_integer(j->session));
  if (j->handle)
    json_object_set_new(o, "handle_id", json_integer(j->handle));
  if (strcmp(verb, "attach") == 0)
    json_object_set_new(o, "plugin",
                        json_string(is_bridge(p) ? "janus.plugin.audiobridge" : "janus.plugin.videoroom"));
  if (body)
    json_object_set_new(o, "body", body);
  if (sdp)
    json_object_set_new(o, "jsep", json_pack("{s:s,s:s}", "type", type, "sdp", sdp));
  char *text = json_dumps(o, JSON_COMPACT);
  if (!text)
    abort();
  wsc_send(j->ws, text);
  free(text);
  json_decref(o);
}

/* One audio line as we would have it; `mid` and direction differ. */
static void write_audio(FILE *f, struct person *p, const char *mid, const char *direction) {
  struct sockaddr_storage me;
  socklen_t len = sizeof me;
  char address[INET6_ADDRSTRLEN] = "0.0.0.0";
  unsigned port = 9;
  if (getsockname(p->udp, (struct sockaddr *)&me, &len) == 0 && me.ss_family == AF_INET) {
    inet_ntop(AF_INET, &((struct sockaddr_in *)&me)->sin_addr, address, sizeof address);
    port = ntohs(((struct sockaddr_in *)&me)->sin_port);
  }
  fprintf(f,
          "m=audio %u UDP/TLS/RTP/SAVPF " PT "\r\nc=IN IP4 %s\r\na=mid:%s\r\na=%s\r\na=rtcp-mux\r\n"
          "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=setup:active\r\na=fingerprint:sha-256 ",
          port, address, mid, direction, p->ufrag, p->pwd);
  for (int i = 0; i < 32; i++)
    fprintf(f, "%s%02X", i ? ":" : "", (unsigned)p->load->cert.sha256[i]);
  fprintf(f,
          "\r\na=rtpmap:" PT " opus/48000/2\r\na=fmtp:" PT " minptime=10;useinbandfec=1\r\n"
          "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
          "a=candidate:1 1 udp 2130706431 %s %u typ host\r\na=end-of-candidates\r\n",
          address, port);
  if (strcmp(direction, "recvonly") != 0)
    fprintf(f, "a=ssrc:%lu cname:load\r\n", (unsigned long)p->ssrc);
}

/* Our description: of one line, or of as many as his offer has. */
static char *describe(struct person *p, const struct sdp *offer) {
  char *text = NULL;
  size_t n;
  FILE *f = open_memstream(&text, &n);
  if (!f)
    abort();
  fprintf(f, "v=0\r\no=- %lu 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE", (unsigned long)p->ssrc);
  size_t lines = offer ? offer->n_m : 1;
  for (size_t i = 0; i < lines; i++)
    fprintf(f, " %s", offer ? offer->m[i].mid : "0");
  fputs("\r\n", f);
  for (size_t i = 0; i < lines; i++)
    write_audio(f, p, offer ? offer->m[i].mid : "0", p->speaks || is_bridge(p) ? "sendrecv" : "recvonly");
  if (fclose(f) != 0)
    abort();
  return text;
}

static json_int_t feed(const struct person *p, unsigned speaker) {
  return 1000 * ((json_int_t)p->room->at + 1) + speaker + 1;
}

static json_t *joining(const struct person *p) {
  json_int_t room = (json_int_t)p->room->at + 1;
  if (is_bridge(p))
    return json_pack("{s:s,s:I,s:b}", "request", "join", "room", room, "muted", !p->speaks);
  if (p->speaks)
    return json_pack("{s:s,s:s,s:I,s:I}", "request", "joinandconfigure", "ptype", "publisher", "room", room,
                     "id", feed(p, p->number));
  json_t *streams = json_array();
  for (unsigned i = 0; i < p->room->n_speakers; i++)
    json_array_append_new(streams, json_pack("{s:I}", "feed", feed(p, i)));
  return json_pack("{s:s,s:s,s:I,s:o}", "request", "join", "ptype", "subscriber", "room", room, "streams",
                   streams);
}

static void join(struct person *p) {
  bool offers = is_bridge(p) || p->speaks;
  if (!person_bind(p)) {
    person_fail(p, "no UDP socket");
    return;
  }
  char *sdp = offers ? describe(p, NULL) : NULL;
  request(p, "message", joining(p), "offer", sdp);
  free(sdp);
}

/* ---- sound ---- */

static void on_send(void *ctx, const uint8_t *b, size_t n) {
  line_send(ctx, b, n);
}

/* Nobody says who is in the AudioBridge's mix: by each speaker's sine, at once and not when it is played. */
static uint32_t hear_who(struct person *p, const struct rtp *h) {
  struct janus *j = p->side;
  float pcm[AUDIO_FRAME_MAX];
  uint32_t who = 0;
  int n = opus_decode_float(j->decoder, h->payload, (opus_int32)h->payload_len, pcm, AUDIO_FRAME_MAX, 0);
  for (unsigned i = 0; n > 0 && i < p->room->n_speakers; i++)
    who |= level_dbov(pcm, (size_t)n) < 60 && goertzel_share(pcm, (size_t)n, p->room->freqs[i]) > TONE_SHARE
               ? 1U << i
               : 0;
  return who;
}

static void on_audio(void *ctx, const struct rtp *h) {
  struct person *p = ctx;
  struct janus *j = p->side;
  struct heard x = {.seq = h->seq, .ts = h->ts, .marker = h->marker, .p = h->payload, .n = h->payload_len};
  for (unsigned i = 0; i < p->room->n_speakers && !is_bridge(p); i++)
    if (j->ssrc[i] == h->ssrc) {
      x.stream = i;
      x.who = 1U << i;
      x.as_said = true;
    }
  if (j->decoder)
    x.who = hear_who(p, h);
  person_heard(p, &x);
}

static void on_state(void *ctx, bool up) {
  struct person *p = ctx;
  if (up)
    person_up(p);
  else
    person_fail(p, "no DTLS");
}

/* The SSRC of each line of his offer, in the order in which the feeds were asked for. */
static void find_streams(struct janus *j, const char *sdp) {
  int line = -1;
  for (const char *at = sdp; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
    if (strncmp(at, "m=", 2) == 0)
      line++;
    else if (strncmp(at, "a=ssrc:", 7) == 0 && line >= 0 && line < LOAD_SPEAKERS_MAX && !j->ssrc[line])
      j->ssrc[line] = (uint32_t)strtoul(at + 7, NULL, 10);
}

static void on_sdp(struct person *p, const char *text, bool offer) {
  struct janus *j = p->side;
  struct rtc_io io = {on_send, on_audio, on_state, p};
  struct sdp theirs;
  const char *why = "";
  if (sdp_parse(text, strlen(text), &theirs, &why) != ERR_OK || !person_connect(p, &theirs)) {
    person_fail(p, *why ? why : "no way to its candidate");
    return;
  }
  j->rtc = rtc_create(p->load->dtls, p->ssrc, &theirs, &io);
  if (!j->rtc) {
    person_fail(p, "no fingerprint");
    return;
  }
  find_streams(j, text);
  if (offer) {
    char *sdp = describe(p, &theirs);
    request(p, "message", json_pack("{s:s}", "request", "start"), "answer", sdp);
    free(sdp);
  }
  person_joined(p);
  person_check(p, &theirs, offer);
}

static void reachable(struct person *p) {
  struct janus *j = p->side;
  j->start_at = p->load->now + READY_US;
}

static void datagram(struct person *p, uint8_t *b, size_t n) {
  struct janus *j = p->side;
  if (j->rtc)
    rtc_handle_packet(j->rtc, p->load->now, b, n);
}

static void say(struct person *p, const struct capture_packet *k) {
  struct janus *j = p->side;
  rtc_send(j->rtc, k);
}

static us_t due(const struct person *p) {
  const struct janus *j = p->side;
  us_t next = j->rtc ? rtc_next_timeout(j->rtc) : US_NEVER;
  return j->start_at < next ? j->start_at : next;
}

static void timeout(struct person *p) {
  struct janus *j = p->side;
  if (j->start_at <= p->load->now) {
    j->start_at = US_NEVER;
    rtc_start(j->rtc, p->load->now);
  }
  rtc_handle_timeout(j->rtc, p->load->now);
}

/* ---- signalling ---- */

static void on_opened(void *ctx) {
  request(ctx, "create", NULL, NULL, NULL);
}

static void on_success(struct person *p, const json_t *o) {
  struct janus *j = p->side;
  json_int_t id = json_int(json_object_get(o, "data"), "id", 0);
  if (j->step == STEP_CREATE) {
    j->session = id;
    j->step = STEP_ATTACH;
    request(p, "attach", NULL, NULL, NULL);
  } else if (j->step == STEP_ATTACH) {
    j->handle = id;
    j->step = STEP_JOIN;
    join(p);
  }
}

static void on_event(struct person *p, const json_t *o) {
  struct janus *j = p->side;
  const json_t *data = json_object_get(json_object_get(o, "plugindata"), "data");
  const json_t *jsep = json_object_get(o, "jsep");
  const char *error = json_str(data, "error", "");
  if (*error) {
    p->why_text = strdup(error);
    person_fail(p, "refused");
  } else if (jsep && !j->rtc)
    on_sdp(p, json_str(jsep, "sdp", ""), strcmp(json_str(jsep, "type", ""), "offer") == 0);
}

static void on_text(void *ctx, const char *text, size_t n) {
  struct person *p = ctx;
  json_t *o = json_loadb(text, n, 0, NULL);
  const char *kind = json_str(o, "janus", "");
  if (strcmp(kind, "success") == 0)
    on_success(p, o);
  else if (strcmp(kind, "event") == 0)
    on_event(p, o);
  else if (strcmp(kind, "error") == 0) {
    p->why_text = strdup(json_str(json_object_get(o, "error"), "reason", ""));
    person_fail(p, "refused");
  } else if (strcmp(kind, "hangup") == 0)
    person_fail(p, "the server hung up");
  json_decref(o);
}

static bool begin(struct person *p, const char **why) {
  struct load *l = p->load;
  struct wsc_events ev = {on_opened, on_text, p};
  struct janus *j = calloc(1, sizeof *j);
  if (!j)
    abort();
  p->stream = stream_create(NULL, NULL, (struct sockaddr *)&l->server, l->server_len, why);
  if (!p->stream) {
    free(j);
    return false;
  }
  j->start_at = US_NEVER;
  j->ws = wsc_create(p->stream, "localhost", "/", "janus-protocol", &ev);
  if (is_bridge(p) && !p->speaks && p->ear.jitter && p->room->freqs[0] > 0)
    j->decoder = opus_decoder_create(AUDIO_RATE, 1, NULL);
  p->side = j;
  return true;
}

static const char *ready(struct person *p) {
  struct janus *j = p->side;
  return wsc_ready(j->ws);
}

static void leave(struct person *p) {
  const struct janus *j = p->side;
  if (j->session)
    request(p, "destroy", NULL, NULL, NULL);
  wsc_ready(j->ws);
  person_fail(p, "left");
}

static void drop(struct person *p) {
  struct janus *j = p->side;
  wsc_destroy(j->ws);
  rtc_destroy(j->rtc);
  if (j->decoder)
    opus_decoder_destroy(j->decoder);
  free(j);
}

#define JANUS                                                                                                \
  .setup = setup, .cleanup = cleanup, .begin = begin, .ready = ready, .leave = leave,                        \
  .reachable = reachable, .datagram = datagram, .say = say, .due = due, .timeout = timeout, .drop = drop
const struct kind KIND_BRIDGE = {.name = "bridge", JANUS};
const struct kind KIND_VIDEOROOM = {.name = "videoroom", .tells = true, .many = true, JANUS};
