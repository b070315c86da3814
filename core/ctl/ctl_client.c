/* ctl_client.c: a running gavel: its control socket takes the commands of its `:` line. */
#include "core/base/text.h"
#include "core/ctl/ctl.h"
#include "core/wire/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool sockets_folder(char out[400]) {
  const char *runtime = getenv("XDG_RUNTIME_DIR"), *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  int n = runtime && *runtime == '/' ? snprintf(out, 400, "%s/gavel", runtime)
          : state && *state == '/'   ? snprintf(out, 400, "%s/gavel/run", state)
                                     : snprintf(out, 400, "%s/.local/state/gavel/run", home ? home : "");
  return n < 400;
}

/* The client of that name, else the one that was started last. */
static bool find_client(const char *name, char path[512]) {
  char folder[400];
  struct stat st;
  struct dirent *e;
  time_t newest = 0;
  DIR *d = sockets_folder(folder) ? opendir(folder) : NULL;
  path[0] = 0;
  while (d && (e = readdir(d))) {
    size_t n = strlen(e->d_name);
    char one[512];
    if (n < 6 || strcmp(e->d_name + n - 5, ".sock") != 0 ||
        snprintf(one, sizeof one, "%s/%s", folder, e->d_name) >= (int)sizeof one)
      continue;
    bool named = name && strlen(name) == n - 5 && strncmp(e->d_name, name, n - 5) == 0;
    if (name ? named : stat(one, &st) == 0 && st.st_mtime >= newest) {
      newest = name ? 0 : st.st_mtime;
      memcpy(path, one, sizeof one);
    }
  }
  if (d)
    closedir(d);
  return path[0] != 0;
}

static int print_answer(struct ctl *c, const char *line) {
  json_t *o = json_loads(line, 0, NULL);
  bool ok = json_flag(o, "ok", true);
  const char *text = json_str(o, "page", json_str(o, "text", ""));
  size_t cap = strlen(text) + 8;
  char *shown = malloc(cap);
  if (shown)
    text_show(text, true, shown, cap);
  char *ascii = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
  if (c->json || !json_object_get(o, "ok"))
    puts(ascii ? ascii : "");
  else if (ok && shown && *shown)
    printf("%s%s", shown, shown[strlen(shown) - 1] == '\n' ? "" : "\n");
  else if (!ok)
    fprintf(stderr, "gavelctl: %s (%s)\n", shown ? shown : "",
            err_code(err_from_code(json_str(o, "code", ""))));
  free(ascii);
  free(shown);
  json_decref(o);
  return ok ? EXIT_OK : EXIT_REFUSED;
}

int ctl_client(struct ctl *c, const char *name, int argc, char **argv) {
  char path[512], line[4096] = "";
  size_t n = 0, cap = 0;
  bool text = false;
  if (!find_client(name, path))
    return ctl_fail(EXIT_CONNECT, "no such gavel is running");
  for (int i = 0; i < argc; i++) { /* the shell's quotes again; behind "--" is text, as it is */
    text = text || strcmp(argv[i], "--") == 0;
    const char *quote = !text && strchr(argv[i], ' ') && !strchr(argv[i], '"') ? "\"" : "";
    int k = snprintf(line + n, sizeof line - n, "%s%s%s%s", i ? " " : "", quote, argv[i], quote);
    if (k < 0 || (n += (size_t)k) + 2 > sizeof line || strchr(argv[i], '\n'))
      return ctl_fail(EXIT_USAGE, "the command is too long, or has a line break");
  }
  line[n++] = '\n';
  c->socket = path;
  int rc = ctl_dial(c);
  FILE *f = rc < 0 ? fdopen(dup(c->fd), "r") : NULL;
  if (!f || !ctl_write_all(c->fd, line, n))
    return rc < 0 ? ctl_fail(EXIT_CONNECT, "the client does not listen") : rc;
  bool watch = strcmp(argv[0], "watch") == 0;
  char *answer = NULL;
  ssize_t len;
  rc = EXIT_CONNECT;
  while ((len = getline(&answer, &cap, f)) > 0) {
    answer[len - 1] = 0;
    rc = print_answer(c, answer);
    fflush(stdout);
    if (!watch)
      break;
  }
  free(answer);
  fclose(f);
  return rc == EXIT_CONNECT ? ctl_fail(rc, "the client closed the connection") : rc;
}
