/* Slips of the fingers and of the line that must not do anything, and refusals that say what helps. */
#include "core/wire/room_json.h"
#include "tests/unit/tui/room_fixture.h"
#include "tui/line.h"
#include "tui/pages.h"
#include "tui/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Esc and the next key come in one packet over a slow line: that is Alt to the terminal, and two keys here.
 */
static void test_alt_that_is_bound_to_nothing_is_esc_and_the_key(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->n_outbox = 0;
  fx_key(f, "Alt-:");
  assert_int_equal(f->m->mode, MODE_COMMAND);
  fx_type(f, "hands");
  assert_string_equal(lineedit_text(f->m->command), "hands");
  fx_key(f, "Alt-c"); /* also while typing: the line is closed, the chat opened */
  assert_int_equal(f->m->mode, MODE_CHAT);
  fx_type(f, "one two");
  fx_key(f, "Alt-b"); /* this edits */
  fx_type(f, "X");
  assert_string_equal(lineedit_text(f->m->chat), "one Xtwo");
  fx_key(f, "Alt-y"); /* this is bound: the hand */
  assert_int_equal(f->m->mode, MODE_CHAT);
  assert_int_equal(f->m->n_outbox, 1);
  fx_key(f, "Esc");
  f->m->cursor = BOB;
  fx_key(f, "x");
  assert_int_equal(f->m->mode, MODE_ASK);
  fx_key(f, "Alt-s"); /* a question is answered with no */
  assert_int_equal(f->m->mode, MODE_FILTER);
  assert_int_equal(f->m->n_outbox, 1);
  fx_destroy(f);
}

static void test_the_card_closes(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->cursor = BOB;
  fx_key(f, "e");
  assert_int_equal(f->m->pane, PANE_CARD);
  fx_key(f, "Esc");
  assert_int_equal(f->m->pane, PANE_PEOPLE);
  assert_int_equal(f->m->cursor, BOB);
  fx_key(f, "e");
  fx_key(f, "e");
  assert_int_equal(f->m->pane, PANE_PEOPLE);
  fx_destroy(f);
}

static void test_a_filter_that_fits_nobody_says_the_way_back(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_type(f, "szzz");
  fx_key(f, "Enter");
  assert_string_equal(f->m->toast, "no name has zzz in it: Esc shows all again");
  fx_key(f, "Esc");
  assert_string_equal(f->m->filter, "");
  fx_type(f, "sbob");
  fx_key(f, "Enter");
  assert_string_equal(f->m->toast, "");
  fx_destroy(f);
}

static void test_end_says_what_to_type(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->n_outbox = 0;
  fx_key(f, "E");
  assert_string_equal(f->m->toast, "Type end standup (11 here)");
  fx_key(f, "Esc");
  assert_false(pilot_line(&f->ctl, "end 30", f->now));
  assert_string_equal(f->m->toast, "type: end standup 30s");
  assert_false(pilot_line(&f->ctl, "end 5m", f->now));
  assert_string_equal(f->m->toast, "type: end standup 5m");
  assert_false(pilot_line(&f->ctl, "end sit-down", f->now));
  assert_string_equal(f->m->toast, "type: end standup");
  assert_int_equal(f->m->n_outbox, 0);
  fx_destroy(f);
}

/* refused: the toast after a line that the room itself refused. */
static const char *refused(struct fixture *f, const char *line) {
  f->m->toast[0] = '\0';
  pilot_line(&f->ctl, line, f->now);
  fx_pump(f);
  return f->m->toast;
}

static void test_refusals_fit_the_act(void **state) {
  (void)state;
  char line[64];
  struct fixture *f = fx_busy();
  fx_pump(f);
  assert_string_equal(refused(f, "unmute"), "you are not muted");
  assert_string_equal(refused(f, "unban 99"), "there is no ban with that number: bans lists them");
  assert_string_equal(refused(f, "end-cancel"), "no end is planned");
  assert_string_equal(refused(f, "decline"), "nobody asked you to unmute");
  assert_string_equal(refused(f, "ask-unmute erin"), "they are not muted");
  snprintf(line, sizeof line, "chat-edit %llu mine", (unsigned long long)f->m->room.chat[0].id);
  assert_string_equal(refused(f, line), "only its author can edit it");
  assert_string_equal(refused(f, "unlock"), "the room is not locked");
  assert_string_equal(refused(f, "role bob owner"), "only an owner can make an owner");
  assert_non_null(strstr(refused(f, "role bob moderator"), "audience|speaker|cohost|host"));
  (void)refused(f, "hand");
  assert_string_equal(refused(f, "hand"), "your hand is up already");
  assert_string_equal(refusal_text(ACT_UNDO, ERR_NOTHING, err_text(ERR_NOTHING)), "there is nothing to undo");
  assert_string_equal(refusal_text(ACT_UNDO, ERR_NOTHING, "bob left"), "bob left"); /* it knows better */
  assert_string_equal(refusal_text(ACT__COUNT, ERR_RATE, ""), err_text(ERR_RATE));
  fx_destroy(f);
}

