/* settings_ops.c: who may come to the operator's port, and with which token. */
#include "core/base/bytes.h"
#include "core/server/server_private.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TOKEN_LEAST 16 /* letters: nobody guesses that many */
#define TOKEN_MOST 512
#define HERE "127.0.0.0/8, ::1"

static enum err allowed(struct server *s, char why[256]) {
  const char *listen = s->cfg.ops_listen, *allow = s->cfg.ops_allow;
  uint8_t addr[16];
  bool here = !*listen || (addr_read(listen, strlen(listen), addr) && addr_is_loopback(addr));
  if (!*allow && !here) {
    snprintf(why, 256, "[ops] allow is missing: who may come to %.100s? As \"10.1.0.0/16, 192.0.2.7\"",
             listen);
    return ERR_BAD_CONFIG;
  }
  if (proxies_read(*allow ? allow : HERE, &s->allowed, why) == ERR_OK && s->allowed.n > 0)
    return ERR_OK;
  snprintf(why, 256, "[ops] allow: at most %d addresses or blocks are expected, not %.100s", PROXIES_MAX,
           allow);
  return ERR_BAD_CONFIG;
}

enum err settings_secret(const char *path, const char *what, char *out, size_t cap, char why[256]) {
  struct stat st;
  FILE *f = fopen(path, "re");
  bool closed = f && fstat(fileno(f), &st) == 0 && (st.st_mode & 077) == 0;
  size_t n = closed ? fread(out, 1, cap - 1, f) : 0;
  if (f)
    fclose(f);
  out[n] = 0;
  out[strcspn(out, "\r\n")] = 0;
  if (closed && strlen(out) >= TOKEN_LEAST && n < cap - 1)
    return ERR_OK;
  OPENSSL_cleanse(out, cap);
  snprintf(why, 256,
           "%s: %.100s is to be one line of %d letters or more that nobody else can read (chmod 600)", what,
           path, TOKEN_LEAST);
  return ERR_BAD_CONFIG;
}

enum err settings_ops(struct server *s, char why[256]) {
  char token[TOKEN_MOST];
  if (!s->cfg.ops_port)
    return ERR_OK;
  enum err e = allowed(s, why);
  if (e != ERR_OK || !*s->cfg.ops_token_file)
    return e;
  e = settings_secret(s->cfg.ops_token_file, "[ops] token_file", token, sizeof token, why);
  if (e != ERR_OK)
    return e;
  sha256(token, strlen(token), s->ops_token);
  OPENSSL_cleanse(token, sizeof token);
  s->has_ops_token = true;
  return ERR_OK;
}
