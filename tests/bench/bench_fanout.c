/* bench_fanout.c: what one more listener costs the server: the real media thread on loopback with N listeners
 * (DTLS-SRTP peers on sockets of their own), against a bare loop "encrypt with a kept context + sendmmsg" of
 * packets of the same size to the same sockets, in the same run.
 *
 * CPU time of the sending thread alone, in microseconds a listener and second of speech (50 packets). */
#include "core/media/cert.h"
#include "core/media/secure.h"
#include "core/server/shell_media.h"
#include "core/wire/rtp.h"
#include "core/wire/stun.h"

#include <arpa/inet.h>
#include <assert.h>
#include <dirent.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PT 111
#define FRAME_US (20 * US_PER_MS)
#define OPUS_LEN 80 /* 20 ms at 32 kb/s */
#define RUNS 5
#define RUN_PACKETS 60 /* of 20 ms */
#define BARE_BATCH 64
#define KBPS_PACKED 50 /* a wish that lets through no more than TIER_PACKED */

struct peer {
  int fd;
  struct media_cmd cmd; /* as the server was told of him */
  struct secure *secure;
  unsigned got;
};
struct bench {
  struct cert cert;
  struct dtls_ctx *dtls;
  struct media_thread *server;
  long server_tid;
  struct peer *peers; /* the first one speaks */
  size_t n;
  uint16_t seq;
};

static void die(const char *what) {
  perror(what);
  exit(1);
}

static uint16_t port; /* of the server */

static void to_server(int fd, const uint8_t *p, size_t n) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (sendto(fd, p, n, 0, (struct sockaddr *)&to, sizeof to) < 0)
    die("sendto");
}

static void no_wake(void *ctx) {
  (void)ctx;
}

/* Nanoseconds that a thread of this process has run. */
static uint64_t thread_ns(long tid) {
  char path[64];
  unsigned long long ns = 0;
  snprintf(path, sizeof path, "/proc/self/task/%ld/schedstat", tid);
  FILE *f = fopen(path, "r");
  if (!f || fscanf(f, "%llu", &ns) != 1)
    die(path);
  fclose(f);
  return ns;
}

/* The thread that is not this one. */
static long other_thread(void) {
  DIR *d = opendir("/proc/self/task");
  long found = 0;
  for (struct dirent *e; d && (e = readdir(d));) {
    long tid = strtol(e->d_name, NULL, 10);
    if (tid > 0 && tid != (long)getpid())
      found = tid;
  }
  closedir(d);
  assert(found);
  return found;
}

/* ---- peers ---- */

static void peer_check(struct peer *r) {
  uint8_t p[STUN_MAX], tid[12] = {1};
  char name[32];
  snprintf(name, sizeof name, "%s:them", r->cmd.params.local_ufrag);
  size_t n = stun_build_request(p, sizeof p, tid, name, r->cmd.params.local_pwd, true, 7, 0x7e0000ff, true);
  to_server(r->fd, p, n);
}

static void peer_flush(struct peer *r) {
  uint8_t p[DTLS_DATAGRAM_MAX];
  for (size_t n; (n = secure_poll(r->secure, p, sizeof p));)
    to_server(r->fd, p, n);
}

/* Takes all that has come; opens the first packet of sound as proof that it is true. */
static void peer_drain(struct peer *r) {
  uint8_t p[MEDIAPORT_DATAGRAM_MAX];
  for (ssize_t k; (k = recv(r->fd, p, sizeof p, MSG_DONTWAIT)) > 0;) {
    size_t n = (size_t)k;
    if (p[0] >= 20 && p[0] <= 63) {
      secure_handle_dtls(r->secure, clock_now(), p, n);
      peer_flush(r);
    } else if (p[0] >= 128 && !rtp_is_rtcp(p, n) && r->got++ == 0 &&
               secure_unprotect(r->secure, clock_now(), p, &n) != ERR_OK)
      die("a packet that does not open");
  }
}

static void peer_open(struct bench *b, struct peer *r, uint32_t handle) {
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (r->fd < 0 || bind(r->fd, (struct sockaddr *)&any, sizeof any) != 0) /* also takes the bare loop's */
    die("socket");
  r->cmd = (struct media_cmd){.kind = MEDIA_PEER_ADD, .room = 1, .peer = handle, .member = handle};
  r->cmd.may_send = handle == 1;
  r->cmd.may_hear = true;
  struct media_peer_params *p = &r->cmd.params;
  snprintf(p->local_ufrag, sizeof p->local_ufrag, "%08x", handle);
  snprintf(p->local_pwd, sizeof p->local_pwd, "%024x", handle);
  memcpy(p->hash, "sha-256", 8);
  memcpy(p->fingerprint, b->cert.sha256, 32);
  p->fingerprint_len = 32;
  p->opus_pt = PT;
  p->red_pt = 255;
  p->level_id = 1;
  p->csrc_level_id = 2;
  p->ssrc_in = handle;
  p->ssrc_out = handle + 0x10000;
  p->recv = p->send = true;
  media_thread_command(b->server, &r->cmd);
  r->secure = secure_create(b->dtls, false, "sha-256", b->cert.sha256, 32, p->ssrc_out);
  assert(r->secure);
  peer_check(r);
  for (int i = 0; i < 5000 && !secure_up(r->secure); i++) {
    if (i == 1)
      secure_start(r->secure, clock_now());
    peer_flush(r);
    poll(&(struct pollfd){r->fd, POLLIN, 0}, 1, 20);
    peer_drain(r);
  }
  assert(secure_up(r->secure));
}