static void test_who_is_left_without_the_floor_is_said(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_does(f, CAROL, "one_speaker on");
  fx_step(f, 20000);
  pilot_line(&f->ctl, "one-speaker off", f->now);
  fx_pump(f);
  assert_string_equal(f->m->lines[f->m->n_lines - 1].text,
                      "You let several people speak at a time. 7 people have no floor: floor-give gives it.");
  for (uint32_t id = DAVE; id <= JOSE; id++)
    if (room_member(&f->server, id)->role == ROLE_SPEAKER && !room_member(&f->server, id)->floor)
      assert_int_equal(fx_act(f, CAROL, ACT_FLOOR_GIVE, &id, 1, 0, NULL), ERR_OK);
  char said_of[SAY_MAX] = "Done.";
  refusal_no_floor(&f->m->room, CAROL, said_of);
  assert_string_equal(
      said_of, "Done. bob, \u6075\u5b50 Keiko and Lars van den Berg have no floor: floor-give gives it.");
  fx_destroy(f);
}

static void test_a_person_in_words(void **state) {
  (void)state;
  char text[SAY_MAX];
  struct fixture *f = fx_busy();
  fx_does(f, CAROL, "gain bob -3");
  fx_does(f, CAROL, "priority bob on");
  fx_does(f, CAROL, "breakouts 2");
  fx_does(f, CAROL, "move bob 2");
  fx_does(f, CAROL, "ban erin 1h speak");
  pages_person(f->m, room_member(&f->m->room, BOB), text);
  assert_string_equal(text, "bob, speaker, muted, priority, gain -3 dB, side room 2 #2");
  pages_person(f->m, room_member(&f->m->room, ERIN), text);
  assert_non_null(strstr(text, ", banned from speaking"));
  assert_null(strstr(text, "no floor"));
  fx_destroy(f);
}

static char said[4096];
static void keep(void *ctx, const char *text) {
  (void)ctx;
  assert_true(text_append(said, sizeof said, text) && text_append(said, sizeof said, "\n"));
}

/* does: an act whose events go through line mode, where the reader may see them. */
static void does(struct fixture *f, struct line *l, uint32_t actor, enum act act, const char *words) {
  struct room_events evs = {0};
  struct room_cmd cmd;
  struct act_order o;
  char why[ACT_WHY_MAX];
  assert_true(act_words_parse(&f->server, act, words, &o, why));
  act_order_cmd(&o, &cmd);
  cmd.actor = actor;
  assert_int_equal(room_decide(&f->server, &cmd, f->wall_ms, &evs), ERR_OK);
  for (size_t i = 0; i < evs.n; i++) {
    room_apply(&f->server, &evs.v[i]);
    if (!room_event_visible(&f->server, &evs.v[i], f->me))
      continue;
    struct client_event ev = {.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *ev.event)};
    room_event_copy(ev.event, &evs.v[i]);
    line_event(l, &ev, f->now, f->wall_ms);
  }
  room_events_free(&evs);
  fx_step(f, 1000);
}

static void snapshot(struct fixture *f, struct line *l) {
  struct client_event ev = {.kind = CLIENT_EV_ROOM, .room = calloc(1, sizeof *ev.room)};
  json_t *wire = room_to_wire(&f->server, f->me);
  room_init(ev.room);
  assert_int_equal(room_from_wire(wire, ev.room), ERR_OK);
  json_decref(wire);
  said[0] = '\0';
  line_event(l, &ev, f->now, f->wall_ms);
}

/* With a new role comes a fresh snapshot with what was hidden: old messages in it are no news. */
static void test_a_fresh_snapshot_does_not_say_old_messages(void **state) {
  (void)state;
  struct line l;
  struct fixture *f = fx_create(false);
  uint32_t alice = fx_join(f, "alice", ROLE_HOST), erin = fx_join(f, "erin", ROLE_SPEAKER);
  fx_does(f, alice, "lobby on");
  fx_join(f, "zoe", ROLE_SPEAKER);
  fx_does(f, alice, "chat good morning");
  fx_step(f, 1000);
  line_init(&l, &f->ctl, keep, NULL);
  f->me = erin;
  fx_state(f, CLIENT_JOINED, ERR_OK, "");
  snapshot(f, &l);
  assert_non_null(strstr(said, "alice: good morning ("));
  does(f, &l, alice, ACT_LOBBY_SAY, "wait a little");
  does(f, &l, alice, ACT_ROLE, "erin cohost");
  snapshot(f, &l);
  assert_non_null(strstr(said, "1 waiting"));
  assert_null(strstr(said, "wait a little"));
  struct room_events evs = {0};
  struct room_cmd missed = {.act = ACT_CHAT, .actor = alice, .text = "this one was missed"};
  assert_int_equal(room_decide(&f->server, &missed, f->wall_ms, &evs), ERR_OK);
  for (size_t i = 0; i < evs.n; i++)
    room_apply(&f->server, &evs.v[i]);
  room_events_free(&evs);
  snapshot(f, &l);
  assert_non_null(strstr(said, "alice: this one was missed ("));
  assert_null(strstr(said, "wait a little"));
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_alt_that_is_bound_to_nothing_is_esc_and_the_key),
      cmocka_unit_test(test_the_card_closes),
      cmocka_unit_test(test_a_filter_that_fits_nobody_says_the_way_back),
      cmocka_unit_test(test_end_says_what_to_type),
      cmocka_unit_test(test_refusals_fit_the_act),
      cmocka_unit_test(test_who_is_left_without_the_floor_is_said),
      cmocka_unit_test(test_a_person_in_words),
      cmocka_unit_test(test_a_fresh_snapshot_does_not_say_old_messages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
