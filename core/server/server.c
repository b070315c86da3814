#include "core/server/server.h"

#include "core/base/log.h"
#include "core/server/metrics.h"
#include "core/server/shell_backup.h"
#include "core/server/shell_http.h"
#include "core/server/shell_kdf.h"
#include "core/server/shell_tunnel.h"
#include "core/server/web.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <openssl/crypto.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BYE_MS 500
#define MEDIA_LOOK_US (US_PER_S / 5)
#define CERT_DAYS 3650 /* pinned in links, so it must outlive them */

void server_config_default(struct server_config *c) {
  *c = (struct server_config){.log = "",
                              .listen = "",
                              .port = 8443,
                              .media_port = 0,
                              .media_threads = 1,
                              .packed_from = 200,
                              .edge_from = 1500,
                              .handshake_threads = 1,
                              .media_tcp = true,
                              .public_address = "",
                              .database = "gavel.db",
                              .name = "gavel",
                              .rekey_s = 86400,
                              .proxies = "",
                              .user = "",
                              .consent_file = "",
                              .consent_version = "",
                              .region = "",
                              .monitor = {.second_person = true, .tell_host_after = true},
                              .controller = "",
                              .contact = "",
                              .quality_days = 30,
                              .audit_days = 180,
                              .anchor_file = "",
                              .ops_listen = "",
                              .ops_allow = "",
                              .ops_token_file = "",
                              .disk_free_mb = 100,
                              .webhook_url = "",
                              .webhook_secret_file = "",
                              .webhook_events = "all",
                              .webhook_ca_file = "",
                              .webhook_queue = 10000,
                              .alert_command = "",
                              .alert_webhook = "",
                              .alert_secret_file = "",
                              .alert_watch = "",
                              .alert_ca_file = "",
                              .alert_loss_percent = 5,
                              .alert_loss_minutes = 5,
                              .alert_certificate_days = 14,
                              .alert_strikes = 50,
                              .backup_folder = "",
                              .seccomp = true,
                              .guest_page = true,
                              .turn_uris = "",
                              .turn_secret_file = "",
                              .turn_ttl_s = 900,
                              .limits = LIMITS_DEFAULT};
}

/* ---- addresses ---- */

static void add_candidate(struct control_config *cc, unsigned thread, const char *addr, uint16_t port) {
  size_t n = cc->n_candidates[thread];
  if (n >= CONTROL_CANDIDATES / 2) /* the rest is for TCP */
    return;
  struct sdp_candidate *k = &cc->candidates[thread][n];
  snprintf(k->address, sizeof k->address, "%s", addr);
  k->port = port;
  k->udp = k->host = true;
  snprintf(k->line, sizeof k->line, "candidate:%zu 1 udp %u %s %u typ host", n + 1,
           2130706431U - (unsigned)n * 256, addr, port);
  cc->n_candidates[thread]++;
}

/* The same addresses by TCP (RFC 6544 4.2: type preference 90, passive), after all that are better. */
static void add_tcp_candidates(struct control_config *cc, unsigned thread) {
  size_t udp = cc->n_candidates[thread];
  for (size_t i = 0; i < udp; i++) {
    const struct sdp_candidate u = cc->candidates[thread][i]; /* a copy: the line is written beside it */
    struct sdp_candidate *k = &cc->candidates[thread][cc->n_candidates[thread]++];
    *k = u;
    k->udp = false;
    snprintf(k->line, sizeof k->line, "candidate:%zu 1 tcp %u %s %u typ host tcptype passive", udp + i + 1,
             1518280447U - (unsigned)i * 256, u.address, u.port);
  }
}

static bool usable(const struct ifaddrs *i, char out[64]) {
  if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK))
    return false;
  if (i->ifa_addr->sa_family == AF_INET)
    return inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr, out, 64) != NULL;
  const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)(void *)i->ifa_addr;
  return i->ifa_addr->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&a->sin6_addr) &&
         inet_ntop(AF_INET6, &a->sin6_addr, out, 64) != NULL;
}

/* Where people reach us: the configured address, else what we listen on, else every interface's, else
 * loopback. */
