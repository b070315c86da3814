#include "tui/front.h"

#include "audio/device.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "tui/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TRIES 4 /* of passwords, and one consent */

static int utc_offset_s(void) {
  time_t now = (time_t)(clock_wall_ms() / 1000);
  struct tm tm;
  return localtime_r(&now, &tm) != NULL ? (int)tm.tm_gmtoff : 0;
}

static enum err load_keys(struct front *f, char why[256]) {
  f->keys = command_keymap();
  if (f->keys == NULL)
    return ERR_NOMEM;
  return f->config->keys_file != NULL ? keymap_load(f->keys, f->config->keys_file, why) : ERR_OK;
}

/* open_reach: a client without a control socket works all the same, and says so. */
static void open_reach(struct front *f) {
  const struct front_config *c = f->config;
  char state[512], folder[400], why[256] = "its folder cannot be had", name[24];
  bool none = c->control != NULL ? strcmp(c->control, "none") == 0
                                 : c->kind == FRONT_HEADLESS; /* a script has a way in already */
  snprintf(name, sizeof name, "%ld", (long)getpid());
  bool have =
      !none && options_state_path("", state, why) && remote_folder(getenv("XDG_RUNTIME_DIR"), state, folder);
  if (reach_open(&f->reach, &f->ctl, have ? folder : NULL, c->control != NULL ? c->control : name, c->hook,
                 why) &&
      (have || none))
    return;
  char text[SAY_MAX];
  snprintf(text, sizeof text, "No control socket: %.200s.", why);
  model_note(f->m, clock_wall_ms(), STYLE_WARN, text);
}

/* tell_conflicts: what the keys file took from a command. */
static void tell_conflicts(struct front *f) {
  char line[160], text[SAY_MAX];
  for (size_t i = 0; keymap_conflict(f->keys, i, line); i++) {
    snprintf(text, sizeof text, "Keys: %s.", line);
    model_note(f->m, clock_wall_ms(), STYLE_WARN, text);
  }
}

bool front_open(struct front *f, const struct front_config *c, char why[256]) {
  const char *reason = NULL;
  *f = (struct front){.config = c, .code = EXIT_USAGE};
  snprintf(why, 256, "%s", err_text(ERR_NOMEM));
  if (load_keys(f, why) != ERR_OK || (f->m = model_create()) == NULL)
    goto fail;
  f->m->wall_ms_at_0 = clock_wall_ms() - clock_now() / US_PER_MS;
  pilot_init(&f->ctl, f->m, f->keys);
  f->m->no_audio = c->client.no_audio;
  f->m->within = c->within;
  f->m->readonly = c->readonly;
  f->m->ascii = c->ascii;
  f->m->utc_offset_s = utc_offset_s();
  f->ctl.mic_on = f->m->gate = c->client.mic_open;
  snprintf(f->m->link_room, sizeof f->m->link_room, "%s", c->client.link.room);
  snprintf(f->m->invite, sizeof f->m->invite, "%s", c->invite);
  open_reach(f);
  tell_conflicts(f);
  if (c->hint != NULL)
    model_note(f->m, clock_wall_ms(), STYLE_NOTICE, c->hint);
  f->client = client_start(&c->client, &reason);
  why[0] = '\0';
  if (f->client != NULL)
    return true;
  f->code = EXIT_CONNECT;
  snprintf(why, 256, "%s", reason != NULL ? reason : "the engine cannot start");
fail:
  front_close(f);
  return false;
}

void front_state(struct front *f, const struct client_event *ev) {
  reach_reply(&f->reach, ev);
  if (ev->kind == CLIENT_EV_NOTICE && f->m->state != CLIENT_LOBBY) { /* the toast is cut where the row ends */
    char text[SAY_MAX];
    say_sentence(ev->text, text);
    model_note(f->m, clock_wall_ms(), STYLE_WARN, text);
  }
  if (ev->kind == CLIENT_EV_CONSENT && f->config->terms != NULL) {
    snprintf(f->config->terms->version, sizeof f->config->terms->version, "%.63s", ev->text);
    free(f->config->terms->text);
    f->config->terms->text = strdup(ev->data);
  }
  if (ev->kind == CLIENT_EV_MIC && ev->mic == MIC_NONE && f->config->require_audio &&
      !f->config->client.no_audio) {
    f->code = EXIT_AUDIO;
    f->done = true;
  }
  if (ev->kind != CLIENT_EV_STATE || ev->state != CLIENT_ENDED)
    return;
  if (f->config->end != NULL)
    *f->config->end = ev->why;
  bool own_will = f->leaving || ev->why == ERR_OK || (f->ending && ev->why == ERR_ROOM_ENDED);
  f->code = own_will ? EXIT_LEFT : exit_of(ev->why);
  bool asks = ev->why == ERR_NEED_PASSWORD || ev->why == ERR_BAD_PASSWORD ||
              ev->why == ERR_NEED_CONSENT; /* front_run does, outside the screen */
  f->done = f->done || own_will || asks;
}

