#include "tui/host.h"

#include "core/server/server.h"
#include "tui/pages.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct links {
  struct link host, guest;
};

/* The links of a kept room are kept too (0600): the log holds only the hashes of their secrets. */
static bool links_path(const struct options *o, char out[512], char why[256]) {
  char file[TEXT_SLUG_MAX + 8];
  snprintf(file, sizeof file, "%s.links", o->room);
  return options_state_path(file, out, why);
}

static void links_save(const char *path, const struct links *l) {
  char host[LINK_MAX], guest[LINK_MAX];
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return; /* then the room cannot be reopened as host, and that is said when it is tried */
  link_format(&l->host, host);
  link_format(&l->guest, guest);
  dprintf(fd, "%s\n%s\n", host, guest);
  close(fd);
}

static bool read_line(FILE *f, struct link *l) {
  char text[LINK_MAX + 2];
  const char *why;
  if (fgets(text, sizeof text, f) == NULL)
    return false;
  text[strcspn(text, "\n")] = '\0';
  return link_parse(text, l, &why) == ERR_OK;
}

/* links_load: of a room that was made before; address, port and certificate are today's. */
static bool links_load(const char *path, const struct server *s, struct links *l) {
  FILE *f = fopen(path, "r");
  bool ok = f != NULL && read_line(f, &l->host) && read_line(f, &l->guest);
  if (f != NULL)
    fclose(f);
  if (ok) {
    server_link(s, &l->host);
    server_link(s, &l->guest);
  }
  return ok;
}

static bool open_room(const struct options *o, struct server *s, struct links *l, char why[256]) {
  char path[512] = "";
  if (!o->forget && !links_path(o, path, why))
    return false;
  enum err e = server_room_create(s, o->room, o->lobby, &l->host, &l->guest);
  bool ok = e == ERR_OK || (e == ERR_ROOM_EXISTS && links_load(path, s, l));
  if (ok && !o->forget)
    links_save(path, l);
  if (ok)
    return true;
  snprintf(why, 256,
           e == ERR_ROOM_EXISTS ? "%s, and its links are lost: choose another name or --forget" : "%s",
           err_text(e));
  return false;
}

/* the server's threads inherit a mask without our signals: those belong to the front end. */
static struct server *start(const struct options *o, char why[256]) {
  struct server_config c;
  struct server *s = NULL;
  char db[512] = ":memory:";
  if (!o->forget && !options_state_path("rooms.db", db, why))
    return NULL;
  server_config_default(&c);
  c.listen = o->listen;
  c.public_address = o->public_address;
  c.port = o->port;
  c.media_port = o->media_port;
  c.database = db;
  c.name = "gavel";
  sigset_t ours, before;
  sigemptyset(&ours);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGTERM);
  sigaddset(&ours, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &ours, &before);
  enum err e = server_start(&c, &s, why);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return e == ERR_OK ? s : NULL;
}

/* announce: on the screen the link is a note and behind `:link`; elsewhere it is the first line out. */
static void announce(const struct front_config *f) {
  if (f->kind == FRONT_HEADLESS)
    printf("{\"event\":\"invite\",\"link\":\"%s\"}\n", f->invite);
  else
    printf("Invite link: %s\n", f->invite);
  fflush(stdout);
}

enum exit_code host_run(struct options *o) {
  char why[256] = "";
  struct links l;
  enum exit_code code = EXIT_CONNECT;
  umask(077);
  struct server *s = start(o, why);
  if (s == NULL || !open_room(o, s, &l, why)) {
    fprintf(stderr, "gavel: %s\n", why);
  } else {
    link_format(&l.guest, o->front.invite);
    o->front.hint = "Invite others: y copies the link, :link shows it with a QR code.";
    o->front.client.link = l.host;
    announce(&o->front);
    code = front_run(&o->front);
  }
  if (s != NULL)
    server_stop(s);
  return code;
}
