/* Golden screens: the room, its panes, all settings at once, help, a question, the palette, the menu, the
 * end; {120,80,60,40} columns x {utf8, ascii} x {colour, mono}. A file holds the text, then (colour) the
 * style letter of each cell, then the cursor. Mono is the same text; its file proves that no state is told by
 * colour alone. UPDATE=1 writes them anew. */
#include "tests/unit/tui/room_fixture.h"
#include "tui/line.h"
#include "tui/menu.h"
#include "tui/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/golden/golden_kit.h"

static void snapshot(struct fixture *f, const char *what, int w, int h, bool ascii, bool colour) {
  struct canvas *c = fx_draw(f, w, h, ascii);
  compare_canvas(what, c, colour);
  canvas_destroy(c);
}

static void all_sizes(struct fixture *f, const char *what) {
  static const int SIZES[][2] = {{120, 30}, {80, 24}, {60, 20}, {40, 12}};
  for (size_t i = 0; i < 16; i++)
    snapshot(f, what, SIZES[i / 4][0], SIZES[i / 4][1], i % 2 != 0, i / 2 % 2 == 0);
}

static void test_room(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_key(f, "Down");
  all_sizes(f, "room");
  fx_key(f, "Tab");
  snapshot(f, "room-chat", 40, 12, false, true);
  fx_destroy(f);
}

/* A pane of its own: who waits, whose hand is up, one person. */
static void test_panes(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_does(f, CAROL, "note bob promised the draft for Monday");
  fx_does(f, ALICE, "note ann is the new colleague from Lyon");
  fx_does(f, CAROL, "gain dave 3");
  fx_does(f, ALICE, "ask_unmute dave");
  f->m->toast[0] = '\0';
  model_focus(f->m, PANE_LOBBY);
  all_sizes(f, "lobby");
  model_focus(f->m, PANE_HANDS);
  fx_key(f, "Down");
  fx_type(f, "t");
  all_sizes(f, "hands");
  f->m->n_marks = 0;
  f->m->cursor = DAVE;
  model_focus(f->m, PANE_CARD);
  all_sizes(f, "card");
  model_focus(f->m, PANE_LOG);
  snapshot(f, "log", 80, 24, false, true);
  fx_destroy(f);
}

/* A thin line: the status line says so, and the own card how it is. */
static void test_thin(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct client_link *l = &f->m->link;
  l->tier_down = l->tier_up = "low";
  l->ptime_down_ms = l->ptime_up_ms = 60;
  l->copies_down = 1;
  l->loss_down_pct = 12;
  l->concealed_pct = 1;
  l->mos_down = 39;
  l->kbps_down = 19;
  l->kbps_up = 17;
  l->limit_kbps = 20;
  f->m->cursor = f->m->me;
  model_focus(f->m, PANE_CARD);
  snapshot(f, "thin", 120, 40, false, true);
  snapshot(f, "thin", 40, 12, true, false);
  fx_destroy(f);
}

/* All that a room can be set to at once: the planned end, a poll, the agenda, side rooms, turns that end. */
static void test_everything(void **state) {
  (void)state;
  static const char *const DOES[] = {"agenda release notes; budget; any other business",
                                     "agenda_next",
                                     "talk_time 2m",
                                     "floor_give frank",
                                     "priority alice",
                                     "ban Lars 10m speak shouting",
                                     "gain erin 6",
                                     "lock back at ten",
                                     "mute_entry on",
                                     "slow 30s",
                                     "links off",
                                     "max_people 50",
                                     "breakouts 2",
                                     "move grete 1",
                                     "recall 45s",
                                     "announce the stream begins at ten",
                                     "poll Ship on Friday? | yes | no | after the freeze"};
  struct fixture *f = fx_busy();
  for (size_t i = 0; i < sizeof DOES / sizeof DOES[0]; i++)
    fx_does(f, CAROL, DOES[i]);
  fx_does(f, CAROL, "vote 1");
  fx_does(f, BOB, "vote 3");
  fx_does(f, ERIN, "vote 1");
  char pin[32];
  snprintf(pin, sizeof pin, "pin %llu", (unsigned long long)f->server.chat[1].id);
  fx_does(f, CAROL, pin);
  fx_step(f, 30000);
  fx_does(f, CAROL, "end 10s");
  fx_step(f, 1000);
  fx_talks(f, ALICE, 12);
  all_sizes(f, "busy");
  model_group_set(f->m, true);
  fx_step(f, 3000);
  snapshot(f, "groups", 80, 24, false, true);
  fx_destroy(f);
}

