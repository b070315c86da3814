/* Chat: modes, cleaning, deletion, how much is kept. */
#include "room_fixture.h"

struct people {
  struct fixture f;
  uint32_t host, a, b;
};

static int setup(void **state) {
  static struct people p; /* one test at a time */
  fix_open(&p.f, false, HOST_GONE_CONTINUE);
  p.host = join(&p.f, "Host", ROLE_HOST);
  p.a = join(&p.f, "A", ROLE_AUDIENCE);
  p.b = join(&p.f, "B", ROLE_SPEAKER);
  *state = &p;
  return 0;
}
static int teardown(void **state) {
  fix_close(&((struct people *)*state)->f);
  return 0;
}

static void modes_bind_people_but_not_moderators(void **state) {
  struct people *p = *state;
  static const struct {
    enum chat_mode mode;
    enum err public, private;
  } ROWS[] = {{CHAT_MODE_OFF, ERR_CHAT_OFF, ERR_CHAT_OFF},
              {CHAT_MODE_PUBLIC, ERR_OK, ERR_CHAT_OFF},
              {CHAT_MODE_PRIVATE, ERR_CHAT_OFF, ERR_OK},
              {CHAT_MODE_ALL, ERR_OK, ERR_OK}};
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_MODE, (int64_t)ROWS[i].mode), ERR_OK);
    assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, "hi"), ROWS[i].public);
    assert_int_equal(act_msg(&p->f, p->a, p->b, "hi"), ROWS[i].private);
    assert_int_equal(act_text(&p->f, p->a, ACT_CHAT_HOSTS, "help"), ERR_OK); /* always */
    assert_int_equal(act_text(&p->f, p->host, ACT_CHAT, "hi"), ERR_OK);
    assert_int_equal(act_msg(&p->f, p->host, p->a, "hi"), ERR_OK);
  }
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_MODE, CHAT_MODE_ALL), ERR_NO_CHANGE);
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_MODE, 4), ERR_BAD_ARG);
}

static void text_is_cleaned_on_the_way_in(void **state) {
  struct people *p = *state;
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, "a\x1b[31mb\xe2\x80\xae\x07"), ERR_OK);
  assert_string_equal(p->f.r.chat[0].text, "a[31mb");
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, "\xff\xfe"), ERR_BAD_TEXT);
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, NULL), ERR_BAD_TEXT);
  char big[TEXT_CHAT_MAX + 2];
  memset(big, 'x', sizeof big - 1);
  big[sizeof big - 1] = '\0';
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, big), ERR_BAD_TEXT);
  assert_int_equal(act_msg(&p->f, p->a, p->a, "hi"), ERR_NOT_SELF);
  assert_int_equal(act_msg(&p->f, p->a, 99, "hi"), ERR_NO_MEMBER);
}

static void one_deletes_ones_own_and_a_moderator_any(void **state) {
  struct people *p = *state;
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, "mine"), ERR_OK);
  int64_t mine = (int64_t)p->f.r.seq;
  assert_int_equal(act_num(&p->f, p->b, ACT_CHAT_DELETE, mine), ERR_NOT_ALLOWED);
  assert_int_equal(act_num(&p->f, p->a, ACT_CHAT_DELETE, mine), ERR_OK);
  assert_string_equal(room_chat_by_id(&p->f.r, (uint64_t)mine)->text, ""); /* gone from the fold */
  assert_true(room_chat_by_id(&p->f.r, (uint64_t)mine)->deleted);
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_DELETE, mine), ERR_NO_CHANGE);
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, "rude"), ERR_OK);
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_DELETE, (int64_t)p->f.r.seq), ERR_OK);
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_DELETE, 1), ERR_NO_MESSAGE);
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_DELETE, -5), ERR_NO_MESSAGE);
}

static void a_message_one_cannot_see_cannot_be_deleted_nor_found(void **state) {
  struct people *p = *state;
  assert_int_equal(act_msg(&p->f, p->a, p->b, "secret"), ERR_OK);
  int64_t id = (int64_t)p->f.r.seq;
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_DELETE, id), ERR_NO_MESSAGE);
  assert_int_equal(act_num(&p->f, p->b, ACT_CHAT_DELETE, id), ERR_NOT_ALLOWED);
  assert_int_equal(act_num(&p->f, 0, ACT_CHAT_DELETE, id), ERR_OK);
}

static void the_oldest_messages_make_room(void **state) {
  struct people *p = *state;
  for (int i = 0; i < ROOM_CHAT_KEPT + 3; i++) {
    char text[16];
    (void)snprintf(text, sizeof text, "m%d", i);
    assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, text), ERR_OK);
  }
  assert_int_equal(p->f.r.n_chat, ROOM_CHAT_KEPT);
  assert_string_equal(p->f.r.chat[0].text, "m3");
  assert_string_equal(p->f.r.chat[0].name, "A");
  assert_int_equal(act(&p->f, p->host, ACT_CHAT_CLEAR), ERR_OK);
  assert_int_equal(p->f.r.n_chat, 0);
  assert_int_equal(act(&p->f, p->host, ACT_CHAT_CLEAR), ERR_NOTHING);
  assert_int_equal(act_text(&p->f, 0, ACT_CHAT, "restart at 9"), ERR_OK);
  assert_string_equal(p->f.r.chat[0].name, "operator");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(modes_bind_people_but_not_moderators),
      T(text_is_cleaned_on_the_way_in),
      T(one_deletes_ones_own_and_a_moderator_any),
      T(a_message_one_cannot_see_cannot_be_deleted_nor_found),
      T(the_oldest_messages_make_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
