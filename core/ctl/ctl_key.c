/* ctl_key.c: where the master key is. It is read, used and wiped: nothing here writes it anywhere. */
#include "core/ctl/ctl.h"
#include "core/store/files.h"
#include "core/store/store.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_file(const char *file, uint8_t key[32], int *rc) {
  char why[256];
  enum err e = files_read_key(file, key, why);
  if (e == ERR_OK)
    return true;
  fprintf(stderr, "gavelctl: %s (%s)\n", why, err_code(e));
  *rc = EXIT_REFUSED;
  return false;
}

bool ctl_key(struct ctl *c, const char *file, const char *database, uint8_t key[32], int *rc) {
  char beside[PATH_MAX + 8], why[256] = "";
  bool given = false;
  if (file || c->master_key)
    return read_file(file ? file : c->master_key, key, rc);
  if (files_given_key(getenv("CREDENTIALS_DIRECTORY"), getenv("GAVEL_KEY_FD"), key, &given, why) != ERR_OK) {
    *rc = ctl_fail(EXIT_REFUSED, why);
    return false;
  }
  if (given)
    return true;
  char *path = database ? strdup(database) : ctl_database(c, rc);
  char *full =
      path ? realpath(path, NULL) : NULL; /* the key is where gaveld put it, whatever link was given */
  if (path)
    snprintf(beside, sizeof beside, "%s.key", full ? full : path);
  bool read = path && read_file(beside, key, rc);
  if (!read)
    fputs("gavelctl: --master-key=FILE names the file of the key\n", stderr);
  free(full);
  free(path);
  return read;
}

struct store *ctl_store(struct ctl *c, const char *path, int *rc) {
  uint8_t key[32];
  char why[256];
  struct store *s = NULL;
  if (!ctl_key(c, NULL, path, key, rc))
    return NULL;
  if (store_open_copy(path, key, &s, why) != ERR_OK)
    *rc = ctl_fail(EXIT_CONNECT, why);
  explicit_bzero(key, sizeof key);
  return s;
}