static void find_addresses(const struct server *s, struct control_config *cc) {
  const char *fixed = *s->cfg.public_address ? s->cfg.public_address : s->cfg.listen;
  char addr[64];
  for (unsigned t = 0; t < s->cfg.media_threads; t++) {
    uint16_t port = media_thread_port(s->media[t]);
    struct in6_addr any;
    if (*fixed && (inet_pton(AF_INET, fixed, &any) == 1 || inet_pton(AF_INET6, fixed, &any) == 1)) {
      add_candidate(cc, t, fixed, port);
      continue;
    }
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) == 0)
      for (struct ifaddrs *i = list; i; i = i->ifa_next)
        if (usable(i, addr))
          add_candidate(cc, t, addr, port);
    freeifaddrs(list);
    if (cc->n_candidates[t] == 0)
      add_candidate(cc, t, "127.0.0.1", port);
  }
  for (unsigned t = 0; t < s->cfg.media_threads; t++)
    if (media_thread_has_tcp(s->media[t]))
      add_tcp_candidates(cc, t);
  snprintf(cc->link.host, sizeof cc->link.host, "%s", *fixed ? fixed : cc->candidates[0][0].address);
}

/* ---- certificate of the signalling port: made once, kept in the database, pinned in every link ---- */

static enum err keep_cert(struct server *s) {
  unsigned char *der = NULL, *key = NULL;
  int n = i2d_X509(s->tls.x509, &der), k = i2d_PrivateKey(s->tls.key, &key);
  enum err e = n > 0 && k > 0 ? ERR_OK : ERR_NOMEM;
  if (e == ERR_OK)
    e = store_put_secret(s->store, "tls.cert", der, (size_t)n);
  if (e == ERR_OK)
    e = store_put_secret(s->store, "tls.key", key, (size_t)k);
  if (e == ERR_OK)
    e = store_commit(s->store);
  OPENSSL_clear_free(key, k > 0 ? (size_t)k : 0);
  OPENSSL_free(der);
  return e;
}

static bool kept_cert(struct server *s) {
  uint8_t der[4096], key[4096];
  size_t n = sizeof der, k = sizeof key;
  if (store_get_secret(s->store, "tls.cert", der, &n) != ERR_OK ||
      store_get_secret(s->store, "tls.key", key, &k) != ERR_OK)
    return false;
  const unsigned char *p = der, *q = key;
  s->tls.x509 = d2i_X509(NULL, &p, (long)n);
  s->tls.key = d2i_AutoPrivateKey(NULL, &q, (long)k);
  OPENSSL_cleanse(key, sizeof key);
  unsigned len = sizeof s->tls.sha256;
  return s->tls.x509 && s->tls.key && X509_digest(s->tls.x509, EVP_sha256(), s->tls.sha256, &len) == 1;
}

/* A private key that others can read is nobody's any more. */
static enum err check_key_file(const char *path, char why[256]) {
  struct stat st;
  if (!path || stat(path, &st) != 0 || (st.st_mode & 077) == 0) /* what cannot be read says so when it is */
    return ERR_OK;
  snprintf(why, 256, "%.200s can be read by others: chmod 600, then start again", path);
  return ERR_CERT;
}

static enum err prepare_certs(struct server *s, char why[256]) {
  enum err e = cert_make(s->cfg.name, 30, &s->dtls_cert);
  if (e != ERR_OK)
    return e;
  s->dtls = dtls_ctx_create(&s->dtls_cert, s->cfg.srtp_min_256);
  if (!s->dtls)
    return ERR_NOMEM;
  if (s->cfg.cert_file) {
    e = check_key_file(s->cfg.key_file, why);
    if (e != ERR_OK)
      return e;
    e = cert_load(s->cfg.cert_file, s->cfg.key_file, &s->tls);
    if (e != ERR_OK)
      snprintf(why, 256, "%s and %s are not a readable certificate and its key", s->cfg.cert_file,
               s->cfg.key_file ? s->cfg.key_file : "(no key file)");
    return e == ERR_OK ? ERR_OK : ERR_CERT;
  }
  s->self_made = true;
  if (kept_cert(s))
    return ERR_OK;
  cert_free(&s->tls);
  e = cert_make(s->cfg.name, CERT_DAYS, &s->tls);
  if (e == ERR_OK)
    e = keep_cert(s);
  if (e != ERR_OK)
    snprintf(why, 256, "a certificate cannot be made and kept in %s: %s", s->cfg.database, err_text(e));
  return e;
}

