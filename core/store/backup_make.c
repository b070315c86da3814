/* backup_make.c: a copy, what is known of it (the manifest), and whether both are still true. */
#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/store/backup.h"
#include "core/store/erased.h"
#include "core/store/files.h"
#include "core/store/store_sqlite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MANIFEST_MAX = 2048 };

/* A path with a suffix fits. */
struct path {
  char s[FILES_PATH_MAX + 64];
};

static struct path path_of(const char *folder, const char *slash, const char *name, const char *suffix) {
  struct path p;
  snprintf(p.s, sizeof p.s, "%s%s%s%s", folder, slash, name, suffix);
  return p;
}

/* ---- the manifest ---- */

static enum err hash_file(const char *file, char hex[65], uint64_t *bytes, char why[256]) {
  uint8_t buf[65536], sum[32];
  EVP_MD_CTX *c = EVP_MD_CTX_new();
  if (!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1)
    abort(); /* out of memory */
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : 0;
  *bytes = 0;
  while (fd >= 0 && (n = read(fd, buf, sizeof buf)) > 0) {
    *bytes += (uint64_t)n;
    EVP_DigestUpdate(c, buf, (size_t)n);
  }
  enum err e = n < 0 ? files_why("read", file, why) : ERR_OK;
  EVP_DigestFinal_ex(c, sum, NULL);
  EVP_MD_CTX_free(c);
  if (fd >= 0)
    close(fd);
  hex_encode(sum, sizeof sum, hex);
  return e;
}

/* The whole text with its MAC; made again from the file it must come out the same, so nothing has to parse
 * it. */
static enum err write_manifest(struct store *s, const char *file, const char *name, int64_t made_ms,
                               char out[MANIFEST_MAX], struct backup_facts *f, char why[256]) {
  char hex[65], rows[512];
  uint8_t mac[32];
  enum err e = hash_file(file, hex, &f->bytes, why);
  if (e == ERR_OK)
    e = store_count_rows(s, rows, &f->events);
  if (e != ERR_OK)
    return e;
  f->made_ms = made_ms;
  int n =
      snprintf(out, MANIFEST_MAX,
               "{\n  \"file\": \"%s\",\n  \"made_ms\": %" PRId64 ",\n  \"schema\": %d,\n  \"bytes\": %" PRIu64
               ",\n  \"sha256\": \"%s\",\n  \"rows\": {%s},\n",
               name, made_ms, STORE_SCHEMA, f->bytes, hex, rows);
  store_mac(s, out, (size_t)n, mac);
  hex_encode(mac, sizeof mac, hex);
  snprintf(out + n, MANIFEST_MAX - (size_t)n, "  \"mac\": \"%s\"\n}\n", hex);
  return ERR_OK;
}

static enum err read_manifest(const char *file, char out[MANIFEST_MAX], int64_t *made_ms, char why[256]) {
  struct path p = path_of(file, "", "", ".json");
  FILE *f = fopen(p.s, "re");
  size_t n = f ? fread(out, 1, MANIFEST_MAX - 1, f) : 0;
  out[n] = 0;
  if (f)
    fclose(f);
  const char *made = strstr(out, "\"made_ms\": ");
  if (made) {
    *made_ms = strtoll(made + 11, NULL, 10);
    return ERR_OK;
  }
  if (access(file, F_OK) != 0) {
    snprintf(why, 256, "%.200s: %s", file, strerror(errno));
    return ERR_IO;
  }
  snprintf(why, 256, "%.200s has no manifest", file);
  return ERR_DB_CORRUPT;
}

/* ---- verify ---- */

static enum err check_copy(struct store *s, char why[256]) {
  enum err e = store_check_whole(s, why);
  return e == ERR_OK ? store_verify(s, why) : e;
}

enum err backup_verify(const char *file, const uint8_t key[32], struct backup_facts *f, char why[256]) {
  char have[MANIFEST_MAX], want[MANIFEST_MAX];
  int64_t made_ms;
  struct store *s = NULL;
  const char *slash = strrchr(file, '/');
  enum err e = read_manifest(file, have, &made_ms, why);
  if (e == ERR_OK)
    e = store_open_copy(file, key, &s, why);
  if (e == ERR_OK)
    e = write_manifest(s, file, slash ? slash + 1 : file, made_ms, want, f, why);
  if (e == ERR_OK && strcmp(have, want) != 0) {
    snprintf(why, 256, "%.200s is not what its manifest says", file);
    e = ERR_DB_CORRUPT;
  }
  if (e == ERR_OK)
    e = check_copy(s, why);
  store_close(s);
  return e;
}

/* ---- make ---- */

/* The copy under its temporary name: verified, and its manifest beside it under the final one. *whole: it can
 * be read, whether its chains verify or not. */
static enum err make_aside(const struct backup_place *p, const char *part, const char *name, int64_t now_ms,
                           const char *manifest, bool *whole, char why[256]) {
  char text[MANIFEST_MAX];
  struct backup_facts f;
  struct store *s = NULL;
  enum err e = store_copy_file(p->database, part, why);
  if (e == ERR_OK)
    e = store_open_copy(part, p->key, &s, why);
  if (e == ERR_OK)
    e = store_check_whole(s, why);
  *whole = e == ERR_OK;
  if (e == ERR_OK)
    e = store_verify(s, why);
  if (e == ERR_OK)
    e = write_manifest(s, part, name, now_ms, text, &f, why);
  store_close(s);
  return e == ERR_OK ? files_save(manifest, text, strlen(text), why) : e;
}

