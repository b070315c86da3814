#include "tui/login.h"

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/session/https.h"
#include "core/session/login.h"
#include "tui/pages.h"
#include "tui/secret_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLIENT "client_id", "gavel" /* the same in every version: a session stays with its client */
/* What a host needs; the account says how much of it there is, and the page asks the person. */
#define WANTS "room:join room:speak room:chat room:admit room:moderate room:admin"
#define WANTS_MONITOR " monitor:watch monitor:listen monitor:silent"
#define SLOWER_S 5    /* RFC 8628 section 3.5 */
#define OUTAGES_MAX 5 /* one after the other, while waiting */

static void wipe(char *text) {
  explicit_bzero(text, strlen(text));
  free(text);
}

static enum exit_code fail(enum err e, const char *why) {
  fprintf(stderr, "gavel: %s%s\n", why && *why ? why : err_text(e),
          e == ERR_CERT ? " (give an invite link of this server instead of its name, or --pin)" : "");
  return e == ERR_CONNECT || e == ERR_CERT || e == ERR_AGAIN ? EXIT_CONNECT : EXIT_REFUSED;
}

/* ---- files ---- */

static bool session_path(const struct link *to, char out[512], char why[256]) {
  char name[LINK_HOST_MAX + 32], folder[512];
  if (!options_state_path("sessions", folder, why))
    return false;
  if ((mkdir(folder, 0700) != 0 && errno != EEXIST) || chmod(folder, 0700) != 0) {
    snprintf(why, 256, "cannot make the folder %.160s: %s", folder, strerror(errno));
    return false;
  }
  snprintf(name, sizeof name, "%s_%u.json", to->host, to->port);
  return (size_t)snprintf(out, 512, "%.240s/%.260s", folder, name) < 512;
}