/* ---- control thread ---- */

static void on_media(void *ctx, unsigned thread, const struct media_cmd *cmd) {
  struct server *s = ctx;
  media_thread_command(s->media[thread], cmd);
}

static enum err on_kdf(void *ctx, const struct kdf_job *job) {
  struct server *s = ctx;
  return kdf_give(s->kdf, job);
}

static void take_hashes(struct server *s) {
  struct kdf_job job;
  while (kdf_take(s->kdf, &job)) {
    control_kdf_done(s->control, job.id, job.right, job.rehash || job.make ? job.phc : NULL);
    explicit_bzero(&job, sizeof job);
  }
}

static void take_backup(struct server *s) {
  struct backup_outcome o;
  if (s->backup && shell_backup_take(s->backup, &o))
    control_backup(s->control, o.e, o.name);
}

static void on_media_counters(void *ctx, struct mediaport_counters *out) {
  struct server *s = ctx;
  for (unsigned t = 0; t < s->cfg.media_threads; t++) {
    struct mediaport_counters m;
    media_thread_counters(s->media[t], &m);
    metrics_add_media(out, &m);
  }
}

/* Since it was asked last, but over a second at least. */
static unsigned on_media_load(void *ctx, unsigned thread) {
  struct server *s = ctx;
  struct media_load *l = &s->media_load[thread];
  us_t now = clock_now();
  if (now - l->at < US_PER_S)
    return l->permille;
  us_t cpu = media_thread_cpu(s->media[thread]);
  l->permille = (unsigned)((cpu - l->cpu) * 1000 / (now - l->at));
  l->at = now;
  l->cpu = cpu;
  return l->permille;
}

static unsigned on_handshakes(void *ctx) {
  const struct server *s = ctx;
  return handshakes_waiting(s->handshakes);
}

static void serve_request(struct server *s) {
  pthread_mutex_lock(&s->lock);
  struct server_request *r = s->request;
  if (r && !r->done && !r->room) {
    settings_reload(s, r);
    r->done = true;
    pthread_cond_broadcast(&s->answered);
  } else if (r && !r->done) {
    r->result = control_room_create(s->control, r->room, r->lobby, r->host, r->guest);
    enum err durable = control_commit(s->control);
    if (r->result == ERR_OK)
      r->result = durable;
    r->done = true;
    pthread_cond_broadcast(&s->answered);
  }
  pthread_mutex_unlock(&s->lock);
}

static void turn(struct server *s) {
  us_t due = control_next_timeout(s->control), now = clock_now();
  if (map_count(s->wsis) > 0 && now + MEDIA_LOOK_US < due) /* what media threads tell without waking us */
    due = now + MEDIA_LOOK_US;
  shell_ws_turn(s, due);
  control_tick(s->control, clock_now(), clock_wall_ms());
  struct media_event ev;
  for (unsigned t = 0; t < s->cfg.media_threads; t++)
    while (media_thread_event(s->media[t], &ev))
      control_media_event(s->control, t, &ev);
  shell_tunnel_take(s);
  take_hashes(s);
  take_backup(s);
  shell_runner_take(s);
  serve_request(s);
  control_commit(s->control);
}

static void *run(void *arg) {
  struct server *s = arg;
  while (!atomic_load(&s->stop))
    turn(s);
  control_bye(s->control, 1000);
  settings_audited(s, "server.stop");
  control_commit(s->control);
  control_stop(s->control, clock_wall_ms());
  struct control_counters n;
  us_t until = clock_now() + BYE_MS * US_PER_MS;
  do { /* let the goodbyes out */
    shell_ws_turn(s, until);
    control_commit(s->control);
    control_counters(s->control, &n);
  } while (n.conns > 0 && clock_now() < until);
  return NULL;
}

/* ---- life ---- */

