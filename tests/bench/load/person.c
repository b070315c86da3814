#include "tests/bench/load/person.h"

#include "core/base/bytes.h"
#include "core/wire/json.h"
#include "tests/bench/load/person_private.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CHECK_FIRST_US (100 * US_PER_MS)
#define CHECK_WAIT_MAX_US (3 * US_PER_S)
#define UDP_MARK 1U

/* ---- how it ends ---- */

static void drop(struct person *p) {
  timers_set(&p->load->timers, &p->timer, US_NEVER);
  wsc_destroy(p->ws);
  path_destroy(p->path);
  if (p->udp >= 0)
    close(p->udp);
  p->ws = NULL;
  p->path = NULL;
  p->udp = -1;
  p->check_at = p->say_at = p->play_at = US_NEVER;
}

void person_fail(struct person *p, const char *why) {
  if (p->state == PERSON_GONE)
    return;
  p->load->n_up -= p->state == PERSON_UP;
  p->state = PERSON_GONE;
  p->why = why;
  p->load->n_gone++;
}

void person_set_timer(struct person *p) {
  us_t due = p->path ? path_next_timeout(p->path) : US_NEVER;
  due = p->check_at < due ? p->check_at : due;
  due = p->say_at < due ? p->say_at : due;
  due = p->play_at < due ? p->play_at : due;
  timers_set(&p->load->timers, &p->timer, due);
}

/* After anything that may have failed. */
static void settle(struct person *p) {
  if (p->state == PERSON_GONE)
    drop(p);
  else
    person_set_timer(p);
}

/* ---- signalling ---- */

static char *offer(struct person *p) {
  struct sdp_local me = {
      .ufrag = p->ufrag, .pwd = p->pwd, .fingerprint = p->load->cert.sha256, .ssrc = p->ssrc};
  char *text = sdp_write_offer(&me);
  if (!text)
    abort();
  return text;
}

static void on_opened(void *ctx) {
  struct person *p = ctx;
  const struct link *l = &p->room->link;
  char name[64], secret[48];
  snprintf(name, sizeof name, "%s %u", p->speaks ? "Speaker" : "Listener", p->number + 1);
  char *sdp = offer(p);
  json_t *j = json_pack("{s:s,s:s,s:s,s:s}", "room", l->room, "client", "gavel-load/" GAVEL_VERSION, "name",
                        name, "sdp", sdp);
  free(sdp);
  if (l->app[0])
    json_object_set_new(j, "app", json_string(l->app));
  if (l->has_secret) {
    b64url_encode(l->secret, sizeof l->secret, secret);
    json_object_set_new(j, "invite", json_string(secret));
  }
  char *text = rpc_request(1, "room.join", j);
  if (!text)
    abort();
  wsc_send(p->ws, text);
  free(text);
}

static void on_answer(struct person *p, struct peek sdp) {
  struct sdp a;
  const char *why = NULL;
  char *text = peek_text(sdp);
  if (!text)
    person_fail(p, "the server had no answer to the offer");
  else if (p->path)
    ; /* we offered once */
  else if (sdp_parse(text, strlen(text), &a, &why) != ERR_OK)
    person_fail(p, why ? why : "the server's answer cannot be read");
  else
    person_open_path(p, &a);
  free(text);
}

static void on_joined(struct person *p, struct peek result) {
  uint32_t me = (uint32_t)peek_number(peek(result, "me"));
  if (p->speaks)
    p->room->ids[p->number] = me;
  if (!peek_is(peek(result, "state"), "joined"))
    return; /* in the lobby: the answer comes if somebody admits him */
  p->state = PERSON_IN;
  histo_add(&p->load->joined, p->load->now - p->began_at);
  on_answer(p, peek(result, "sdp"));
}

static void on_text(void *ctx, const char *text, size_t n) {
  struct person *p = ctx;
  struct peek all = {text, n}, method = peek(all, "method"), params;
  if (method.p) {
    if (!peek_is(method, "answer") && !peek_is(method, "bye"))
      return;
    params = peek(all, "params");
    if (peek_is(method, "answer"))
      on_answer(p, peek(params, "sdp"));
    else {
      p->why_text = peek_text(peek(params, "text"));
      person_fail(p, "told to go");
    }
  } else if (peek_number(peek(all, "id")) == 1) {
    params = peek(all, "error");
    if (params.p) {
      p->why_text = peek_text(peek(params, "message"));
      person_fail(p, "room.join was refused");
    } else
      on_joined(p, peek(all, "result"));
  }
}