static void test_slow(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  model_focus(f->m, PANE_CHAT);
  struct canvas *c = canvas_create(80, 24, true);
  screen_draw(&(struct scene){f->m, c, f->keys, pace_tier_info(PACE_2400), f->now});
  char *text = canvas_text(c);
  compare("slow-80x24-ascii-mono", text);
  free(text);
  canvas_destroy(c);
  fx_destroy(f);
}

static void test_menu(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->cursor = BOB;
  menu_open(f->m, ACT_GROUP_VOICE);
  snapshot(f, "menu", 80, 24, false, true);
  snapshot(f, "menu", 40, 12, true, false);
  fx_destroy(f);
}

static void test_question(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->cursor = BOB;
  fx_key(f, "x");
  all_sizes(f, "question");
  fx_destroy(f);
}

static void test_help(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_key(f, "?");
  all_sizes(f, "help");
  fx_destroy(f);
}

static void test_palette(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_type(f, ":mute ");
  snapshot(f, "palette", 80, 24, false, true);
  fx_key(f, "Esc");
  fx_type(f, ":m");
  snapshot(f, "palette-names", 60, 20, true, true);
  fx_destroy(f);
}

static void test_outside(void **state) {
  (void)state;
  struct fixture *f = fx_create(true);
  fx_state(f, CLIENT_LOBBY, ERR_OK, "");
  struct client_event ev = {.kind = CLIENT_EV_NOTICE,
                            .text = "a host writes: five more minutes, please stay"};
  model_update(f->m, &ev, f->now);
  all_sizes(f, "outside");
  fx_destroy(f);
}

static void test_ended(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_state(f, CLIENT_ENDED, ERR_REMOVED, "you were removed from the room by alice: wrong room");
  all_sizes(f, "ended");
  fx_destroy(f);
}

/* ---- line mode: the transcript of a small meeting ---- */

static void put_line(void *ctx, const char *text) {
  char **all = ctx, *longer;
  assert_true(asprintf(&longer, "%s%s\n", *all, text) > 0);
  free(*all);
  *all = longer;
}

struct meeting {
  struct fixture *f;
  struct line line;
  char *text;
};

/* flush: the server decides what is in the outbox and everyone hears of it, here through the line front end.
 */
static enum err decide(struct meeting *g, const struct room_cmd *cmd) {
  struct fixture *f = g->f;
  struct room_events evs = {0};
  enum err e = room_decide(&f->server, cmd, f->wall_ms, &evs);
  for (size_t i = 0; i < evs.n; i++) {
    struct client_event ev = {.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *ev.event)};
    room_event_copy(ev.event, &evs.v[i]);
    room_apply(&f->server, &evs.v[i]);
    line_event(&g->line, &ev, f->now, f->wall_ms);
  }
  room_events_free(&evs);
  return e;
}

static void types(struct meeting *g, const char *text) {
  char shown[256];
  struct intent *i = malloc(sizeof *i);
  snprintf(shown, sizeof shown, "> %s", text);
  put_line(&g->text, shown);
  line_input(&g->line, text, g->f->now);
  while (model_take(g->f->m, i))
    if (i->kind == INTENT_ACT) {
      struct room_cmd cmd = {.act = i->order.act,
                             .actor = g->f->me,
                             .targets = i->order.targets,
                             .n_targets = i->order.n_targets,
                             .num = i->order.num,
                             .text = i->order.text};
      struct client_event reply = {.kind = CLIENT_EV_REPLY};
      reply.why = decide(g, &cmd);
      line_event(&g->line, &reply, g->f->now, g->f->wall_ms);
    }
  g->f->now += US_PER_S;
  g->f->wall_ms += 4000;
  free(i);
}