static enum err start_media(struct server *s, char why[256]) {
  if (s->cfg.media_port && s->cfg.media_port + s->cfg.media_threads > UINT16_MAX + 1U) {
    snprintf(why, 256, "UDP port %u leaves no room for the ports of %u media threads: choose a lower one",
             s->cfg.media_port, s->cfg.media_threads);
    return ERR_PORT_TAKEN;
  }
  enum err started = handshakes_start(s->dtls, s->cfg.handshake_threads, &s->handshakes);
  if (started != ERR_OK)
    return started;
  for (unsigned t = 0; t < s->cfg.media_threads; t++) {
    struct media_thread_config c = {.listen = s->cfg.listen,
                                    .port = (uint16_t)(s->cfg.media_port ? s->cfg.media_port + t : 0),
                                    .packed_from = s->cfg.packed_from,
                                    .tcp = s->cfg.media_tcp,
                                    .dtls = s->dtls,
                                    .handshakes = s->handshakes,
                                    .index = t,
                                    .wake = shell_ws_wake,
                                    .ctx = s};
    enum err e = media_thread_start(&c, &s->media[t]);
    if (e != ERR_OK) {
      snprintf(why, 256, "UDP port %u of %s cannot be opened (%s): choose another with --media-port", c.port,
               *c.listen ? c.listen : "all addresses", err_text(e));
      return e;
    }
  }
  media_threads_link(s->media, s->cfg.media_threads);
  return ERR_OK;
}

static enum err start_control(struct server *s, char why[256]) {
  enum err e = settings_consent(s, why);
  if (e == ERR_OK)
    e = settings_turn(&s->cfg, &s->turn, why);
  if (e == ERR_OK)
    e = kdf_start(shell_ws_wake, s, &s->kdf);
  if (e != ERR_OK)
    return e;
  struct control_config cc = {.store = s->store,
                              .rng = rng_system(),
                              .media_threads = s->cfg.media_threads,
                              .edge_from = s->cfg.edge_from,
                              .database = s->database,
                              .backups = s->backups,
                              .rekey_s = s->cfg.rekey_s,
                              .media = on_media,
                              .want_write = shell_ws_want_write,
                              .blocked = shell_ws_blocked,
                              .media_counters = on_media_counters,
                              .handshakes = on_handshakes,
                              .media_load = on_media_load,
                              .region = s->cfg.region,
                              .host = shell_host,
                              .disk_least = (uint64_t)s->cfg.disk_free_mb << 20,
                              .ops_token = s->has_ops_token ? s->ops_token : NULL,
                              .http_reply = shell_http_reply,
                              .kdf = on_kdf,
                              .guest_page = s->cfg.guest_page,
                              .turn = s->turn,
                              .limits = s->cfg.limits,
                              .ctx = s};
  memcpy(cc.dtls_sha256, s->dtls_cert.sha256, sizeof cc.dtls_sha256);
  find_addresses(s, &cc);
  e = shell_runner_configure(s, &cc, why);
  if (e != ERR_OK)
    return e;
  shell_runner_watch(s);
  settings_access(s, &cc.access);
  cc.link.port = s->port;
  cc.link.has_pin = s->self_made;
  memcpy(cc.link.pin, s->tls.sha256, sizeof cc.link.pin);
  s->link = cc.link;
  e = control_create(&cc, clock_now(), clock_wall_ms(), &s->control, why);
  if (e == ERR_OK)
    settings_audited(s, "server.start"); /* on disk with the first turn */
  return e;
}

/* The key is only known now; the thread starts when the process is who it stays. */
static enum err prepare_backups(struct server *s, char why[256]) {
  char path[PATH_MAX + 8];
  s->backups = realpath(s->cfg.backup_folder, NULL);
  struct backup_shell c = {.database = s->database,
                           .folder = s->backups ? s->backups : s->cfg.backup_folder,
                           .key = s->cfg.master_key,
                           .wake = shell_ws_wake,
                           .ctx = s};
  enum err e = shell_backup_create(&c, &s->backup, why);
  if (e != ERR_OK)
    return e;
  snprintf(path, sizeof path, "%s/erased",
           s->backups); /* who was erased: beside the backups it outlives this disk */
  return store_keep_erased(s->store, path, why);
}

enum err server_start_backups(struct server *s) {
  return s->backup ? shell_backup_start(s->backup) : ERR_OK;
}

/* That we may run on. */
static unsigned cores(void) {
  cpu_set_t set;
  CPU_ZERO(&set);
  int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return n > 0 ? (unsigned)n : 1;
}