/* Who holds it may refresh: with a refresh token used twice the server ends the session. */
static int lock_sessions(const char *path) {
  char folder[512];
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

/* ERR_IO: there is none. */
static enum err load(const char *path, struct login *l, char why[256]) {
  char text[4096];
  size_t n;
  if (access(path, F_OK) != 0)
    return ERR_IO;
  enum err e = secret_file_read(path, text, sizeof text, &n, why);
  if (e == ERR_OK && login_read(text, n, l) != ERR_OK) {
    snprintf(why, 256, "%.160s is damaged: sign in again with gavel login", path);
    e = ERR_BAD_JSON;
  }
  explicit_bzero(text, sizeof text);
  return e == ERR_IO ? ERR_INTERNAL : e;
}

static enum err store(const char *path, const struct login *l, char why[256]) {
  char *text = login_write(l);
  enum err e = secret_file_write(path, text, why);
  wipe(text);
  return e;
}

/* ---- requests ---- */

static enum err ask_tokens(struct login *l, char *form, char why[256]) {
  struct https_reply r;
  enum err e = https_post(&l->to, "/oauth/token", form, &r);
  if (e == ERR_OK)
    e = login_tokens_read(r.status, r.body, clock_wall_ms(), l);
  else
    snprintf(why, 256, "%s", r.why);
  https_free(&r);
  wipe(form);
  return e;
}

static enum err refresh(struct login *l, char why[256]) {
  return ask_tokens(l, login_form("grant_type", "refresh_token", "refresh_token", l->refresh, CLIENT, NULL),
                    why);
}

static enum err poll_once(struct login *l, const struct login_device *d, char why[256]) {
  return ask_tokens(l,
                    login_form("grant_type", "urn:ietf:params:oauth:grant-type:device_code", "device_code",
                               d->device_code, CLIENT, NULL),
                    why);
}

/* What does not answer now may answer later; what was decided is final. */
static enum err wait_for_approval(struct login *l, struct login_device *d, char why[256]) {
  us_t until = clock_now() + d->expires_s * US_PER_S;
  unsigned outages = 0;
  while (clock_now() < until) {
    (void)poll(NULL, 0, (int)d->interval_s * 1000);
    enum err e = poll_once(l, d, why);
    bool outage = e == ERR_CONNECT || e == ERR_AGAIN;
    outages = outage ? outages + 1 : 0;
    if (e == ERR_SLOW_DOWN || e == ERR_RATE)
      d->interval_s += SLOWER_S;
    else if (e != ERR_PENDING && (!outage || outages == OUTAGES_MAX))
      return e;
  }
  return ERR_EXPIRED;
}

static enum err start(const struct link *to, bool monitor, struct login_device *d, char why[256]) {
  struct https_reply r;
  char *form = login_form("scope", monitor ? WANTS WANTS_MONITOR : WANTS, CLIENT, NULL);
  enum err e = https_post(to, "/oauth/device_authorization", form, &r);
  if (e == ERR_OK)
    e = login_device_read(r.status, r.body, d);
  else
    snprintf(why, 256, "%s", r.why);
  https_free(&r);
  wipe(form);
  return e;
}

/* ---- commands ---- */

static void show(const struct login_device *d, bool ascii) {
  char *qr = *d->complete ? pages_qr(d->complete, ascii) : NULL;
  if (qr)
    printf("%sScan this, or o", qr); /* above: all of it stays on a screen of 24 lines */
  printf("%spen %s in a browser\nand enter the code\n\n    %s\n\n", qr ? "" : "O", d->uri, d->user_code);
  printf("Waiting; the code is good for %" PRId64 " minutes.\n", d->expires_s / 60);
  fflush(stdout);
  free(qr);
}

enum exit_code login_run(const struct options *o) {
  struct login l = {.to = o->front.client.link};
  struct login_device d;
  char why[256] = "", path[512];
  l.to.has_secret = false;
  if (!session_path(&l.to, path, why))
    return fail(ERR_IO, why);
  enum err e = start(&l.to, o->monitor, &d, why);
  if (e == ERR_OK) {
    show(&d, o->front.ascii);
    e = wait_for_approval(&l, &d, why);
  }
  int lock = e == ERR_OK ? lock_sessions(path) : -1;
  if (e == ERR_OK)
    e = store(path, &l, why);
  if (lock >= 0)
    close(lock);
  explicit_bzero(&l, sizeof l);
  explicit_bzero(&d, sizeof d);
  if (e != ERR_OK)
    return fail(e, why);
  printf("Signed in. gavel join and gavel watch use it from now on; gavel logout ends it.\n");
  return EXIT_LEFT;
}

enum exit_code logout_run(const struct options *o) {
  struct login l;
  struct https_reply r = {0};
  char why[256] = "", path[512];
  if (!session_path(&o->front.client.link, path, why))
    return fail(ERR_IO, why);
  enum err e = load(path, &l, why);
  if (e == ERR_IO)
    return fail(e, "nobody is signed in there");
  if (e != ERR_OK)
    return fail(e, why);
  char *form = login_form("token", l.refresh, CLIENT, NULL);
  e = https_post(&l.to, "/oauth/revoke", form, &r);
  if (e == ERR_OK && r.status != 200)
    e = ERR_AGAIN;
  if (unlink(path) != 0)
    fprintf(stderr, "gavel: %s cannot be deleted: %s\n", path, strerror(errno));
  if (e != ERR_OK)
    fprintf(stderr, "gavel: the session is deleted here, but the server was not told: %s\n",
            *r.why ? r.why : err_text(e));
  else
    printf("Signed out.\n");
  https_free(&r);
  wipe(form);
  explicit_bzero(&l, sizeof l);
  return e == ERR_OK ? EXIT_LEFT : EXIT_CONNECT;
}

/* ---- for joining ---- */

static bool bring_token(struct options *o, char why[256]) {
  size_t n;
  if (secret_file_read(o->token_file, o->token, sizeof o->token, &n, why) != ERR_OK)
    return false;
  if (n == 0)
    snprintf(why, 256, "%.160s holds no token", o->token_file);
  o->front.client.token = o->token;
  return n > 0;
}

/* ERR_BAD_GRANT: the session has ended: its file goes, and one joins as a guest. */
static bool use(struct options *o, const char *path, struct login *l, char why[256]) {
  enum err e = ERR_OK;
  if (l->until_ms - clock_wall_ms() < LOGIN_FRESH_MS)
    e = refresh(l, why);
  if (e == ERR_OK && store(path, l, why) != ERR_OK)
    return false;
  if (e == ERR_BAD_GRANT) {
    unlink(path);
    fprintf(stderr, "gavel: your session at %s has ended: gavel login %s\n", l->to.host, l->to.host);
    return true;
  }
  if (e != ERR_OK) {
    if (!*why)
      snprintf(why, 256, "the session cannot be refreshed: %s", err_text(e));
    return false;
  }
  snprintf(o->token, sizeof o->token, "%s", l->access);
  o->front.client.token = o->token;
  return true;
}

bool login_bring(struct options *o, char why[256]) {
  char path[512];
  struct login l;
  if (o->token_file)
    return bring_token(o, why);
  if (o->no_login || !session_path(&o->front.client.link, path, why))
    return o->no_login;
  if (access(path, F_OK) != 0)
    return true;
  int lock = lock_sessions(path);
  enum err e = load(path, &l, why);
  bool ok = e == ERR_IO;
  if (e == ERR_OK && !login_fits(&l, &o->front.client.link)) {
    fprintf(stderr, "gavel: the link names another certificate than your session: joining as a guest\n");
    ok = true;
  } else if (e == ERR_OK)
    ok = use(o, path, &l, why);
  if (lock >= 0)
    close(lock);
  explicit_bzero(&l, sizeof l);
  return ok;
}

/* ---- for the operators' port ---- */

/* is_of_host: HOST_PORT.json. */
static bool is_of_host(const char *file, const char *host) {
  size_t n = strlen(host), digits;
  if (strncmp(file, host, n) != 0 || file[n] != '_')
    return false;
  digits = strspn(file + n + 1, "0123456789");
  return digits > 0 && strcmp(file + n + 1 + digits, ".json") == 0;
}

/* find_session: the one of that port, else the only one of that host: people sign in at the public port. */
static bool find_session(const struct link *to, char path[512], char why[256]) {
  char folder[512], found[300] = "";
  unsigned n = 0;
  struct dirent *d;
  if (!session_path(to, path, why))
    return false;
  if (access(path, F_OK) == 0)
    return true;
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
  DIR *dir = opendir(folder);
  while (dir && (d = readdir(dir)))
    if (is_of_host(d->d_name, to->host) && ++n)
      snprintf(found, sizeof found, "%.299s", d->d_name);
  if (dir)
    closedir(dir);
  if (n == 1 && (size_t)snprintf(path, 512, "%.200s/%.299s", folder, found) < 512)
    return true;
  if (n > 1)
    snprintf(why, 256, "you have signed in to several servers of %.80s: give one's token by --token FILE",
             to->host);
  else
    snprintf(why, 256, "nobody is signed in at %.80s: gavel login --monitor %.80s", to->host, to->host);
  return false;
}

/* pins_agree: who was given no pin takes the session's: both ports have the same certificate. */
static bool pins_agree(const struct login *l, struct link *to) {
  if (!to->has_pin) {
    to->has_pin = l->to.has_pin;
    memcpy(to->pin, l->to.pin, sizeof to->pin);
  }
  return to->has_pin == l->to.has_pin && (!to->has_pin || memcmp(to->pin, l->to.pin, sizeof to->pin) == 0);
}

bool login_ops(struct options *o, struct link *to, struct link *home, char why[256]) {
  char path[512];
  struct login l;
  if (o->token_file)
    return o->token[0] != '\0' || bring_token(o, why);
  if (!find_session(to, path, why))
    return false;
  int lock = lock_sessions(path);
  o->token[0] = '\0';
  enum err e = load(path, &l, why);
  if (e == ERR_OK && !pins_agree(&l, to))
    snprintf(why, 256, "your session at %.120s knows another certificate", to->host);
  else if (e == ERR_OK && use(o, path, &l, why)) {
    *home = l.to;
    if (o->token[0] == '\0')
      snprintf(why, 256, "sign in again");
  }
  if (lock >= 0)
    close(lock);
  explicit_bzero(&l, sizeof l);
  return o->token[0] != '\0';
}
