/* main_relay.c: a bad network on one machine: a UDP relay between gavel clients and a server's media port.
 *
 *   relay LISTEN PORT SERVER PORT [--seed N] [--up SPEC] [--down SPEC] [--only GROUP] [--trace FILE]
 *
 * The server is told to announce LISTEN:PORT (--public), so that clients send there. Each source address is a
 * client of its own, with its own link (impair.h has the SPEC). It starts clean; lines on standard input
 * steer it: "go" begins the impairment (and the counting), "next" puts clients that come from now on into the
 * next group (from 0; --only impairs one of them, and who comes after "go" belongs to it: he has lost his
 * path). At the end of the input the figures go to standard output as JSON. FILE gets one line per datagram:
 * microseconds since go, client, up or down, bytes, RTP sequence number (or -), and the copies that were
 * delivered. One thread. */
#include "core/base/timers.h"
#include "tests/bench/relay/impair.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 62
#define DATAGRAM_MAX 2048
#define ROUND_MAX 64 /* datagrams of one socket before the next has its turn */

enum way { UP, DOWN, WAYS };
static const char *const WAY[WAYS] = {"up", "down"};

struct client {
  struct sockaddr_in from;
  int fd; /* connected to the server */
  unsigned group;
  struct impair link[WAYS];
};
struct flying {
  struct timer timer; /* first: what timers_pop returns is the datagram */
  struct client *client;
  enum way way;
  size_t n;
  uint8_t data[];
};
struct relay {
  struct sockaddr_in listen, server;
  struct impair_config config[WAYS];
  uint64_t seed;
  long only; /* -1: every group */
  FILE *trace;
  int fd;
  bool going, ended;
  us_t began;
  unsigned group;
  size_t n_clients;
  struct client clients[CLIENTS_MAX];
  struct timers air;
};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void usage(void) {
  fputs("usage: relay LISTEN PORT SERVER PORT [--seed N] [--up SPEC] [--down SPEC] [--only GROUP] [--trace "
        "FILE]\n"
        "SPEC: loss=P,bad=BAD_MS/GOOD_MS/LOSS,delay=MS,jitter=MS,shape=uniform|tail,reorder=yes|no,\n"
        "      rate=BITS,burst=BYTES,queue=MS,dup=P\n",
        stderr);
  exit(2);
}

static int udp(const struct sockaddr_in *at) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || (at && bind(fd, (const struct sockaddr *)at, sizeof *at) != 0))
    fail("socket");
  return fd;
}

/* ---- clients ---- */

static void link_start(struct relay *r, struct client *c) {
  static const struct impair_config CLEAN;
  bool bad = r->going && (r->only < 0 || (unsigned)r->only == c->group);
  uint64_t index = (uint64_t)(c - r->clients);
  for (unsigned w = 0; w < WAYS; w++)
    impair_init(&c->link[w], bad ? &r->config[w] : &CLEAN, r->seed * 1000 + index * WAYS + w);
}

static struct client *client_of(struct relay *r, const struct sockaddr_in *from) {
  for (size_t i = 0; i < r->n_clients; i++)
    if (r->clients[i].from.sin_port == from->sin_port &&
        r->clients[i].from.sin_addr.s_addr == from->sin_addr.s_addr)
      return &r->clients[i];
  if (r->n_clients == CLIENTS_MAX)
    return NULL;
  struct client *c = &r->clients[r->n_clients++];
  *c = (struct client){
      .from = *from, .fd = udp(NULL), .group = r->going && r->only >= 0 ? (unsigned)r->only : r->group};
  if (connect(c->fd, (const struct sockaddr *)&r->server, sizeof r->server) != 0)
    fail("connect");
  link_start(r, c);
  return c;
}

/* ---- datagrams ---- */

static void deliver(struct relay *r, const struct flying *f) {
  /* a full socket or a server that is gone loses it, as a network does */
  if (f->way == UP)
    (void)!send(f->client->fd, f->data, f->n, 0);
  else
    (void)!sendto(r->fd, f->data, f->n, 0, (const struct sockaddr *)&f->client->from, sizeof f->client->from);
}

static void trace(struct relay *r, const struct client *c, enum way way, us_t now, const uint8_t *p, size_t n,
                  unsigned copies) {
  if (!r->trace || !r->going)
    return;
  char seq[8] = "-";
  if (n >= 12 && p[0] >> 6 == 2 && !(p[1] >= 192 && p[1] <= 223)) /* RTP, not RTCP (RFC 5761) */
    snprintf(seq, sizeof seq, "%u", (unsigned)(p[2] << 8 | p[3]));
  fprintf(r->trace, "%lld %zu %s %zu %s %u\n", (long long)(now - r->began), (size_t)(c - r->clients),
          WAY[way], n + IMPAIR_HEADERS, seq, copies);
}

static void arrive(struct relay *r, struct client *c, enum way way, const uint8_t *p, size_t n) {
  us_t now = clock_now(), due[IMPAIR_COPIES];
  unsigned copies = impair_packet(&c->link[way], now, n, due);
  trace(r, c, way, now, p, n, copies);
  for (unsigned i = 0; i < copies; i++) {
    struct flying *f = malloc(sizeof *f + n);
    if (!f)
      abort();
    *f = (struct flying){.timer = TIMER_IDLE, .client = c, .way = way, .n = n};
    memcpy(f->data, p, n);
    timers_set(&r->air, &f->timer, due[i]);
  }
}

static void drain_up(struct relay *r) {
  uint8_t p[DATAGRAM_MAX];
  for (int i = 0; i < ROUND_MAX; i++) {
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(r->fd, p, sizeof p, 0, (struct sockaddr *)&from, &len);
    struct client *c = n >= 0 ? client_of(r, &from) : NULL;
    if (!c)
      return;
    arrive(r, c, UP, p, (size_t)n);
  }
}

