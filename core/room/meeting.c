/* meeting.c: what the meeting follows: agenda, polls, its planned end. */
#include "core/room/room_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parts of `in` between `sep`, each cleaned as a line, empty ones left out unless `keep_empty`, joined
 * with '\n' in out (cap bytes with its NUL); *n gets how many. BAD_TEXT when one is bad or they do not fit.
 */
static enum err take_parts(const char *in, char sep, bool keep_empty, char *out, size_t cap, size_t *n) {
  out[0] = '\0';
  *n = 0;
  for (const char *end; in; in = *end ? end + 1 : NULL) {
    end = strchr(in, sep);
    end = end ? end : in + strlen(in);
    char part[TEXT_LINE_MAX + 1];
    enum err e = text_clean_line(in, (size_t)(end - in), part);
    if (e)
      return e;
    if (!part[0] && !keep_empty)
      continue;
    if ((*n && !text_append(out, cap, "\n")) || !text_append(out, cap, part))
      return ERR_BAD_TEXT;
    ++*n;
  }
  return ERR_OK;
}

static size_t count_lines(const char *text) {
  size_t n = text && *text ? 1 : 0;
  for (; n && *text; text++)
    n += *text == '\n';
  return n;
}

/* ---- agenda ---- */

static const char *agenda_text(const struct room *r) {
  return r->agenda ? r->agenda : "";
}

enum err decide_agenda(struct decision *d) {
  char text[ROOM_AGENDA_MAX + 1];
  size_t n;
  enum err e = take_parts(d->cmd->text ? d->cmd->text : "", ';', false, text, sizeof text, &n);
  if (e || n > ROOM_AGENDA_ITEMS)
    return ERR_BAD_TEXT;
  if (strcmp(text, agenda_text(d->r)) == 0)
    return ERR_NO_CHANGE;
  struct room_event *ev = decide_event(d, ROOM_EV_AGENDA, 0, (int64_t)d->r->agenda_at);
  ev->text = room_strdup(text);
  ev->text2 = room_strdup(agenda_text(d->r));
  return ERR_OK;
}

enum err decide_agenda_next(struct decision *d) {
  size_t next = d->r->agenda_at + 1;
  return next < count_lines(d->r->agenda) ? decide_number(d, ROOM_EV_AGENDA_AT, (int64_t)next) : ERR_NOTHING;
}

static void agenda_go(struct room *r, const struct room_event *ev) {
  bool there = ev->num > 0 && (uint64_t)ev->num < count_lines(r->agenda);
  r->agenda_at = there ? (size_t)ev->num : 0;
  r->agenda_ms = r->agenda ? ev->ts_ms : 0;
}

static void agenda_set(struct room *r, const struct room_event *ev) {
  const char *text = ev->text ? ev->text : "";
  struct undo_item item = text_change(r, ev, agenda_text(r), text, r->agenda_of);
  item.before = (int64_t)r->agenda_at;
  item.after = ev->num;
  undo_note(r, ev, item);
  free(r->agenda);
  r->agenda = *text ? room_strdup(text) : NULL;
  agenda_go(r, ev);
}

static void agenda_at(struct room *r, const struct room_event *ev) {
  int64_t before = (int64_t)r->agenda_at;
  agenda_go(r, ev);
  if ((int64_t)r->agenda_at != before)
    room_note_change(r, ev, ROOM_EV_AGENDA_AT, 0, before, (int64_t)r->agenda_at);
}

/* ---- polls ---- */

enum err decide_poll(struct decision *d) {
  if (d->r->poll.open)
    return ERR_POLL_OPEN;
  char text[ROOM_POLL_MAX + 1];
  size_t n;
  enum err e = take_parts(d->cmd->text ? d->cmd->text : "", '|', true, text, sizeof text, &n);
  if (e || n < 1 + ROOM_ANSWERS_MIN || n > 1 + ROOM_ANSWERS_MAX)
    return ERR_BAD_TEXT;
  bool empty = text[0] == '\n' || text[strlen(text) - 1] == '\n' || strstr(text, "\n\n");
  if (empty)
    return ERR_BAD_TEXT;
  decide_event(d, ROOM_EV_POLL, (d->cmd->flags & FLAG_ANONYMOUS) != 0, 0)->text = room_strdup(text);
  return ERR_OK;
}

static const struct vote *vote_of(const struct poll *p, uint32_t member) {
  for (size_t i = 0; i < p->n_votes; i++)
    if (p->votes[i].member == member)
      return &p->votes[i];
  return NULL;
}