/* Consent: who is not heard of for 30 s is forgotten. */
static void check_all(struct bench *b, size_t n) {
  for (size_t i = 0; i < n; i++)
    peer_check(&b->peers[i]);
}

static void wish(struct bench *b, unsigned kbps) {
  for (size_t i = 1; i < b->n; i++) {
    struct media_cmd cmd = b->peers[i].cmd;
    cmd.kind = MEDIA_PEER_SET;
    cmd.kbps = (uint16_t)kbps;
    media_thread_command(b->server, &cmd);
  }
}

/* ---- the server ---- */

static void speak(struct bench *b) {
  struct peer *r = &b->peers[0];
  uint8_t p[256], level = 0x80 | 20;
  struct rtp h = {.pt = PT, .seq = b->seq, .ts = 960u * b->seq, .ssrc = r->cmd.params.ssrc_in};
  size_t n = rtp_build(p, sizeof p, &h, 1, &level, 1);
  memset(p + n, b->seq, OPUS_LEN);
  p[n] = 0x78; /* CELT, 20 ms, one frame: looked into by nobody */
  n += OPUS_LEN;
  b->seq++;
  if (secure_protect(r->secure, p, &n, sizeof p) != ERR_OK)
    die("speak");
  to_server(r->fd, p, n);
}

static void drain_all(struct bench *b) {
  for (size_t i = 0; i < b->n; i++)
    peer_drain(&b->peers[i]);
}

static void until(us_t at) {
  us_t left = at - clock_now();
  if (left > 0)
    usleep((useconds_t)left);
}

static unsigned total(const struct bench *b) {
  unsigned sum = 0;
  for (size_t i = 1; i < b->n; i++)
    sum += b->peers[i].got;
  return sum;
}

/* Microseconds a listener and second; negative when packets are missing, or there are too many. */
static double run_server(struct bench *b, unsigned per_packet) {
  us_t at = clock_now();
  drain_all(b);
  unsigned before = total(b);
  uint64_t ns = thread_ns(b->server_tid);
  for (int i = 0; i < RUN_PACKETS; i++) {
    speak(b);
    until(at += FRAME_US);
    drain_all(b);
  }
  ns = thread_ns(b->server_tid) - ns;
  unsigned want = (unsigned)(b->n - 1) * RUN_PACKETS / per_packet, got = total(b) - before;
  if (got < want - want / 20 || got > want + want / 20) {
    fprintf(stderr, "not counted: %u packets came, %u were meant to\n", got, want);
    return -1;
  }
  return (double)ns / 1000 / (double)(b->n - 1) / (RUN_PACKETS / 50.0);
}

/* ---- the bare loop ---- */

struct bare {
  const struct bench *b;
  size_t payload, packets;
  us_t every;
  double us;
};

static size_t bare_seal(EVP_CIPHER_CTX *c, uint8_t *out, const uint8_t *payload, size_t len, uint16_t seq) {
  static const uint8_t head[24] = {0x91, PT}; /* a CSRC and its level */
  uint8_t iv[12] = {0};
  int n = 0;
  memcpy(out, head, sizeof head);
  memcpy(out + 2, &seq, 2);
  memcpy(iv + 10, &seq, 2);
  if (EVP_EncryptInit_ex(c, NULL, NULL, NULL, iv) != 1 ||
      EVP_EncryptUpdate(c, NULL, &n, out, sizeof head) != 1 ||
      EVP_EncryptUpdate(c, out + sizeof head, &n, payload, (int)len) != 1 ||
      EVP_EncryptFinal_ex(c, out + sizeof head + len, &n) != 1 ||
      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, out + sizeof head + len) != 1)
    abort();
  return sizeof head + len + 16;
}

static void bare_packet(const struct bare *w, int fd, EVP_CIPHER_CTX **ctx, struct sockaddr_in *to,
                        const uint8_t *payload, uint16_t seq) {
  static uint8_t slot[BARE_BATCH][512];
  struct iovec iov[BARE_BATCH];
  struct mmsghdr msg[BARE_BATCH] = {0};
  for (size_t at = 0, k = 0; at < w->b->n - 1; at += k) {
    for (k = 0; k < BARE_BATCH && at + k < w->b->n - 1; k++) {
      iov[k] = (struct iovec){slot[k], bare_seal(ctx[at + k], slot[k], payload, w->payload, seq)};
      msg[k].msg_hdr = (struct msghdr){
          .msg_name = &to[at + k], .msg_namelen = sizeof *to, .msg_iov = &iov[k], .msg_iovlen = 1};
    }
    if (sendmmsg(fd, msg, (unsigned)k, 0) != (int)k)
      die("sendmmsg");
  }
}