static void leave(struct front *f) {
  if (f->leaving || f->m->state == CLIENT_ENDED) { /* asked twice, or there is nothing left to leave */
    f->code = f->m->state == CLIENT_ENDED ? f->code : EXIT_LEFT;
    f->done = true;
    return;
  }
  f->leaving = true;
  client_leave(f->client);
}

static void open_devices(struct front *f) {
  char *list = device_list();
  if (list != NULL)
    model_page(f->m, "Sound devices (devices NAME uses one)", list);
}

/* save_page: names and times of people: for its owner only, and never over a file that exists. */
static void save_page(struct front *f, const char *path) {
  char text[SAY_MAX];
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const char *p = f->m->page != NULL ? f->m->page : "";
  size_t left = fd >= 0 ? strlen(p) : 0;
  ssize_t n = 1;
  for (; left > 0 && n > 0; p += n, left -= (size_t)n)
    if ((n = write(fd, p, left)) < 0)
      break;
  bool ok = fd >= 0 && left == 0;
  int fault = errno;
  if (fd >= 0 && close(fd) != 0 && ok) {
    ok = false;
    fault = errno;
  }
  if (ok)
    snprintf(text, sizeof text, "Saved as %.300s.", path);
  else
    snprintf(text, sizeof text, "cannot save %.250s: %s", path, strerror(fault));
  model_toast(f->m, clock_now(), ok ? STYLE_OK : STYLE_WARN, text);
}

uint32_t front_carry(struct front *f, const struct intent *i, bool *other) {
  const struct act_order *o = &i->order;
  struct room_cmd cmd;
  uint32_t ticket;
  *other = false;
  switch (i->kind) {
  case INTENT_ACT:
    f->ending = f->ending || o->act == ACT_END;
    act_order_cmd(o, &cmd);
    cmd.actor = f->m->me;
    ticket = client_act(f->client, &cmd);
    model_sent(f->m, ticket, o->act);
    reach_sent(&f->reach, i, ticket);
    return ticket;
  case INTENT_NOTIFY:
    reach_notify(&f->reach, i);
    *other = true;
    return 0;
  case INTENT_GATE:
    client_mic_gate(f->client, i->on);
    return 0;
  case INTENT_OTHER:
    client_other(f->client, i->member);
    return 0;
  case INTENT_HISTORY:
    client_history(f->client, f->m->room.n_chat > 0 ? f->m->room.chat[0].id : 0);
    return 0;
  case INTENT_LEAVE:
    leave(f);
    return 0;
  case INTENT_AUDIO:
    client_audio(f->client, i->text, i->text2[0] != '\0' ? i->text2 : i->text);
    return 0;
  case INTENT_BANDWIDTH:
    client_bandwidth(f->client, i->kbps);
    return 0;
  case INTENT_PRIVACY:
    if (i->on)
      terms_keep(&f->config->client.link, NULL);
    client_privacy(f->client, i->on);
    return 0;
  case INTENT_DEVICES:
    open_devices(f);
    return 0;
  case INTENT_SAVE:
    save_page(f, i->text);
    return 0;
  default:
    *other = true;
    return 0;
  }
}

void front_close(struct front *f) {
  if (f->client != NULL)
    client_stop(f->client);
  reach_close(&f->reach);
  model_destroy(f->m);
  keymap_destroy(f->keys);
  f->client = NULL;
  f->m = NULL;
  f->keys = NULL;
}

/* ask_password: without echo, from the terminal itself: standard input may be a pipe. Why it is asked for,
 * the front end that just ended has said. */
