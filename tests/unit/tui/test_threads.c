/* Everything that runs in threads at once, made for ThreadSanitizer: a real server with two media threads and
 * two real clients with their engine, signalling and audio threads, from the first knock to the last word. */
#include "core/base/clock.h"
#include "core/server/server.h"
#include "core/session/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 60000

struct person {
  struct client *client;
  enum client_state state;
  bool sound; /* the media path is up */
  uint32_t ticket, answered;
  enum err why, ended;  /* how the act, and the whole session, ended */
  char heard[64];       /* the last chat line */
  bool history;         /* older messages were asked for, and came */
  uint32_t me, speaker; /* who he is, whom he hears (the last one besides himself) */
  unsigned spoken;      /* quarters of a second in which he heard him */
  char via[12];         /* by which way his sound goes */
};

/* told: where clients are told that sound goes; "" for where it does. */
static struct server *start_edges(const char *told, unsigned edge_from, struct link *host,
                                  struct link *guest) {
  struct server_config c;
  struct server *s = NULL;
  char why[256] = "";
  server_config_default(&c);
  c.listen = "127.0.0.1";
  c.port = 0;
  c.database = ":memory:";
  c.media_threads = 2;
  c.edge_from = edge_from;
  c.public_address = told;
  assert_int_equal(server_start(&c, &s, why), ERR_OK);
  assert_int_equal(server_room_create(s, "threads", false, host, guest), ERR_OK);
  snprintf(host->host, sizeof host->host, "127.0.0.1");
  snprintf(guest->host, sizeof guest->host, "127.0.0.1");
  return s;
}

static struct server *start(struct link *host, struct link *guest) {
  return start_edges("", 0, host, guest);
}

static void join_with(struct person *p, const struct link *link, const char *name, const char *input) {
  struct client_config c = {
      .link = *link, .input = input, .output = "null", .loop = true, .mic_open = true, .device_id = name};
  const char *why = NULL;
  *p = (struct person){.state = CLIENT_CONNECTING};
  snprintf(c.name, sizeof c.name, "%s", name);
  p->client = client_start(&c, &why);
  assert_non_null(p->client);
}

static void join(struct person *p, const struct link *link, const char *name) {
  join_with(p, link, name, "null");
}

static void note_link(struct person *p, const struct client_link *l) {
  p->sound = l->connected;
  memcpy(p->via, l->via, sizeof p->via);
}

static void take(struct person *p, const struct client_event *ev) {
  if (ev->kind == CLIENT_EV_STATE) {
    p->state = ev->state;
    p->ended = ev->why;
    p->me = ev->me ? ev->me : p->me;
  } else if (ev->kind == CLIENT_EV_LEVELS) {
    for (unsigned i = 0; i < ev->n; i++)
      if (ev->level_of[i].member != p->me) {
        p->speaker = ev->level_of[i].member;
        p->spoken++;
      }
  } else if (ev->kind == CLIENT_EV_LINK)
    note_link(p, &ev->link);
  else if (ev->kind == CLIENT_EV_EVENT && ev->event->kind == ROOM_EV_CHAT)
    snprintf(p->heard, sizeof p->heard, "%s", ev->event->text);
  else if (ev->kind == CLIENT_EV_HISTORY)
    p->history = ev->why == ERR_OK;
  else if (ev->kind == CLIENT_EV_REPLY) {
    p->answered = ev->ticket;
    p->why = ev->why;
  }
}

static bool both_joined(const struct person *p) {
  return p[0].state == CLIENT_JOINED && p[1].state == CLIENT_JOINED;
}
static bool both_sound(const struct person *p) {
  return p[0].sound && p[1].sound;
}
static bool both_heard(const struct person *p) {
  return strcmp(p[0].heard, "hello") == 0 && strcmp(p[1].heard, "hello") == 0;
}
static bool both_history(const struct person *p) {
  return p[0].history && p[1].history;
}
static bool first_answered(const struct person *p) {
  return p[0].answered == p[0].ticket;
}
static bool each_heard_the_other(const struct person *p) {
  return p[0].spoken >= 6 && p[1].spoken >= 6 && p[0].me && p[1].me && p[0].speaker == p[1].me &&
         p[1].speaker == p[0].me;
}
static bool both_ended(const struct person *p) {
  return p[0].state == CLIENT_ENDED && p[1].state == CLIENT_ENDED;
}

/* until: serve both front ends until it is so. */
static void until(struct person *p, bool (*so)(const struct person *)) {
  struct client_event ev;
  us_t end = clock_now() + LIMIT_MS * US_PER_MS;
  while (!so(p)) {
    struct pollfd fds[2] = {{client_fd(p[0].client), POLLIN, 0}, {client_fd(p[1].client), POLLIN, 0}};
    (void)poll(fds, 2, 100);
    for (int i = 0; i < 2; i++)
      while (client_poll(p[i].client, &ev)) {
        take(&p[i], &ev);
        client_event_free(&ev);
      }
    assert_true(clock_now() < end);
  }
}

