/* mixer_stream.c: one outgoing stream: whatever its source, its numbers go on without repeats. */
#include "core/server/mixer_private.h"

#include <assert.h>
#include <string.h>

#define BYTES_MAX AUDIO_PACKET_MAX

static void stream_emit(struct mixer *m, struct stream *s, struct mixer_out *out) {
  out->stream = s->id;
  out->marker = s->marker;
  s->marker = false;
  if (out->seq >= s->next_seq) {
    s->next_seq = out->seq + 1;
  }
  if (out->pos + out->samples > s->end) {
    s->end = out->pos + out->samples;
  }
  m->emit(m->ctx, out);
}

static void stream_map(struct stream *s, const struct talker *t, uint64_t ext, int64_t ts_to_pos) {
  s->spurt = t->spurt;
  s->first_ext = ext;
  s->first_seq = s->next_seq;
  s->ts_to_pos = ts_to_pos;
}

void stream_anchor(struct stream *s, const struct talker *t, uint64_t ext, int64_t ts) {
  stream_map(s, t, ext, (int64_t)s->end - ts);
}

void stream_forward(struct mixer *m, struct stream *s, const struct talker *t, const struct slot *p) {
  if (s->spurt != t->spurt) {
    int64_t room = p->ts + t->ts_to_pos;
    stream_map(s, t, p->ext, room > (int64_t)s->end ? t->ts_to_pos : (int64_t)s->end - p->ts);
  }
  int64_t pos = p->ts + s->ts_to_pos;
  if (p->ext < s->first_ext || pos < 0) {
    m->counters.dropped++; /* older than the change to this source */
    return;
  }
  struct mixer_out out = {.seq = s->first_seq + (uint32_t)(p->ext - s->first_ext),
                          .pos = (uint64_t)pos,
                          .samples = p->samples,
                          .payload = p->data,
                          .len = p->len,
                          .n_from = 1,
                          .from = {t->member},
                          .level = {t->level}};
  m->counters.forwarded++;
  stream_emit(m, s, &out);
}

/* Everyone in the mix but the one it is for. */
static void stream_credit(const struct mixer *m, const struct stream *s, struct mixer_out *out) {
  for (size_t i = 0; i < MIXER_TALKERS_MAX && out->n_from < MIXER_HEARD_MAX; i++) {
    const struct talker *t = m->talkers[i];
    if (t && t->live && t->mixed && t->member != s->id) {
      out->from[out->n_from] = t->member;
      out->level[out->n_from++] = t->level;
    }
  }
}

void stream_encode(struct mixer *m, struct stream *s, const float *pcm, size_t n) {
  float limited[AUDIO_FRAME];
  static const size_t legal[] = {AUDIO_MS(20), AUDIO_MS(10), AUDIO_MS(5), AUDIO_MS(5) / 2};
  if (!s->lane) {
    m->counters.dropped++; /* no memory for an encoder: silence, never a wrong sound */
    return;
  }
  assert(n <= AUDIO_FRAME);
  memcpy(limited, pcm, n * sizeof pcm[0]);
  limiter_run(&s->lane->limiter, limited, n);
  for (size_t at = 0, size = 0; at + legal[3] <= n; at += size) {
    for (size_t i = 0; i < 4; i++) {
      size = legal[i];
      if (size <= n - at) {
        break;
      }
    }
    uint8_t bytes[BYTES_MAX];
    int len = encoder_run(s->lane->encoder, limited + at, size, bytes, sizeof bytes);
    m->counters.encodes++;
    struct mixer_out out = {.seq = s->next_seq, .pos = s->end, .samples = (uint32_t)size, .mixed = true};
    if (len <= 0) {
      s->next_seq++; /* a fault of Opus looks like a lost packet */
      s->end += size;
      continue;
    }
    out.payload = bytes;
    out.len = (size_t)len;
    stream_credit(m, s, &out);
    m->counters.mixed_frames++;
    stream_emit(m, s, &out);
  }
}