/* ---- a log that someone changed: its copies are no backups, but they are all there is of what came since
 * ---- */

static bool is_suspect(const char *name) {
  const char *dot = strstr(name, ".suspect");
  return strncmp(name, "db-", 3) == 0 && dot && !dot[8] && dot - name < BACKUP_NAME_MAX;
}

/* The oldest of those that are there; *n how many. */
static struct path oldest_suspect(const char *folder, size_t *n) {
  struct path oldest = {""};
  DIR *d = opendir(folder);
  *n = 0;
  for (struct dirent *f; d && (f = readdir(d));)
    if (is_suspect(f->d_name)) {
      struct path p = path_of(folder, "/", f->d_name, "");
      if (++*n == 1 || strcmp(p.s, oldest.s) < 0)
        oldest = p;
    }
  if (d)
    closedir(d);
  return oldest;
}

static void keep_suspect(const char *folder, const char *part, const char *name) {
  size_t n;
  struct path to = path_of(folder, "/", name, ".suspect");
  files_give(part, folder);
  if (rename(part, to.s) != 0)
    return;
  log_event(LOG_ERROR, "the log of the database does not verify: this copy is no backup", "file", to.s, NULL);
  for (struct path old = oldest_suspect(folder, &n); n > BACKUP_SUSPECTS; old = oldest_suspect(folder, &n))
    if (unlink(old.s) != 0)
      return;
}

static void warn_of_space(const struct backup_place *p) {
  struct statvfs v;
  struct stat st;
  if (statvfs(p->folder, &v) != 0 || stat(p->database, &st) != 0)
    return;
  uint64_t left = (uint64_t)v.f_bavail * v.f_frsize;
  if (left < 2 * (uint64_t)st.st_size)
    log_event(LOG_WARN, "the disk of the backups is nearly full", "folder", p->folder, "bytes_left",
              log_int((long long)left), NULL);
}

/* Once a newer one is verified. */
static enum err drop_old(const char *folder, int64_t now_ms, char why[256]) {
  struct backup_list l;
  enum err e = backup_list(folder, &l, why);
  bool *keep = e == ERR_OK && l.n ? calloc(l.n, sizeof *keep) : NULL;
  if (keep)
    backup_keep((const char(*)[BACKUP_NAME_MAX])l.names, l.n, now_ms, keep);
  for (size_t i = 0; keep && i < l.n; i++) {
    struct path file = path_of(folder, "/", l.names[i], ""),
                manifest = path_of(folder, "/", l.names[i], ".json");
    if (!keep[i] && unlink(file.s) == 0)
      unlink(manifest.s);
  }
  free(keep);
  backup_list_free(&l);
  return e;
}

static enum err make_locked(const struct backup_place *p, int64_t now_ms, const char *name, char why[256]) {
  struct path file = path_of(p->folder, "/", name, ""), part = path_of(p->folder, "/", "making", ".tmp"),
              manifest = path_of(p->folder, "/", name, ".json"),
              journal = path_of(p->database, "", "", ".erased"), copy = path_of(p->folder, "/", "erased", "");
  if (access(file.s, F_OK) == 0) {
    snprintf(why, 256, "%.200s exists already", file.s);
    return ERR_EXISTS;
  }
  unlink(part.s); /* left by one that was cut off */
  warn_of_space(p);
  bool whole = false;
  enum err e = make_aside(p, part.s, name, now_ms, manifest.s, &whole, why);
  if (e == ERR_DB_CORRUPT && whole)
    keep_suspect(p->folder, part.s, name);
  if (e == ERR_OK)
    e = erased_merge(journal.s, copy.s, why);
  files_give(part.s, p->folder);
  files_give(manifest.s, p->folder);
  files_give(copy.s, p->folder);
  if (e == ERR_OK && rename(part.s, file.s) != 0)
    e = files_why("rename", part.s, why);
  if (e == ERR_OK)
    e = files_sync_folder(file.s, why);
  if (e == ERR_OK)
    return drop_old(p->folder, now_ms, why);
  unlink(part.s);
  unlink(manifest.s);
  return e;
}

enum err backup_make(const struct backup_place *p, int64_t now_ms, bool exact, char name[BACKUP_NAME_MAX],
                     char why[256]) {
  int lock;
  struct path held = path_of(p->folder, "/", "making", "");
  why[0] = 0;
  if (strlen(p->folder) + BACKUP_NAME_MAX > FILES_PATH_MAX) {
    snprintf(why, 256, "the path of the backups is too long");
    return ERR_BAD_CONFIG;
  }
  backup_name(now_ms, exact, name);
  enum err e = files_lock(held.s, &lock, why);
  if (e != ERR_OK)
    return e == ERR_IO && strstr(why, "in use") ? ERR_AGAIN : e;
  files_give(path_of(p->folder, "/", "making", ".lock").s, p->folder);
  e = make_locked(p, now_ms, name, why);
  close(lock);
  if (e != ERR_OK && !why[0])
    snprintf(why, 256, "%.150s: %s", name, err_text(e));
  return e;
}
