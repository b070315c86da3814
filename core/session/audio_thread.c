#include "core/session/audio_thread.h"

#include "audio/device.h"
#include "audio/jitter.h"
#include "audio/ring.h"
#include "core/base/mailbox.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_US (250 * US_PER_MS)
#define WAIT_MS 20
#define PACKETS_IN 256
#define STOP_S 2
#define STOP_TRIES 100

struct packet_in {
  us_t at;
  uint32_t ts, offset; /* offset: of a copy, else 0 */
  uint16_t seq;
  uint16_t wait_ms; /* no packet, but how long to wait for one */
  bool marker;
  uint16_t len;
  uint8_t payload[AUDIO_PACKET_MAX];
};
struct command {
  enum { CMD_GATE, CMD_DEVICE, CMD_VOICE, CMD_STOP } kind;
  bool open;
  int ptime_ms, bitrate, loss_pct;
  bool hush;
  char input[256], output[256];
};
struct audio_thread {
  struct audio_thread_config cfg;
  char input[256], output[256];
  pthread_t thread;
  struct ring *packets;
  struct mailbox *in, *out;
  /* the thread's own */
  struct device *dev;
  struct capture *cap;
  struct capture_config voice;
  struct jitter *jit;
  us_t next_status;
  bool stop, finished;
};

static void notice(struct audio_thread *a, const char *text) {
  struct audio_report r = {.kind = AUDIO_NOTICE};
  snprintf(r.text, sizeof r.text, "%s", text);
  if (*text)
    (void)mailbox_put(a->out, &r);
}

static void open_device(struct audio_thread *a) {
  char why[160] = "";
  struct device_config dc = {a->input, a->output, a->cfg.loop};
  a->dev = device_open(&dc, why, sizeof why);
  if (!a->dev)
    abort();
  bool real = device_real(a->dev);
  a->voice.aec = real && a->cfg.aec;
  a->voice.ns = real && a->cfg.ns;
  a->voice.agc = real && a->cfg.agc;
  if (!a->cap)
    a->cap = capture_create(&a->voice);
  else
    capture_set(a->cap, &a->voice);
  if (!a->cap)
    abort();
  if (device_state(a->dev) != DEVICE_OK)
    notice(a, why);
  a->finished = false;
}

static void on_packet(void *ctx, const struct capture_packet *p) {
  struct audio_thread *a = ctx;
  struct audio_report r = {.kind = AUDIO_PACKET};
  r.packet = *p;
  (void)mailbox_put(a->out, &r); /* the engine is stuck: late sound is no sound */
}

static void capture_round(struct audio_thread *a) {
  float pcm[AUDIO_BLOCK];
  struct ring *r = device_capture_ring(a->dev);
  while (ring_fill(r) >= AUDIO_BLOCK && ring_read(r, pcm, AUDIO_BLOCK) == AUDIO_BLOCK)
    capture_feed(a->cap, pcm, AUDIO_BLOCK, on_packet, a);
}

static void playout_round(struct audio_thread *a) {
  struct packet_in p;
  while (ring_read(a->packets, &p, 1) == 1)
    if (p.wait_ms)
      jitter_expect_resend(a->jit, p.at, (int)p.wait_ms);
    else if (p.offset)
      jitter_put_copy(a->jit, p.at, p.seq, p.ts, p.offset, p.payload, p.len);
    else
      jitter_put(a->jit, p.at, p.seq, p.ts, p.marker, p.payload, p.len);
  struct ring *r = device_playout_ring(a->dev);
  while (ring_fill(r) < device_playout_target(a->dev) && ring_room(r) >= AUDIO_BLOCK) {
    float pcm[AUDIO_BLOCK];
    jitter_get(a->jit, clock_now(), pcm, AUDIO_BLOCK);
    capture_far(a->cap, pcm, AUDIO_BLOCK);
    ring_write(r, pcm, AUDIO_BLOCK);
  }
}

static void status_round(struct audio_thread *a) {
  us_t now = clock_now();
  if (now < a->next_status)
    return;
  a->next_status = now + STATUS_US;
  char why[160] = "";
  if (device_poll(a->dev, why, sizeof why))
    notice(a, why);
  struct jitter_stats st;
  jitter_stats(a->jit, &st);
  struct audio_report r = {.kind = AUDIO_STATUS,
                           .has_input = device_has_input(a->dev),
                           .muted_talk = capture_voice_muted(a->cap),
                           .level = capture_level(a->cap),
                           .buffer_ms = (unsigned)(st.delay_ms > 0 ? st.delay_ms : 0),
                           .played = st.played,
                           .concealed = st.concealed,
                           .playout_ms = (unsigned)device_playout_target(a->dev) / AUDIO_MS(1),
                           .underruns = device_underruns(a->dev)};
  (void)mailbox_put(a->out, &r);
  if (device_finished(a->dev) && !a->finished) {
    a->finished = true;
    (void)mailbox_put(a->out, &(struct audio_report){.kind = AUDIO_FINISHED});
  }
}

