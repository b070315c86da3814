#include "core/server/turn.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct turn {
  struct turn_uri uris[TURN_URIS_MAX];
  size_t n;
  unsigned ttl_s;
  char secret[TURN_SECRET_MAX + 2];
};

static enum err read_uris(struct turn *t, const char *uris, char why[256]) {
  static const char GAP[] = ", \t";
  for (const char *at = uris + strspn(uris, GAP); *at; at += strspn(at, GAP)) {
    size_t n = strcspn(at, GAP);
    const char *bad = "more relays than 8";
    if (t->n == TURN_URIS_MAX || turn_uri_parse(at, n, &t->uris[t->n], &bad) != ERR_OK) {
      snprintf(why, 256, "[turn] uris, at %.*s: %.120s", (int)(n < 80 ? n : 80), at, bad);
      return ERR_BAD_CONFIG;
    }
    t->n++;
    at += n;
  }
  return ERR_OK;
}

static enum err read_secret(struct turn *t, const char *path, char why[256]) {
  FILE *f = *path ? fopen(path, "re") : NULL;
  if (f)
    setvbuf(f, NULL, _IONBF, 0); /* no copy of the secret stays in a buffer */
  bool read = f && fgets(t->secret, sizeof t->secret, f);
  if (f)
    fclose(f);
  size_t n = strcspn(t->secret, "\r\n");
  t->secret[n] = 0;
  if (read && n >= 16 && n <= TURN_SECRET_MAX)
    return ERR_OK;
  snprintf(why, 256, "[turn] secret_file (now %.100s) must begin with a line of 16 to %d characters",
           *path ? path : "none", TURN_SECRET_MAX);
  return ERR_BAD_CONFIG;
}

enum err turn_open(const char *uris, const char *secret_file, unsigned ttl_s, struct turn **out,
                   char why[256]) {
  *out = NULL;
  struct turn *t = calloc(1, sizeof *t);
  if (!t)
    return ERR_NOMEM;
  t->ttl_s = ttl_s;
  enum err e = read_uris(t, uris, why);
  if (e == ERR_OK && t->n > 0)
    e = read_secret(t, secret_file, why);
  if (e == ERR_OK && t->n > 0)
    *out = t;
  else
    turn_close(t);
  return e;
}

int64_t turn_mint(const struct turn *t, int64_t wall_s, const char *seat, char user[TURN_USER_MAX],
                  char credential[TURN_CREDENTIAL_LEN + 1]) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  int64_t until_s = wall_s + t->ttl_s;
  snprintf(user, TURN_USER_MAX, "%lld:%.40s", (long long)until_s, seat);
  if (!HMAC(EVP_sha1(), t->secret, (int)strlen(t->secret), (const unsigned char *)user, strlen(user), mac,
            &n))
    abort();
  EVP_EncodeBlock((unsigned char *)credential, mac, (int)n);
  return until_s;
}

json_t *turn_servers(const struct turn *t, int64_t wall_s, const char *seat) {
  char user[TURN_USER_MAX], credential[TURN_CREDENTIAL_LEN + 1], uri[TURN_URI_MAX];
  json_t *list = json_array(), *urls = json_array();
  for (size_t i = 0; t && i < t->n; i++) {
    turn_uri_format(&t->uris[i], uri);
    json_array_append_new(urls, json_string(uri));
  }
  if (t) {
    turn_mint(t, wall_s, seat, user, credential);
    json_array_append_new(
        list, json_pack("{s:O,s:s,s:s}", "urls", urls, "username", user, "credential", credential));
    OPENSSL_cleanse(credential, sizeof credential);
  }
  json_decref(urls);
  return json_pack("{s:o,s:I}", "servers", list, "expires_s", (json_int_t)(t ? t->ttl_s : 0));
}

void turn_close(struct turn *t) {
  if (t)
    OPENSSL_cleanse(t->secret, sizeof t->secret);
  free(t);
}