/* The same person has voted in another window of his. */
static bool voted_elsewhere(const struct decision *d) {
  const struct poll *p = &d->r->poll;
  for (size_t i = 0; i < p->n_votes; i++) {
    const struct member *m = room_member(d->r, p->votes[i].member);
    if (m && m != d->actor && member_is(d->actor, m->user, m->device))
      return true;
  }
  return false;
}

enum err decide_vote(struct decision *d) {
  const struct poll *p = &d->r->poll;
  if (!p->open)
    return ERR_NO_POLL;
  if (!d->actor)
    return ERR_NOT_JOINED; /* the operator asks, he does not answer */
  if (d->cmd->num < 1 || d->cmd->num > (int64_t)p->n_answers)
    return ERR_BAD_ARG;
  const struct vote *v = vote_of(p, d->actor_id);
  if (v && v->answer == d->cmd->num)
    return ERR_NO_CHANGE;
  if (!v && p->n_votes >= ROOM_VOTES_MAX)
    return ERR_FULL;
  if (!v && voted_elsewhere(d))
    return ERR_NO_CHANGE;
  (void)decide_event(d, ROOM_EV_VOTED, d->cmd->num, 0);
  return ERR_OK;
}

/* The votes known here for each answer. */
static void count_votes(const struct poll *p, uint32_t count[ROOM_ANSWERS_MAX]) {
  memset(count, 0, ROOM_ANSWERS_MAX * sizeof *count);
  for (size_t i = 0; i < p->n_votes; i++)
    count[p->votes[i].answer - 1]++;
}

/* "Poll closed: question - a 3, b 0 (3 votes)": with ROOM_POLL_MAX it always fits a message. */
static void result_text(const struct poll *p, const uint32_t *count, char out[TEXT_CHAT_MAX + 1]) {
  const char *line = p->text;
  size_t n = strcspn(line, "\n"), votes = 0;
  size_t at = (size_t)snprintf(out, TEXT_CHAT_MAX + 1, "Poll closed: %.*s - ", (int)n, line);
  for (size_t i = 0; i < p->n_answers; i++) {
    line += n + 1;
    n = strcspn(line, "\n");
    at += (size_t)snprintf(out + at, TEXT_CHAT_MAX + 1 - at, "%s%.*s %u", i ? ", " : "", (int)n, line,
                           (unsigned)count[i]);
    votes += count[i];
  }
  (void)snprintf(out + at, TEXT_CHAT_MAX + 1 - at, " (%zu vote%s)", votes, votes == 1 ? "" : "s");
}

enum err decide_poll_end(struct decision *d) {
  const struct poll *p = &d->r->poll;
  if (!p->open)
    return ERR_NO_POLL;
  uint32_t count[ROOM_ANSWERS_MAX];
  count_votes(p, count);
  char text[TEXT_CHAT_MAX + 1];
  size_t at = 0;
  for (size_t i = 0; i < p->n_answers; i++)
    at += (size_t)snprintf(text + at, sizeof text - at, "%s%u", i ? " " : "", (unsigned)count[i]);
  decide_event(d, ROOM_EV_POLL_ENDED, 0, 0)->text = room_strdup(text);
  result_text(p, count, text);
  if (d->r->hide_hosts) /* a message has a name: then it is not his who closed the poll */
    d->actor_id = 0;
  decide_event(d, ROOM_EV_CHAT, CHAT_ANNOUNCE, 0)->text = room_strdup(text);
  return ERR_OK;
}

static void poll_clear(struct poll *p) {
  free(p->text);
  free(p->votes);
  *p = (struct poll){0};
}

static void poll_open(struct room *r, const struct room_event *ev) {
  size_t lines = count_lines(ev->text);
  if (lines < 1 + ROOM_ANSWERS_MIN || lines > 1 + ROOM_ANSWERS_MAX || strlen(ev->text) > ROOM_POLL_MAX)
    return;
  poll_clear(&r->poll);
  r->poll = (struct poll){
      .id = ev->seq, .open = true, .anonymous = ev->num != 0, .by = ev->actor, .n_answers = lines - 1};
  r->poll.text = room_strdup(ev->text);
}

/* While an anonymous poll is open nobody's fold counts it: a replica knows but its own vote. */
static void poll_vote(struct room *r, const struct room_event *ev) {
  struct poll *p = &r->poll;
  if (!p->open || ev->num < 1 || ev->num > (int64_t)p->n_answers)
    return;
  const struct vote *known = vote_of(p, ev->actor);
  size_t i = known ? (size_t)(known - p->votes) : p->n_votes;
  if (i >= ROOM_VOTES_MAX)
    return;
  if (!known) {
    p->votes = room_grow(p->votes, p->n_votes, &p->cap_votes, sizeof *p->votes);
    p->n_votes++;
  }
  p->votes[i] = (struct vote){.member = ev->actor, .answer = (uint8_t)ev->num};
  if (!p->anonymous)
    count_votes(p, p->count);
}