static bool ask_password(char out[128]) {
  FILE *tty = fopen("/dev/tty", "r+e");
  struct termios saved, quiet;
  if (tty == NULL)
    return false;
  bool ok = tcgetattr(fileno(tty), &saved) == 0;
  quiet = saved;
  quiet.c_lflag &= ~(tcflag_t)ECHO;
  if (ok && tcsetattr(fileno(tty), TCSAFLUSH, &quiet) == 0) {
    fputs("Password: ", tty);
    fflush(tty);
    ok = fgets(out, 128, tty) != NULL;
    out[strcspn(out, "\r\n")] = '\0';
    (void)tcsetattr(fileno(tty), TCSAFLUSH, &saved);
    fputc('\n', tty);
  }
  fclose(tty);
  return ok && out[0] != '\0';
}

static enum exit_code run_once(const struct front_config *c) {
  return c->kind == FRONT_SCREEN ? app_run(c) : stream_run(c);
}

/* show_terms: filtered: it came from the network. */
static void show_terms(const struct front_terms *t, FILE *to) {
  size_t cap = strlen(t->text) + 1;
  char *shown = malloc(cap);
  if (shown != NULL)
    text_show(t->text, true, shown, cap);
  fprintf(to, "\n%s\n\nVersion %s. Nothing has been sent yet.", shown != NULL ? shown : "", t->version);
  free(shown);
}

/* ask_consent: the whole text, then y or n typed; nothing is taken for a yes but a yes. */
static bool ask_consent(const struct front_terms *t) {
  char answer[16] = "";
  FILE *tty = fopen("/dev/tty", "r+e");
  if (tty != NULL) {
    show_terms(t, tty);
    fputs(" Do you agree? Type y or n: ", tty);
    fflush(tty);
    if (fgets(answer, sizeof answer, tty) == NULL)
      answer[0] = '\0';
  }
  if (tty != NULL)
    fclose(tty);
  answer[strcspn(answer, "\r\n")] = '\0';
  return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

/* may_ask: a person sits there. A script accepts with --accept-consent, and reads what to. */
static bool may_ask(const struct front_config *c, const struct front_terms *t) {
  if (t->text == NULL)
    return false;
  if (c->kind == FRONT_SCREEN || (c->kind == FRONT_LINE && isatty(STDIN_FILENO)))
    return true;
  if (c->kind == FRONT_LINE) {
    show_terms(t, stdout);
    printf(" To agree: --accept-consent=%s\n", t->version);
  }
  return false;
}

/* again: what ended the run could be answered by the person: a password, or his consent. */
static bool again(struct front_config *c, enum err end, struct front_terms *t, char password[128],
                  char version[TERMS_VERSION_MAX]) {
  if (end == ERR_NEED_CONSENT && may_ask(c, t) && ask_consent(t)) {
    memcpy(version, t->version, sizeof t->version);
    terms_keep(&c->client.link, version);
    c->client.consent = version;
    return true;
  }
  bool wrong = end == ERR_NEED_PASSWORD || end == ERR_BAD_PASSWORD;
  if (!wrong || c->kind == FRONT_HEADLESS || !ask_password(password))
    return false;
  c->client.password = password;
  return true;
}

enum exit_code front_run(const struct front_config *c) {
  struct front_config chosen = *c;
  struct front_terms terms = {.text = NULL};
  enum err end = ERR_OK;
  char password[128] = "", version[TERMS_VERSION_MAX] = "";
  const char *term = getenv("TERM");
  bool plain = !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || term == NULL || strcmp(term, "dumb") == 0;
  if (chosen.kind == FRONT_AUTO)
    chosen.kind = plain ? FRONT_LINE : FRONT_SCREEN;
  chosen.end = &end;
  chosen.terms = &terms;
  if (chosen.client.consent == NULL && chosen.kind != FRONT_HEADLESS &&
      terms_known(&chosen.client.link, version))
    chosen.client.consent = version;
  enum exit_code code = run_once(&chosen);
  for (int i = 0; i < TRIES && again(&chosen, end, &terms, password, version); i++) {
    end = ERR_OK;
    code = run_once(&chosen);
  }
  free(terms.text);
  explicit_bzero(password, sizeof password);
  if (c->end != NULL)
    *c->end = end;
  return code;
}