static void *bare_run(void *arg) {
  struct bare *w = arg;
  size_t n = w->b->n - 1;
  EVP_CIPHER_CTX **ctx = calloc(n, sizeof(EVP_CIPHER_CTX *));
  struct sockaddr_in *to = calloc(n, sizeof *to), from;
  socklen_t len = sizeof from;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  uint8_t key[32] = {1}, payload[512] = {0};
  assert(ctx && to && fd >= 0);
  for (size_t i = 0; i < n; i++) {
    ctx[i] = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(ctx[i], EVP_aes_256_gcm(), NULL, key, NULL);
    getsockname(w->b->peers[i + 1].fd, (struct sockaddr *)&to[i], &len);
  }
  struct timespec a, z;
  us_t at = clock_now();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
  for (size_t i = 0; i < w->packets; i++) {
    bare_packet(w, fd, ctx, to, payload, (uint16_t)i);
    until(at += w->every);
  }
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &z);
  double ns = (double)(z.tv_sec - a.tv_sec) * 1e9 + (double)(z.tv_nsec - a.tv_nsec);
  w->us = ns / 1000 / (double)n / ((double)w->packets * (double)w->every / US_PER_S);
  for (size_t i = 0; i < n; i++)
    EVP_CIPHER_CTX_free(ctx[i]);
  free(ctx);
  free(to);
  close(fd);
  return NULL;
}

/* The listeners take their packets meanwhile, as they do from the server. */
static double run_bare(struct bench *b, unsigned per_packet) {
  struct bare w = {.b = b,
                   .payload = OPUS_LEN * per_packet,
                   .packets = RUN_PACKETS / per_packet,
                   .every = FRAME_US * per_packet};
  pthread_t t;
  us_t at = clock_now();
  drain_all(b);
  pthread_create(&t, NULL, bare_run, &w);
  for (size_t i = 0; i < w.packets; i++) {
    until(at += w.every);
    drain_all(b);
  }
  pthread_join(t, NULL);
  return w.us;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void row(struct bench *b, const char *name, unsigned per_packet) {
  double bare[RUNS], real[RUNS], ratio[RUNS];
  size_t n = 0;
  run_server(b, per_packet); /* warm; and who changes tier has done so */
  for (int i = 0; n < RUNS && i < 3 * RUNS; i++) {
    check_all(b, b->n); /* answered while the bare loop runs */
    bare[n] = run_bare(b, per_packet);
    real[n] = run_server(b, per_packet);
    ratio[n] = real[n] / bare[n];
    n += real[n] > 0;
  }
  if (n < RUNS) {
    printf("%9zu  %-8s the machine is too busy to tell\n", b->n - 1, name);
    return;
  }
  qsort(bare, RUNS, sizeof *bare, by_value);
  qsort(real, RUNS, sizeof *real, by_value);
  qsort(ratio, RUNS, sizeof *ratio, by_value);
  printf("%9zu  %-8s %10.1f %10.1f %8.2f\n", b->n - 1, name, bare[RUNS / 2], real[RUNS / 2], ratio[RUNS / 2]);
}

static void bench(size_t listeners) {
  struct bench b = {.n = listeners + 1};
  if (cert_make("bench", 1, &b.cert) != ERR_OK || !(b.dtls = dtls_ctx_create(&b.cert, true)))
    exit(1);
  struct media_thread_config cfg = {.listen = "127.0.0.1", .dtls = b.dtls, .wake = no_wake};
  b.peers = calloc(b.n, sizeof *b.peers);
  if (!b.peers || media_thread_start(&cfg, &b.server) != ERR_OK)
    exit(1);
  b.server_tid = other_thread();
  port = media_thread_port(b.server);
  media_thread_command(b.server, &(struct media_cmd){.kind = MEDIA_ROOM_OPEN, .room = 1});
  for (size_t i = 0; i < b.n; i++) {
    peer_open(&b, &b.peers[i], (uint32_t)i + 1);
    if (i % 256 == 0)
      check_all(&b, i);
  }
  wish(&b, 0);
  row(&b, "full", 1);
  wish(&b, KBPS_PACKED);
  row(&b, "packed", 2);
  media_thread_stop(b.server);
  for (size_t i = 0; i < b.n; i++) {
    secure_destroy(b.peers[i].secure);
    close(b.peers[i].fd);
  }
  free(b.peers);
  dtls_ctx_destroy(b.dtls);
  cert_free(&b.cert);
}

int main(int argc, char **argv) {
  struct rlimit files = {65536, 65536};
  static const char *const usual[] = {"", "500", "1000", "2000"};
  (void)setrlimit(RLIMIT_NOFILE, &files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("listeners  tier     bare loop     server    ratio   (CPU us a listener and second)\n");
  for (int i = 1; i < (argc > 1 ? argc : 4); i++)
    bench((size_t)strtoul(argc > 1 ? argv[i] : usual[i], NULL, 10));
  return 0;
}