void poll_forget(struct room *r, uint32_t id) {
  struct poll *p = &r->poll;
  const struct vote *v = p->open ? vote_of(p, id) : NULL;
  if (!v)
    return;
  size_t i = (size_t)(v - p->votes);
  memmove(&p->votes[i], &p->votes[i + 1], (--p->n_votes - i) * sizeof *v);
  if (!p->anonymous)
    count_votes(p, p->count);
}

/* An open poll was counted vote by vote; what closes an anonymous one brings its counts. */
static void poll_close(struct room *r, const struct room_event *ev) {
  struct poll *p = &r->poll;
  const char *s = ev->text ? ev->text : "";
  for (size_t i = 0; p->open && p->anonymous && i < p->n_answers; i++) {
    char *end;
    unsigned long v = strtoul(s, &end, 10);
    p->count[i] = v <= ROOM_VOTES_MAX ? (uint32_t)v : 0;
    s = end;
  }
  p->open = false;
}

/* ---- the planned end ---- */

#define END_DEFAULT_S 10

enum err decide_end(struct decision *d) {
  int64_t seconds = d->cmd->has_num2 ? d->cmd->num2 : END_DEFAULT_S;
  if (seconds < 0 || seconds > ROOM_SECONDS_MAX)
    return ERR_BAD_ARG;
  if (seconds > 0)
    return decide_number(d, ROOM_EV_ENDING, d->now_ms + seconds * 1000);
  decide_event(d, ROOM_EV_ENDED, 0, 0)->text = room_strdup("");
  return ERR_OK;
}

void meeting_expire(struct decision *d) {
  if (d->r->ends_ms && d->now_ms >= d->r->ends_ms)
    decide_event(d, ROOM_EV_ENDED, 0, 0)->text = room_strdup("");
}

int64_t meeting_next(const struct room *r) {
  return r->ends_ms ? r->ends_ms : INT64_MAX;
}

/* ---- applying and checking ---- */

bool meeting_apply(struct room *r, const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_AGENDA:
    agenda_set(r, ev);
    return true;
  case ROOM_EV_AGENDA_AT:
    agenda_at(r, ev);
    return true;
  case ROOM_EV_POLL:
    poll_open(r, ev);
    return true;
  case ROOM_EV_VOTED:
    poll_vote(r, ev);
    return true;
  case ROOM_EV_POLL_ENDED:
    poll_close(r, ev);
    return true;
  default:
    return false;
  }
}

void meeting_free(struct room *r) {
  free(r->agenda);
  r->agenda = NULL;
  poll_clear(&r->poll);
}

static const char *check_poll(const struct poll *p) {
  if (!p->id)
    return p->open || p->text || p->n_votes || p->n_answers ? "a poll that never was has something" : NULL;
  if (!p->text || p->n_answers < ROOM_ANSWERS_MIN || p->n_answers > ROOM_ANSWERS_MAX ||
      count_lines(p->text) != p->n_answers + 1)
    return "a poll's answers do not agree with its text";
  if (p->n_votes > ROOM_VOTES_MAX)
    return "a poll has too many votes";
  for (size_t i = 0; i < p->n_votes; i++)
    if (p->votes[i].answer < 1 || p->votes[i].answer > p->n_answers)
      return "a vote is for no answer";
  uint32_t count[ROOM_ANSWERS_MAX];
  count_votes(p, count);
  for (size_t i = 0; i < ROOM_ANSWERS_MAX; i++)
    if (p->anonymous ? p->open && p->count[i]
                     : p->count[i] != count[i] && (p->open || p->count[i] < count[i]))
      return "a poll's counts do not agree with its votes";
  return NULL;
}

const char *meeting_check(const struct room *r) {
  size_t items = count_lines(r->agenda);
  if (r->agenda && (!r->agenda[0] || strlen(r->agenda) > ROOM_AGENDA_MAX || items > ROOM_AGENDA_ITEMS))
    return "the agenda is beyond its limits";
  if (r->agenda_at && r->agenda_at >= items)
    return "the agenda is at an item it does not have";
  if (r->ended && (r->ends_ms || r->poll.open))
    return "an ended room still has something to come";
  return check_poll(&r->poll);
}