enum err server_start(const struct server_config *c, struct server **out, char why[256]) {
  struct server *s = calloc(1, sizeof *s);
  if (!s)
    return ERR_NOMEM;
  s->cfg = *c;
  if (s->cfg.media_threads < 1)
    s->cfg.media_threads = cores();
  if (s->cfg.media_threads > CONTROL_THREADS_MAX)
    s->cfg.media_threads = CONTROL_THREADS_MAX;
  if (s->cfg.handshake_threads < 1 || s->cfg.handshake_threads > HANDSHAKE_THREADS_MAX)
    s->cfg.handshake_threads = 1;
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->answered, NULL);
  s->wsis = map_create(rng_u64(rng_system()));
  s->tunnels = map_create(rng_u64(rng_system()));
  s->started_s = clock_wall_ms() / 1000;
  s->runner = c->runner ? *c->runner : (struct runner){-1, -1};
  why[0] = 0;
  enum err e = store_open(c->database, c->master_key, rng_system(), &s->store, why);
  if (e == ERR_IO || e == ERR_BAD_CONFIG) /* in use, not readable, or its key is */
    e = ERR_DB_OPEN;
  if (e == ERR_OK)
    s->database = realpath(c->database, NULL);
  if (e == ERR_OK && *s->cfg.backup_folder && s->database)
    e = prepare_backups(s, why);
  if (e == ERR_OK)
    e = prepare_certs(s, why);
  if (e == ERR_OK)
    e = settings_ops(s, why);
  if (e == ERR_OK)
    e = shell_ws_open(s, why);
  if (e == ERR_OK)
    e = start_media(s, why);
  if (e == ERR_OK)
    e = start_control(s, why);
  if (e == ERR_OK) {
    s->running = pthread_create(&s->thread, NULL, run, s) == 0;
    e = s->running ? ERR_OK : ERR_NOMEM;
  }
  if (e != ERR_OK) {
    if (!why[0])
      snprintf(why, 256, "%s", err_text(e));
    server_stop(s);
    return e;
  }
  *out = s;
  return ERR_OK;
}

void server_link(const struct server *s, struct link *l) {
  memcpy(l->host, s->link.host, sizeof l->host);
  l->port = s->link.port;
  l->has_pin = s->link.has_pin;
  memcpy(l->pin, s->link.pin, sizeof l->pin);
}

uint16_t server_port(const struct server *s) {
  return s->port;
}

uint16_t server_media_port(const struct server *s) {
  return media_thread_port(s->media[0]);
}

/* The control thread answers. */
static void ask(struct server *s, struct server_request *r) {
  pthread_mutex_lock(&s->lock);
  s->request = r;
  shell_ws_wake(s);
  while (!r->done)
    pthread_cond_wait(&s->answered, &s->lock);
  s->request = NULL;
  pthread_mutex_unlock(&s->lock);
}

enum err server_room_create(struct server *s, const char *room, bool lobby, struct link *host,
                            struct link *guest) {
  struct server_request r = {.room = room, .lobby = lobby, .host = host, .guest = guest};
  ask(s, &r);
  return r.result;
}

void server_reload(struct server *s, const struct server_config *now, const char *why) {
  struct server_request r = {.reload = now, .why = why ? why : ""};
  ask(s, &r);
}

void server_stop(struct server *s) {
  if (!s)
    return;
  atomic_store(&s->stop, true);
  if (s->running) {
    shell_ws_wake(s);
    pthread_join(s->thread, NULL);
  }
  shell_backup_stop(s->backup); /* the control thread asks it; it wakes the other */
  handshakes_stop(s->handshakes);
  for (unsigned t = 0; t < CONTROL_THREADS_MAX; t++)
    media_thread_halt(s->media[t]);
  for (unsigned t = 0; t < CONTROL_THREADS_MAX; t++)
    media_thread_stop(s->media[t]);
  handshakes_free(s->handshakes);
  kdf_stop(s->kdf);
  shell_runner_close(s);
  shell_ws_close(s);
  control_destroy(s->control);
  store_close(s->store);
  dtls_ctx_destroy(s->dtls);
  cert_free(&s->dtls_cert);
  cert_free(&s->tls);
  map_destroy(s->wsis);
  map_destroy(s->tunnels); /* those in it went with their connections */
  free(s->database);
  free(s->backups);
  free(s->consent);
  turn_close(s->turn);
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->answered);
  free(s);
}