static void a_call_from_knock_to_leave(void **state) {
  (void)state;
  struct link host, guest;
  struct server *s = start(&host, &guest);
  struct person p[2];
  join(&p[0], &host, "Ada");
  join(&p[1], &guest, "Bob");
  until(p, both_joined);
  until(p, both_sound);
  p[1].ticket = client_act(p[1].client, &(struct room_cmd){.act = ACT_CHAT, .text = "hello"});
  until(p, both_heard);
  client_history(p[0].client, 1000);
  client_history(p[1].client, 1000);
  until(p, both_history);
  client_mic_gate(p[0].client, false);
  client_audio(p[1].client, "null", "null");
  p[0].ticket = client_act(p[0].client, &(struct room_cmd){.act = ACT_MUTE_ALL});
  until(p, first_answered);
  assert_int_equal(p[0].why, ERR_OK);
  client_leave(p[0].client);
  client_leave(p[1].client);
  until(p, both_ended);
  client_stop(p[0].client);
  client_stop(p[1].client);
  server_stop(s);
}

/* Nobody says goodbye: clients stop in the middle of their call, and the server under a client. */
static void everything_stops_at_any_time(void **state) {
  (void)state;
  struct link host, guest;
  struct server *s = start(&host, &guest);
  struct person p[2];
  join(&p[0], &host, "Ada");
  join(&p[1], &guest, "Bob");
  until(p, both_joined);
  client_stop(p[1].client);
  server_stop(s);
  client_stop(p[0].client);
}

/* Without a pin the usual rules hold, which a self-made certificate cannot meet; with one only that very one
 * is good enough. */
static void a_strange_certificate_is_refused(void **state) {
  (void)state;
  struct link host, guest;
  struct server *s = start(&host, &guest);
  struct person p[2];
  host.has_pin = false;
  guest.pin[31] ^= 1;
  join(&p[0], &host, "Ada");
  join(&p[1], &guest, "Bob");
  until(p, both_ended);
  assert_int_equal(p[0].ended, ERR_CERT);
  assert_int_equal(p[1].ended, ERR_CERT);
  client_stop(p[0].client);
  client_stop(p[1].client);
  server_stop(s);
}

/* The second one's path is on the other media thread, so each word goes from one to the other. */
static void sound_between_media_threads(void **state) {
  (void)state;
  struct link host, guest;
  struct server *s = start_edges("", 1, &host, &guest);
  struct person p[2];
  char speech[512];
  snprintf(speech, sizeof speech, "file:%s/tests/data/speech_a.wav", GAVEL_SRCDIR);
  join_with(&p[0], &host, "Ada", speech);
  join_with(&p[1], &guest, "Bob", speech);
  until(p, both_joined);
  until(p, both_sound);
  until(p, each_heard_the_other);
  client_stop(p[0].client); /* and its path, while the other still speaks */
  server_stop(s);
  client_stop(p[1].client);
}

/* strangers: of TCP on the media port: some hang up, some say no check, one says nothing. */
static int strangers(uint16_t port) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = -1;
  for (int i = 0; i < 20; i++) {
    if (fd >= 0)
      close(fd);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    if (i % 2 == 0)
      assert_int_equal(send(fd, "\0\4ping", 6, MSG_NOSIGNAL), 6);
  }
  return fd;
}

/* Nothing answers where the media port is said to be: each datagram goes through the signalling thread of the
 * client and the control thread of the server, while others knock at the media port by TCP. */
static void sound_inside_the_signalling(void **state) {
  (void)state;
  struct link host, guest;
  struct server *s = start_edges("127.0.0.9", 1, &host, &guest);
  struct person p[2];
  char speech[512];
  snprintf(speech, sizeof speech, "file:%s/tests/data/speech_a.wav", GAVEL_SRCDIR);
  join_with(&p[0], &host, "Ada", speech);
  join_with(&p[1], &guest, "Bob", speech);
  until(p, both_sound);
  int silent = strangers(server_media_port(s));
  until(p, each_heard_the_other);
  assert_string_equal(p[0].via, "tunnel");
  assert_string_equal(p[1].via, "tunnel");
  client_stop(p[0].client); /* and its connection, while the other still speaks */
  server_stop(s);
  client_stop(p[1].client);
  close(silent);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_call_from_knock_to_leave),       cmocka_unit_test(everything_stops_at_any_time),
      cmocka_unit_test(sound_between_media_threads),      cmocka_unit_test(sound_inside_the_signalling),
      cmocka_unit_test(a_strange_certificate_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