static void watch(struct person *p, int fd, int op, uint32_t events, uint64_t mark) {
  struct epoll_event ev = {.events = events, .data.u64 = (uint64_t)(uintptr_t)p | mark};
  if (epoll_ctl(p->load->epoll, op, fd, &ev) != 0)
    person_fail(p, "too many sockets to watch");
}

void person_watch_udp(struct person *p) {
  watch(p, p->udp, EPOLL_CTL_ADD, EPOLLIN, UDP_MARK);
}

void person_begin(struct person *p) {
  struct load *l = p->load;
  struct wsc_events ev = {on_opened, on_text, p};
  p->began_at = l->now;
  p->state = PERSON_COMING;
  p->ssrc = (uint32_t)rng_u64(rng_system()) | 1;
  rng_token(rng_system(), p->ufrag, sizeof p->ufrag - 1);
  rng_token(rng_system(), p->pwd, sizeof p->pwd - 1);
  const char *why = "";
  p->ws = wsc_create(l->tls, &p->room->link, (struct sockaddr *)&l->server, l->server_len, &ev, &why);
  if (!p->ws)
    person_fail(p, why);
  else
    watch(p, wsc_fd(p->ws), EPOLL_CTL_ADD, p->ws_events = wsc_wants(p->ws), 0);
  settle(p);
}

static void signalling(struct person *p) {
  const char *over = wsc_ready(p->ws);
  if (over && !p->why_text && *wsc_goodbye(p->ws))
    p->why_text = strdup(wsc_goodbye(p->ws));
  if (over)
    person_fail(p, over);
  uint32_t wants = wsc_wants(p->ws);
  if (p->state != PERSON_GONE && wants != p->ws_events)
    watch(p, wsc_fd(p->ws), EPOLL_CTL_MOD, p->ws_events = wants, 0);
}

void person_socket(struct person *p, bool udp) {
  if (udp && p->udp >= 0)
    person_receive(p);
  else if (!udp && p->ws)
    signalling(p);
  settle(p);
}

/* ---- time ---- */

static void check(struct person *p) {
  uint8_t buf[STUN_MAX];
  size_t n = stun_build_request(buf, sizeof buf, p->check_id, p->check_user, p->peer_pwd, true, p->ssrc,
                                0x7e0000ff, true);
  (void)!send(p->udp, buf, n, 0); /* it is repeated */
  if (p->checked)
    p->check_at = p->load->now + CHECK_KEEP_US;
  else if (p->check_wait > CHECK_WAIT_MAX_US)
    person_fail(p, "the server did not answer the STUN checks");
  else {
    p->check_wait = p->check_wait ? 2 * p->check_wait : CHECK_FIRST_US;
    p->check_at = p->load->now + p->check_wait;
  }
}

static void play(struct person *p) {
  ear_play(&p->ear, p->load->now, p->room->freqs, p->room->n_speakers);
  p->play_at += LOAD_FRAME_US;
}

void person_timeout(struct person *p) {
  us_t now = p->load->now;
  if (p->check_at <= now)
    check(p);
  if (p->path && path_next_timeout(p->path) <= now)
    path_handle_timeout(p->path, now);
  while (p->say_at <= now)
    person_say(p);
  while (p->play_at <= now)
    play(p);
  settle(p);
}

void person_leave(struct person *p) {
  if (p->state == PERSON_IN || p->state == PERSON_UP) {
    p->state = PERSON_LEAVING;
    p->say_at = p->play_at = US_NEVER;
    wsc_send(p->ws, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"room.leave\"}");
    signalling(p);
  } else
    person_fail(p, "left");
  settle(p);
}

void person_free(struct person *p) {
  drop(p);
  ear_free(&p->ear);
  free(p->said);
  free(p->why_text);
}
