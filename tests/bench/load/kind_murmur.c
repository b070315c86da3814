/* kind_murmur.c: a Mumble server: its control channel in TLS (two bytes of type, four of length, a protobuf
 * message), its voice in UDP under OCB2-AES128. Only the few messages that a load needs, written by hand.
 * https://mumble-protocol.readthedocs.io */
#include "core/base/bytes.h"
#include "tests/bench/load/ocb2.h"
#include "tests/bench/load/person_private.h"
#include "tests/bench/load/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_MAX (1U << 20)
#define HEAD 6
#define PING_US (5 * US_PER_S)
#define PING_FIRST_US (100 * US_PER_MS) /* until the server has answered one over UDP */
#define UDP_PING 0x20
#define UDP_OPUS 0x80 /* type 4, normal talking */
enum { MSG_VERSION = 0, MSG_AUTHENTICATE = 2, MSG_PING = 3, MSG_REJECT = 4, MSG_SYNC = 5, MSG_CRYPT = 15 };

struct murmur {
  struct stream *stream;
  struct store in;
  bool greeted;
  struct ocb2 *crypt;
  us_t ping_at;
  uint32_t seq;
};

static bool setup(struct load *l) {
  l->tls = SSL_CTX_new(TLS_client_method());
  if (l->tls)
    SSL_CTX_set_mode(l->tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return l->tls != NULL;
}

static void cleanup(struct load *l) {
  SSL_CTX_free(l->tls);
}

/* ---- protobuf ---- */

static void put_varint(struct writer *w, uint64_t v) {
  for (; v > 0x7f; v >>= 7)
    write_u8(w, (unsigned)(v & 0x7f) | 0x80);
  write_u8(w, (unsigned)v);
}

static void put_number(struct writer *w, unsigned field, uint64_t v) {
  put_varint(w, field << 3);
  put_varint(w, v);
}

static uint64_t get_varint(struct reader *r) {
  uint64_t v = 0;
  for (unsigned shift = 0; shift < 64 && r->ok; shift += 7) {
    unsigned b = read_u8(r);
    v |= (uint64_t)(b & 0x7f) << shift;
    if (b < 0x80)
      break;
  }
  return v;
}

struct field {
  unsigned number;
  uint64_t value;   /* of a number */
  const uint8_t *p; /* of bytes, NULL else */
  size_t n;
};
static bool next_field(struct reader *r, struct field *f) {
  if (!r->ok || reader_left(r) == 0)
    return false;
  uint64_t key = get_varint(r);
  *f = (struct field){.number = (unsigned)(key >> 3)};
  if ((key & 7) == 0)
    f->value = get_varint(r);
  else if ((key & 7) == 2) {
    f->n = (size_t)get_varint(r);
    f->p = read_bytes(r, f->n);
  } else if ((key & 7) == 5)
    read_u32(r);
  else
    read_u64(r);
  return r->ok;
}

/* ---- control ---- */

static void tell(struct murmur *m, unsigned type, const struct writer *body, const uint8_t *p) {
  uint8_t head[HEAD];
  struct writer h = writer_of(head, sizeof head);
  write_u16(&h, type);
  write_u32(&h, (uint32_t)writer_len(body));
  stream_write(m->stream, head, HEAD);
  stream_write(m->stream, p, writer_len(body));
}

static void greet(struct person *p) {
  struct murmur *m = p->side;
  uint8_t buf[128];
  char name[64];
  struct writer w = writer_of(buf, sizeof buf);
  put_number(&w, 1, 0x010304); /* the version we speak: 1.3.4 */
  tell(m, MSG_VERSION, &w, buf);
  int n = snprintf(name, sizeof name, "%s-%u-%u-%u", p->speaks ? "speaker" : "listener", p->room->at,
                   p->number, p->life);
  w = writer_of(buf, sizeof buf);
  put_varint(&w, 1 << 3 | 2);
  put_varint(&w, (uint64_t)n);
  write_bytes(&w, name, (size_t)n);
  put_number(&w, 5, 1); /* Opus */
  tell(m, MSG_AUTHENTICATE, &w, buf);
}

static void on_crypt(struct person *p, struct reader r) {
  struct murmur *m = p->side;
  const uint8_t *v[4] = {0};
  for (struct field f; next_field(&r, &f);)
    if (f.number >= 1 && f.number <= 3 && f.n == 16)
      v[f.number] = f.p;
  if (m->crypt || !v[1] || !v[2] || !v[3])
    return;
  m->crypt = ocb2_create(v[1], v[2], v[3]);
  if (!person_bind(p) || connect(p->udp, (struct sockaddr *)&p->load->server, p->load->server_len) != 0)
    person_fail(p, "no UDP socket");
}

static void on_sync(struct person *p, struct reader r) {
  struct murmur *m = p->side;
  for (struct field f; next_field(&r, &f);)
    if (f.number == 1 && p->speaks)
      p->room->ids[p->number] = (uint32_t)f.value;
  person_joined(p);
  m->ping_at = p->load->now;
}

static void on_message(struct person *p, unsigned type, const uint8_t *b, size_t n) {
  struct reader r = reader_of(b, n);
  if (type == MSG_CRYPT)
    on_crypt(p, r);
  else if (type == MSG_SYNC)
    on_sync(p, r);
  else if (type == MSG_REJECT) {
    for (struct field f; next_field(&r, &f);)
      if (f.number == 2 && !p->why_text)
        p->why_text = strndup((const char *)f.p, f.n);
    person_fail(p, "told to go");
  }
}

static void take(struct person *p) {
  struct murmur *m = p->side;
  size_t at = 0;
  while (m->in.n - at >= HEAD && p->state != PERSON_GONE) {
    struct reader r = reader_of(m->in.p + at, HEAD);
    unsigned type = read_u16(&r);
    size_t n = read_u32(&r);
    if (n > MESSAGE_MAX)
      person_fail(p, "a message without end");
    if (m->in.n - at - HEAD < n)
      break;
    on_message(p, type, m->in.p + at + HEAD, n);
    at += HEAD + n;
  }
  store_drop(&m->in, at);
}

static const char *ready(struct person *p) {
  struct murmur *m = p->side;
  uint8_t buf[16384];
  const char *over = stream_ready(m->stream);
  if (!over && stream_open(m->stream) && !m->greeted) {
    m->greeted = true;
    greet(p);
  }
  for (size_t n = 1; !over && n && stream_open(m->stream);) {
    n = stream_read(m->stream, buf, sizeof buf, &over);
    store_add(&m->in, buf, n);
  }
  take(p);
  return over ? over : stream_ready(m->stream);
}

static bool begin(struct person *p, const char **why) {
  struct load *l = p->load;
  struct murmur *m = calloc(1, sizeof *m);
  if (!m)
    abort();
  m->ping_at = US_NEVER;
  m->stream = stream_create(l->tls, NULL, (struct sockaddr *)&l->server, l->server_len, why);
  p->stream = m->stream;
  if (p->stream)
    p->side = m;
  else
    free(m);
  return p->stream != NULL;
}

static void leave(struct person *p) {
  person_fail(p, "left"); /* closing is all there is to it */
}

static void drop(struct person *p) {
  struct murmur *m = p->side;
  stream_destroy(m->stream);
  ocb2_destroy(m->crypt);
  free(m->in.p);
  free(m);
}

/* ---- voice ---- */

/* Mumble's own varint, as far as it is needed: 7, 14, 21, 28 and 32 bits. */
static uint32_t get_number(struct reader *r) {
  uint32_t b = read_u8(r);
  if (b < 0x80)
    return b;
  if (b < 0xc0)
    return (b & 0x3f) << 8 | read_u8(r);
  if (b < 0xe0) {
    b = (b & 0x1f) << 16 | (uint32_t)read_u8(r) << 8;
    return b | read_u8(r);
  }
  return b < 0xf0 ? (b & 0xf) << 24 | read_u24(r) : read_u32(r);
}

static void send_sealed(struct person *p, const uint8_t *b, size_t n) {
  struct murmur *m = p->side;
  uint8_t out[1500];
  line_send(p, out, ocb2_seal(m->crypt, out, b, n));
}

static void say(struct person *p, const struct capture_packet *k) {
  struct murmur *m = p->side;
  uint8_t buf[1400];
  struct writer w = writer_of(buf, sizeof buf);
  write_u8(&w, UDP_OPUS);
  write_u8(&w, 0xf0); /* 32 bits */
  write_u32(&w, m->seq++);
  write_u8(&w, (unsigned)(0x80 | (k->len >> 8 & 0x1f)));
  write_u8(&w, (unsigned)(k->len & 0xff));
  write_bytes(&w, k->payload, k->len);
  send_sealed(p, buf, writer_len(&w));
}

static void on_voice(struct person *p, struct reader r) {
  uint32_t from = get_number(&r);
  struct heard h = {.as_said = true, .stream = LOAD_SPEAKERS_MAX};
  for (unsigned i = 0; i < p->room->n_speakers; i++)
    if (p->room->ids[i] == from)
      h.stream = i;
  h.seq = (uint16_t)get_number(&r);
  h.n = get_number(&r) & 0x1fff;
  h.p = r.p;
  if (!r.ok || reader_left(&r) < h.n || h.n == 0 || h.stream == LOAD_SPEAKERS_MAX)
    return;
  h.ts = h.seq * 960U;
  h.who = 1U << h.stream;
  person_heard(p, &h);
}

static void datagram(struct person *p, uint8_t *b, size_t n) {
  struct murmur *m = p->side;
  uint8_t plain[2048] = {0};
  size_t k = m->crypt && n <= sizeof plain ? ocb2_open(m->crypt, plain, b, n) : 0;
  struct reader r = reader_of(plain, k);
  unsigned head = k ? read_u8(&r) : 0;
  if (head >> 5 == UDP_OPUS >> 5)
    on_voice(p, r);
  else if (head == UDP_PING && p->state == PERSON_IN)
    person_up(p);
}

static us_t due(const struct person *p) {
  const struct murmur *m = p->side;
  return m->ping_at;
}

static void timeout(struct person *p) {
  struct murmur *m = p->side;
  static const uint8_t PING[] = {UDP_PING, 1};
  struct writer w = writer_of(NULL, 0);
  if (m->crypt)
    send_sealed(p, PING, sizeof PING);
  if (p->state == PERSON_UP) {
    tell(m, MSG_PING, &w, NULL);
    (void)!stream_ready(m->stream); /* what fails shows when it is read */
  }
  m->ping_at = p->load->now + (p->state == PERSON_UP ? PING_US : PING_FIRST_US);
}

static void reachable(struct person *p) {
  (void)p; /* nobody checks here */
}

const struct kind KIND_MURMUR = {.name = "murmur",
                                 .tells = true,
                                 .many = true,
                                 .setup = setup,
                                 .cleanup = cleanup,
                                 .begin = begin,
                                 .ready = ready,
                                 .leave = leave,
                                 .reachable = reachable,
                                 .datagram = datagram,
                                 .say = say,
                                 .due = due,
                                 .timeout = timeout,
                                 .drop = drop};