static void drain_down(struct relay *r, struct client *c) {
  uint8_t p[DATAGRAM_MAX];
  ssize_t n;
  for (int i = 0; i < ROUND_MAX && (n = recv(c->fd, p, sizeof p, 0)) >= 0; i++)
    arrive(r, c, DOWN, p, (size_t)n);
}

static void fly(struct relay *r) {
  struct timer *t;
  while ((t = timers_pop(&r->air, clock_now()))) {
    deliver(r, (struct flying *)(void *)t);
    free(t);
  }
}

/* ---- steering ---- */

static void order(struct relay *r) {
  char line[64];
  ssize_t n = read(STDIN_FILENO, line, sizeof line); /* the writer flushes each line: they come one by one */
  r->ended = n <= 0;
  if (n == 3 && memcmp(line, "go\n", 3) == 0) {
    r->going = true;
    r->began = clock_now();
    for (size_t i = 0; i < r->n_clients; i++)
      link_start(r, &r->clients[i]);
  } else if (n == 5 && memcmp(line, "next\n", 5) == 0)
    r->group++;
  else if (n > 0)
    fputs("relay: go or next\n", stderr);
}

static void report(const struct relay *r) {
  printf("{\"seconds\": %.3f, \"clients\": [", r->going ? (double)(clock_now() - r->began) / US_PER_S : 0.0);
  for (size_t i = 0; i < r->n_clients; i++) {
    const struct client *c = &r->clients[i];
    printf("%s{\"group\": %u", i ? ", " : "", c->group);
    for (unsigned w = 0; w < WAYS; w++) {
      const struct impair_stats *s = &c->link[w].stats;
      printf(", \"%s\": {\"packets\": %llu, \"bytes\": %llu, \"lost\": %llu, \"overflowed\": %llu, "
             "\"duplicated\": %llu, \"out\": %llu, \"out_bytes\": %llu, \"delay_ms\": %.2f, "
             "\"delay_max_ms\": %.2f}",
             WAY[w], (unsigned long long)s->packets, (unsigned long long)s->bytes,
             (unsigned long long)s->lost, (unsigned long long)s->overflowed,
             (unsigned long long)s->duplicated, (unsigned long long)s->out, (unsigned long long)s->out_bytes,
             s->out ? (double)s->delay_sum / (double)s->out / US_PER_MS : 0.0,
             (double)s->delay_max / US_PER_MS);
    }
    putchar('}');
  }
  puts("]}");
}

static void wait_and_serve(struct relay *r) {
  struct pollfd p[CLIENTS_MAX + 2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                      {.fd = r->fd, .events = POLLIN}};
  size_t n = r->n_clients;
  for (size_t i = 0; i < n; i++)
    p[i + 2] = (struct pollfd){.fd = r->clients[i].fd, .events = POLLIN};
  us_t next = timers_next(&r->air), wait = next == US_NEVER ? US_PER_S : next - clock_now();
  wait = wait < 0 ? 0 : wait > US_PER_S ? US_PER_S : wait;
  struct timespec ts = {wait / US_PER_S, wait % US_PER_S * 1000};
  if (ppoll(p, n + 2, &ts, NULL) < 0)
    fail("ppoll");
  if (p[0].revents)
    order(r);
  if (p[1].revents)
    drain_up(r);
  for (size_t i = 0; i < n; i++)
    if (p[i + 2].revents)
      drain_down(r, &r->clients[i]);
  fly(r);
}

/* ---- command line ---- */

static struct sockaddr_in address(const char *host, const char *port) {
  struct sockaddr_in a = {.sin_family = AF_INET};
  char *end;
  unsigned long n = strtoul(port, &end, 10);
  if (inet_pton(AF_INET, host, &a.sin_addr) != 1 || *end || n == 0 || n > 65535)
    usage();
  a.sin_port = htons((uint16_t)n);
  return a;
}

static void options(struct relay *r, int argc, char **argv) {
  static const struct option LONG[] = {
      {"seed", required_argument, NULL, 's'},  {"up", required_argument, NULL, 'u'},
      {"down", required_argument, NULL, 'd'},  {"only", required_argument, NULL, 'o'},
      {"trace", required_argument, NULL, 't'}, {0}};
  int o;
  while ((o = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
    if (o == 's')
      r->seed = strtoull(optarg, NULL, 10);
    else if (o == 'o')
      r->only = strtol(optarg, NULL, 10);
    else if (o == 't' && (r->trace = fopen(optarg, "we")) == NULL)
      fail(optarg);
    else if (o == '?' ||
             ((o == 'u' || o == 'd') && impair_parse(optarg, &r->config[o == 'u' ? UP : DOWN]) != ERR_OK))
      usage();
  }
  if (argc - optind != 4)
    usage();
  r->listen = address(argv[optind], argv[optind + 1]);
  r->server = address(argv[optind + 2], argv[optind + 3]);
}

int main(int argc, char **argv) {
  static struct relay r = {.seed = 1, .only = -1}; /* static: too large for the stack */
  options(&r, argc, argv);
  r.fd = udp(&r.listen);
  puts("{\"relay\": \"ready\"}");
  (void)fflush(stdout);
  while (!r.ended)
    wait_and_serve(&r);
  report(&r);
  struct timer *t;
  while ((t = timers_pop(&r.air, US_NEVER - 1)))
    free(t);
  timers_free(&r.air);
  for (size_t i = 0; i < r.n_clients; i++)
    close(r.clients[i].fd);
  if (r.trace && fclose(r.trace) != 0)
    fail("trace");
  return 0;
}
