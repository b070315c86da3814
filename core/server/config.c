/* config.c: gaveld's INI file. One table: what a key is called, where it goes, what it may be. */
#include "core/server/server.h"

#include <errno.h>
#include <ini.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, PORT, NUMBER, FLAG };
static const struct key {
  const char *section, *name;
  enum kind kind;
  size_t at;
} KEYS[] = {
    {"server", "listen", TEXT, offsetof(struct server_config, listen)},
    {"server", "port", PORT, offsetof(struct server_config, port)},
    {"server", "public_address", TEXT, offsetof(struct server_config, public_address)},
    {"server", "name", TEXT, offsetof(struct server_config, name)},
    {"server", "certificate", TEXT, offsetof(struct server_config, cert_file)},
    {"server", "key", TEXT, offsetof(struct server_config, key_file)},
    {"server", "tls12", FLAG, offsetof(struct server_config, tls12)},
    {"server", "database", TEXT, offsetof(struct server_config, database)},
    {"server", "admin_socket", TEXT, offsetof(struct server_config, admin_socket)},
    {"media", "port", PORT, offsetof(struct server_config, media_port)},
    {"media", "threads", NUMBER, offsetof(struct server_config, media_threads)},
    {"media", "require_256", FLAG, offsetof(struct server_config, srtp_min_256)},
};

struct load {
  struct server_config *c;
  const char *path;
  char *why;
};

static bool set_number(const char *v, long max, long *out) {
  char *end;
  errno = 0;
  *out = strtol(v, &end, 10);
  return errno == 0 && end != v && *end == 0 && *out >= 0 && *out <= max;
}

static bool set(const struct key *k, struct server_config *c, const char *v) {
  void *at = (char *)c + k->at;
  long n;
  switch (k->kind) {
  case TEXT:
    *(const char **)at = strdup(v); /* lives until the process ends */
    return true;
  case PORT:
    return set_number(v, 65535, &n) && (*(uint16_t *)at = (uint16_t)n, true);
  case NUMBER:
    return set_number(v, 16, &n) && n > 0 && (*(unsigned *)at = (unsigned)n, true);
  case FLAG:
    if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0)
      return false;
    *(bool *)at = strcmp(v, "yes") == 0;
    return true;
  }
  return false;
}

/* inih wants 1 for accepted. The line number comes from ini_parse's result; the sentence is begun here. */
static int on_key(void *user, const char *section, const char *name, const char *value) {
  struct load *l = user;
  for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
    if (strcmp(section, KEYS[i].section) == 0 && strcmp(name, KEYS[i].name) == 0) {
      if (set(&KEYS[i], l->c, value))
        return 1;
      snprintf(l->why, 256, "'%.60s' is not a value for %s", value, name);
      return 0;
    }
  if (!l->why[0])
    snprintf(l->why, 256, "there is no setting '%.60s' in section [%.40s]", name, section);
  return 0;
}

enum err server_config_load(const char *path, struct server_config *c, char why[256]) {
  char what[256] = "";
  struct load l = {c, path, what};
  FILE *f = fopen(path, "re");
  int rc = f ? ini_parse_file(f, on_key, &l) : -1, saved = errno;
  bool readable = f && !ferror(f); /* a folder opens, but cannot be read */
  if (f)
    fclose(f);
  if (rc == 0 && readable)
    return ERR_OK;
  if (!readable)
    snprintf(why, 256, "%.180s cannot be read: %s", path, strerror(saved));
  else
    snprintf(why, 256, "%.120s, line %d: %.100s", path, rc, what[0] ? what : "not an INI line");
  return ERR_BAD_CONFIG;
}