static void serve(struct audio_thread *a) {
  struct command c;
  while (mailbox_get(a->in, &c)) {
    if (c.kind == CMD_GATE)
      capture_open(a->cap, c.open);
    else if (c.kind == CMD_STOP)
      a->stop = true;
    else if (c.kind == CMD_VOICE) {
      a->voice.ptime_ms = c.ptime_ms;
      a->voice.opus.bitrate = c.bitrate;
      a->voice.opus.loss_pct = c.loss_pct;
      a->voice.hush = c.hush;
      capture_set(a->cap, &a->voice);
    } else {
      memcpy(a->input, c.input, sizeof a->input);
      memcpy(a->output, c.output, sizeof a->output);
      device_close(a->dev);
      open_device(a);
    }
  }
}

static void *run(void *arg) {
  struct audio_thread *a = arg;
  open_device(a);
  while (!a->stop) {
    device_wait(a->dev, AUDIO_BLOCK, WAIT_MS);
    serve(a);
    playout_round(a);
    capture_round(a);
    status_round(a);
  }
  device_close(a->dev);
  return NULL;
}

struct audio_thread *audio_thread_start(const struct audio_thread_config *c) {
  struct audio_thread *a = calloc(1, sizeof *a);
  if (!a)
    return NULL;
  a->cfg = *c;
  a->voice = (struct capture_config){
      .ptime_ms = 20, .opus = {.bitrate = 32000, .complexity = 5, .loss_pct = 10, .dtx = true}};
  snprintf(a->input, sizeof a->input, "%s", c->input ? c->input : "");
  snprintf(a->output, sizeof a->output, "%s", c->output ? c->output : "");
  a->packets = ring_create(sizeof(struct packet_in), PACKETS_IN);
  a->in = mailbox_create(sizeof(struct command), 64);
  a->out = mailbox_create(sizeof(struct audio_report), 256);
  a->jit = jitter_create();
  if (a->packets && a->in && a->out && a->jit && pthread_create(&a->thread, NULL, run, a) == 0)
    return a;
  ring_destroy(a->packets);
  mailbox_destroy(a->in);
  mailbox_destroy(a->out);
  jitter_destroy(a->jit);
  free(a);
  return NULL;
}

void audio_thread_gate(struct audio_thread *a, bool open) {
  (void)mailbox_put(a->in, &(struct command){.kind = CMD_GATE, .open = open});
}

void audio_thread_device(struct audio_thread *a, const char *input, const char *output) {
  struct command c = {.kind = CMD_DEVICE};
  snprintf(c.input, sizeof c.input, "%s", input ? input : "");
  snprintf(c.output, sizeof c.output, "%s", output ? output : "");
  (void)mailbox_put(a->in, &c);
}

void audio_thread_voice(struct audio_thread *a, int ptime_ms, int bitrate, int loss_pct, bool hush) {
  struct command c = {.kind = CMD_VOICE, .ptime_ms = ptime_ms, .bitrate = bitrate, .loss_pct = loss_pct};
  c.hush = hush;
  (void)mailbox_put(a->in, &c);
}

static void put(struct audio_thread *a, us_t now, const struct rtp *h, uint32_t offset) {
  struct packet_in p = {.at = now,
                        .ts = h->ts,
                        .offset = offset,
                        .seq = h->seq,
                        .marker = h->marker,
                        .len = (uint16_t)h->payload_len};
  if (h->payload_len > sizeof p.payload)
    return;
  memcpy(p.payload, h->payload, h->payload_len);
  (void)ring_write(a->packets, &p, 1);
}

void audio_thread_play(struct audio_thread *a, us_t now, const struct rtp *h) {
  put(a, now, h, 0);
}

void audio_thread_copy(struct audio_thread *a, us_t now, const struct rtp *h, uint32_t offset) {
  put(a, now, h, offset);
}

void audio_thread_expect(struct audio_thread *a, us_t now, unsigned wait_ms) {
  struct packet_in p = {.at = now, .wait_ms = (uint16_t)wait_ms};
  (void)ring_write(a->packets, &p, 1);
}

int audio_thread_fd(const struct audio_thread *a) {
  return mailbox_fd(a->out);
}

bool audio_thread_poll(struct audio_thread *a, struct audio_report *r) {
  return mailbox_get(a->out, r);
}

void audio_thread_stop(struct audio_thread *a) {
  if (!a)
    return;
  struct timespec pause = {0, 10 * 1000 * 1000};
  for (int i = 0; i < STOP_TRIES && !mailbox_put(a->in, &(struct command){.kind = CMD_STOP}); i++)
    nanosleep(&pause, NULL);
  struct timespec until = {.tv_sec = clock_wall_ms() / 1000 + STOP_S};
  if (pthread_timedjoin_np(a->thread, NULL, &until) != 0) {
    pthread_detach(a->thread); /* a sound server that hangs holds the thread inside a call: leave it there,
                                  with what it uses */
    return;
  }
  capture_destroy(a->cap);
  jitter_destroy(a->jit);
  ring_destroy(a->packets);
  mailbox_destroy(a->in);
  mailbox_destroy(a->out);
  free(a);
}
