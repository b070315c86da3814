#include "tui/front.h"

#include "audio/device.h"
#include "core/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

bool front_open(struct front *f, const struct front_config *c, char why[256]) {
  const char *reason = NULL;
  *f = (struct front){.config = c, .code = EXIT_USAGE};
  snprintf(why, 256, "%s", err_text(ERR_NOMEM));
  if (load_keys(f, why) != ERR_OK || (f->m = model_create()) == NULL)
    goto fail;
  pilot_init(&f->ctl, f->m, f->keys);
  f->m->no_audio = c->client.no_audio;
  f->m->readonly = c->readonly;
  f->m->ascii = c->ascii;
  f->m->utc_offset_s = utc_offset_s();
  f->ctl.mic_on = f->m->gate = c->client.mic_open;
  snprintf(f->m->link_room, sizeof f->m->link_room, "%s", c->client.link.room);
  snprintf(f->m->invite, sizeof f->m->invite, "%s", c->invite);
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
  if (ev->kind == CLIENT_EV_NOTICE) { /* the toast is cut where the row ends */
    char text[SAY_MAX];
    say_sentence(ev->text, text);
    model_note(f->m, clock_wall_ms(), STYLE_WARN, text);
  }
  if (ev->kind == CLIENT_EV_MIC && ev->mic == MIC_NONE && f->config->require_audio &&
      !f->config->client.no_audio) {
    f->code = EXIT_AUDIO;
    f->done = true;
  }
  if (ev->kind != CLIENT_EV_STATE || ev->state != CLIENT_ENDED)
    return;
  bool own_will = f->leaving || ev->why == ERR_OK || (f->ending && ev->why == ERR_ROOM_ENDED);
  f->code = own_will ? EXIT_LEFT : exit_of(ev->why);
  f->done = f->done || own_will;
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

uint32_t front_carry(struct front *f, const struct intent *i, bool *other) {
  const struct order *o = &i->order;
  *other = false;
  switch (i->kind) {
  case INTENT_ACT:
    f->ending = f->ending || o->act == ACT_END;
    return client_act(f->client, &(struct room_cmd){.act = o->act,
                                                    .actor = f->m->me,
                                                    .targets = o->targets,
                                                    .n_targets = o->n_targets,
                                                    .num = o->num,
                                                    .text = o->text[0] != '\0' ? o->text : NULL});
  case INTENT_GATE:
    client_mic_gate(f->client, i->on);
    return 0;
  case INTENT_LEAVE:
    leave(f);
    return 0;
  case INTENT_AUDIO:
    client_audio(f->client, i->text, i->text2[0] != '\0' ? i->text2 : i->text);
    return 0;
  case INTENT_DEVICES:
    open_devices(f);
    return 0;
  default:
    *other = true;
    return 0;
  }
}

void front_close(struct front *f) {
  if (f->client != NULL)
    client_stop(f->client);
  model_destroy(f->m);
  keymap_destroy(f->keys);
  f->client = NULL;
  f->m = NULL;
  f->keys = NULL;
}

enum exit_code front_run(const struct front_config *c) {
  struct front_config chosen = *c;
  const char *term = getenv("TERM");
  bool plain = !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || term == NULL || strcmp(term, "dumb") == 0;
  if (chosen.kind == FRONT_AUTO)
    chosen.kind = plain ? FRONT_LINE : FRONT_SCREEN;
  return chosen.kind == FRONT_SCREEN ? app_run(&chosen) : stream_run(&chosen);
}