static void does(struct meeting *g, uint32_t actor, enum act act, uint32_t who, const char *text) {
  assert_int_equal(
      decide(g,
             &(struct room_cmd){
                 .act = act, .actor = actor, .targets = &who, .n_targets = who != 0, .text = text}),
      ERR_OK);
}

static void comes(struct meeting *g, const char *name) {
  struct fixture *f = g->f;
  f->me = 0; /* the fixture shall not feed the model: the line front end does */
  uint32_t id = fx_join(f, name, ROLE_SPEAKER);
  f->me = 1;
  struct member *entry = malloc(sizeof *entry);
  *entry = *room_member(&f->server, id);
  struct client_event ev = {.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *ev.event)};
  *ev.event =
      (struct room_event){.seq = f->server.seq,
                          .group = f->server.seq,
                          .ts_ms = f->wall_ms,
                          .entry = entry,
                          .kind = entry->presence == PRESENCE_WAITING ? ROOM_EV_KNOCKED : ROOM_EV_JOINED};
  line_event(&g->line, &ev, f->now, f->wall_ms);
}

static void speaks(struct meeting *g, uint32_t who, int ms) {
  for (int t = 0; t < ms; t += 100) {
    struct client_event ev = {.kind = CLIENT_EV_LEVELS, .n = 1};
    ev.level_of[0].member = who;
    ev.level_of[0].level = 20;
    line_event(&g->line, &ev, g->f->now, g->f->wall_ms);
    g->f->now += 100 * US_PER_MS;
    g->f->wall_ms += 100;
    line_tick(&g->line, g->f->now);
  }
}

static void test_line(void **state) {
  (void)state;
  struct meeting g = {.f = fx_create(true), .text = strdup("")};
  line_init(&g.line, &g.f->ctl, put_line, &g.text);
  fx_join(g.f, "carol", ROLE_HOST);
  fx_enter(g.f, 1);
  comes(&g, "bob");
  comes(&g, "ann");
  types(&g, "/waiting");
  types(&g, "/admit bo");
  types(&g, "/admit ann");
  types(&g, "good morning");
  does(&g, 2, ACT_CHAT, 0, "hello \xe2\x80\xae carol");
  speaks(&g, 2, 1500);
  speaks(&g, 3, 400);
  types(&g, "/mute-all");
  types(&g, "/undo");
  does(&g, 3, ACT_HAND, 0, NULL);
  types(&g, "/mute ann");
  types(&g, "/who");
  types(&g, "/remove b");
  types(&g, "");
  types(&g, "/remove bob was rude");
  types(&g, "y");
  types(&g, "/mute nobody");
  types(&g, "/frobnicate");
  types(&g, "/help lobby");
  compare("line-host", g.text);
  free(g.text);
  fx_destroy(g.f);
}

/* ---- the documents ---- */

static void test_keys_doc(void **state) {
  (void)state;
  char *keys = pages_keys();
  compare_file("docs/keys.md", keys);
  free(keys);
}

/* The first screen of README.md is the room of the golden file, line by line. */
static void test_readme(void **state) {
  (void)state;
  readme_shows("room-80x24-utf8-colour", "sttt");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_room),     cmocka_unit_test(test_panes), cmocka_unit_test(test_everything),
      cmocka_unit_test(test_thin),     cmocka_unit_test(test_slow),  cmocka_unit_test(test_menu),
      cmocka_unit_test(test_question), cmocka_unit_test(test_help),  cmocka_unit_test(test_palette),
      cmocka_unit_test(test_outside),  cmocka_unit_test(test_ended), cmocka_unit_test(test_line),
      cmocka_unit_test(test_keys_doc), cmocka_unit_test(test_readme)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
