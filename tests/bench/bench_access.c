/* What it costs to know who somebody is, to write down what was done, and to keep it.
 *   bench_access FOLDER     FOLDER is made, and keeps the database (about 40 MB) for gavelctl: see
 *                           docs/figures.md. Times are of the CPU, those of the backup by the
 *                         clock; a figure stands beside a plain one of the same run. */
#include "core/access/access.h"
#include "core/auth/password.h"
#include "core/auth/token_tool.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/ed25519.h"
#include "core/media/secure.h"
#include "core/store/backup.h"
#include "core/store/files.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define NOW_S INT64_C(1700000000)
#define ROUNDS 20
#define PER_ROUND 500
#define ENTRIES 20000
#define GROUP 64
#define EVENTS 70000 /* make about 40 MB */
#define REKEYS 200
#define PERSON "p-0123456789abcdef"

#define MUST(call)                                                                                           \
  do {                                                                                                       \
    enum err must_e = (call);                                                                                \
    if (must_e != ERR_OK) {                                                                                  \
      fprintf(stderr, "%s: %s %s\n", #call, err_text(must_e), why);                                          \
      exit(1);                                                                                               \
    }                                                                                                        \
  } while (0)

static char why[256];

/* Of this process: the machine may have other things to do. */
static us_t cpu_now(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * US_PER_S + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

static double us_each(us_t start, int n) {
  return (double)(cpu_now() - start) / n;
}

/* ---- tokens ---- */

struct token {
  struct token_key key;
  char *text;
  uint8_t msg[300], mac[32], sig[ED25519_SIG];
};

static void verify_one(struct token *t) {
  struct token_claims got;
  const char *word;
  MUST(token_verify(t->text, strlen(t->text), &t->key, NOW_S, &got, &word));
}

static void plain_one(struct token *t) {
  unsigned len;
  bool ok = t->key.format == TOKEN_HS256
                ? HMAC(EVP_sha256(), t->key.secret, 32, t->msg, sizeof t->msg, t->mac, &len) != NULL
                : ed25519_check(t->key.secret, t->msg, sizeof t->msg, t->sig);
  assert(ok);
}

static void round_of(void (*one)(struct token *t), struct token *t, double *least_us) {
  us_t start = cpu_now();
  for (int i = 0; i < PER_ROUND; i++)
    one(t);
  double us = us_each(start, PER_ROUND);
  *least_us = *least_us > 0 && *least_us < us ? *least_us : us;
}

/* The best of some rounds, taken by turns. */
static void tokens(enum token_format f) {
  struct token t = {.key = {.format = f,
                            .kid = "k1",
                            .issuer = "acme",
                            .audience = "here",
                            .n_secret = 32,
                            .scopes = SCOPE_ALL}};
  struct token_claims claims = {.subject = "ann",
                                .room = "den",
                                .name = "Ann",
                                .scopes = SCOPE_JOIN | SCOPE_SPEAK,
                                .iat_s = NOW_S,
                                .exp_s = NOW_S + 600};
  const char *word;
  double plain = 0, verify = 0;
  rng_system()->fill(rng_system(), t.key.secret, 32);
  MUST(token_mint(&t.key, &claims, &(struct token_extra){0}, rng_system(), &t.text, &word));
  if (f == TOKEN_EDDSA) { /* who checks has the public key */
    ed25519_sign(t.key.secret, t.msg, sizeof t.msg, t.sig);
    ed25519_public(t.key.secret, t.key.secret);
  }
  for (int i = 0; i < ROUNDS; i++) {
    round_of(plain_one, &t, &plain);
    round_of(verify_one, &t, &verify);
  }
  printf("%-15s %7.1f us  %7.0f/s  its bare signature %.1f us: %.1f times\n", token_format_word(f), verify,
         1e6 / verify, plain, verify / plain);
  free(t.text);
}

/* ---- passwords ---- */

static void passwords(void) {
  char phc[PASSWORD_PHC_MAX];
  struct rusage before, after;
  bool rehash;
  getrusage(RUSAGE_SELF, &before);
  MUST(password_hash("a password of some length", rng_system(), phc));
  getrusage(RUSAGE_SELF, &after);
  us_t start = cpu_now();
  for (int i = 0; i < 20; i++)
    if (!password_verify("a password of some length", phc, &rehash))
      abort();
  printf("argon2id        %7.1f ms, %ld KiB more at its peak\n", us_each(start, 20) / 1000,
         after.ru_maxrss - before.ru_maxrss);
}

/* ---- new keys for a media path ---- */

static void carry(struct secure *from, struct secure *to, us_t now, unsigned *rekeyed) {
  uint8_t p[1500];
  size_t n;
  while ((n = secure_poll(from, p, sizeof p)))
    secure_handle_dtls(to, now, p, n);
  *rekeyed += secure_news(from) == SECURE_REKEYED;
}

/* A packet each way, so that both sides know that the other has the keys. */
static void talk(struct secure *end[2], us_t now) {
  static uint16_t seq;
  for (int i = 0; i < 2; i++, seq++) {
    uint8_t p[128] = {0x80, 111, (uint8_t)(seq >> 8), (uint8_t)seq, [11] = i ? 22 : 11};
    size_t n = 40;
    MUST(secure_protect(end[i], p, &n, sizeof p));
    MUST(secure_unprotect(end[!i], now, p, &n));
  }
}

static void rekeys(void) {
  struct cert cert[2];
  struct dtls_ctx *ctx[2];
  struct secure *end[2];
  unsigned done = 0;
  us_t now = US_PER_S;
  for (int i = 0; i < 2; i++) {
    MUST(cert_make(i ? "b" : "a", 1, &cert[i]));
    ctx[i] = dtls_ctx_create(&cert[i], false);
  }
  for (int i = 0; i < 2; i++)
    end[i] = secure_create(ctx[i], i, "sha-256", cert[!i].sha256, 32, i ? 11 : 22);
  secure_start(end[0], now);
  us_t begin = 0;
  for (int turn = 0; done < 2 * REKEYS; turn++, now += US_PER_S) {
    carry(end[0], end[1], now, &done);
    carry(end[1], end[0], now, &done);
    secure_handle_timeout(end[0], now);
    secure_handle_timeout(end[1], now);
    if (!secure_up(end[0]) || !secure_up(end[1]))
      continue;
    begin = begin ? begin : cpu_now();
    talk(end, now);
    if (turn % 8 == 0)
      secure_rekey(end[0], now);
    assert(turn < 100 * REKEYS);
  }
  printf("new media keys  %7.2f ms of CPU, both sides and 8 packets each way\n",
         us_each(begin, REKEYS) / 1000);
  for (int i = 0; i < 2; i++) {
    secure_destroy(end[i]);
    dtls_ctx_destroy(ctx[i]);
    cert_free(&cert[i]);
  }
}

/* ---- the database ---- */

static void events(struct store *s, const char *stream, int n, bool payloads) {
  char payload[320];
  memset(payload, 'x', sizeof payload);
  snprintf(payload, sizeof payload, "{\"text\":\"%0250d\"}", n);
  for (int i = 1; i <= n; i++) {
    struct store_record r = {stream,
                             (uint64_t)i,
                             NOW_S * 1000 + i,
                             "m:3",
                             "chat",
                             "",
                             "{\"n\":1}",
                             payloads ? payload : NULL,
                             i % 10 == 0 ? PERSON : NULL};
    MUST(store_append(s, &r));
    if (i % GROUP == 0 || i == n)
      MUST(store_commit(s));
  }
}

static void audit(struct store *s) {
  struct access_config c = {.store = s, .rng = rng_system(), .audience = "here", .audit_days = 180};
  struct access *a;
  MUST(access_open(&c, NOW_S * 1000, &a, why));
  us_t start = cpu_now();
  for (int i = 1; i <= ENTRIES; i++) {
    audit_note(a,
               &(struct audit_entry){.actor = PERSON, .action = "room.lock", .app = "acme", .room = "den"});
    if (i % GROUP == 0 || i == ENTRIES)
      MUST(store_commit(s));
  }
  double entry = us_each(start, ENTRIES);
  start = cpu_now();
  events(s, "room:plain", ENTRIES, false);
  double plain = us_each(start, ENTRIES);
  printf("audit entry     %7.1f us in groups of 64; a plain event %.1f us: %.1f times\n", entry, plain,
         entry / plain);
  access_close(a);
}

static void backup(const char *folder, const char *database, const uint8_t key[32]) {
  char path[600], name[BACKUP_NAME_MAX];
  struct backup_place place = {database, path, key};
  struct backup_facts f;
  snprintf(path, sizeof path, "%s/backups", folder);
  mkdir(path, 0700);
  us_t start = clock_now();
  MUST(backup_make(&place, NOW_S * 1000, true, name, why));
  double made = (double)(clock_now() - start) / 1000;
  snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", name);
  us_t then = clock_now();
  MUST(backup_verify(path, key, &f, why));
  printf("backup          %7.0f ms made and verified, %.0f ms verified again: %.1f MB, %" PRIu64 " events\n",
         made, (double)(clock_now() - then) / 1000, (double)f.bytes / 1e6, f.events);
}

int main(int argc, char **argv) {
  char database[512], file[520];
  uint8_t key[32];
  struct store *s;
  if (argc != 2 || strlen(argv[1]) > 400 || mkdir(argv[1], 0700) != 0) {
    fprintf(stderr, "usage: bench_access FOLDER that is not there yet\n");
    return 1;
  }
  snprintf(database, sizeof database, "%s/gavel.db", argv[1]);
  snprintf(file, sizeof file, "%s.key", database);
  passwords();
  tokens(TOKEN_HS256);
  tokens(TOKEN_EDDSA);
  rekeys();
  MUST(store_open(database, NULL, rng_system(), &s, why));
  audit(s);
  events(s, "room:den", EVENTS, true);
  MUST(files_read_key(file, key, why));
  backup(argv[1], database, key);
  store_close(s);
  return 0;
}
