#include "tui/terms.h"

#include "tui/options.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "consents"

struct entry {
  char host[256], version[TERMS_VERSION_MAX];
  unsigned port;
};

static FILE *open_list(void) {
  char path[512], why[256];
  struct stat st;
  FILE *f = options_state_path(FILE_NAME, path, why) ? fopen(path, "re") : NULL;
  if (f != NULL && (fstat(fileno(f), &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0)) {
    fclose(f); /* someone else may have written it */
    f = NULL;
  }
  return f;
}

static bool next(FILE *f, struct entry *e) {
  return f != NULL && fscanf(f, "%255s %u %63s", e->host, &e->port, e->version) == 3;
}

static bool is_of(const struct entry *e, const struct link *server) {
  return strcmp(e->host, server->host) == 0 && e->port == server->port;
}

bool terms_known(const struct link *server, char version[TERMS_VERSION_MAX]) {
  struct entry e;
  FILE *f = open_list();
  bool found = false;
  while (!found && next(f, &e))
    found = is_of(&e, server);
  if (f != NULL)
    fclose(f);
  if (found)
    memcpy(version, e.version, sizeof e.version);
  return found;
}

void terms_keep(const struct link *server, const char *version) {
  char path[512], part[520], why[256];
  struct entry e;
  if (!options_state_path(FILE_NAME, path, why))
    return;
  snprintf(part, sizeof part, "%s.new", path);
  int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL, *in = open_list();
  if (out == NULL && fd >= 0)
    close(fd);
  while (out != NULL && next(in, &e))
    if (!is_of(&e, server))
      fprintf(out, "%s %u %s\n", e.host, e.port, e.version);
  if (out != NULL && version != NULL && version[0] != '\0' && strpbrk(version, " \t\r\n") == NULL)
    fprintf(out, "%s %u %s\n", server->host, (unsigned)server->port, version);
  if (in != NULL)
    fclose(in);
  if (out != NULL && fclose(out) == 0)
    (void)rename(part, path);
}
