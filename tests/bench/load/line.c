/* line.c: a person's bad network, inside the tool: what he sends and what he gets goes through the model of
 * tests/bench/relay. */
#include "tests/bench/load/person_private.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct flying {
  struct timer timer; /* first: what timers_pop returns is the datagram */
  struct person *person;
  uint32_t life;
  enum person_way way;
  size_t n;
  uint8_t data[];
};

static void land(struct person *p, enum person_way way, uint8_t *b, size_t n) {
  if (way == WAY_DOWN)
    person_datagram(p, b, n);
  else
    (void)!send(p->udp, b, n, 0); /* what does not go out is lost, as on any line */
}

static void fly(struct person *p, enum person_way way, uint8_t *b, size_t n) {
  struct load *l = p->load;
  us_t due[IMPAIR_COPIES];
  unsigned copies = impair_packet(&p->line[way], l->now, n, due);
  for (unsigned i = 0; i < copies; i++) {
    if (due[i] <= l->now) {
      land(p, way, b, n);
      continue;
    }
    struct flying *f = malloc(sizeof *f + n);
    if (!f)
      abort();
    *f = (struct flying){.timer = TIMER_IDLE, .person = p, .life = p->life, .way = way, .n = n};
    memcpy(f->data, b, n);
    timers_set(&l->air, &f->timer, due[i]);
  }
}

void line_send(struct person *p, const uint8_t *b, size_t n) {
  uint8_t copy[2048];
  if (p->udp < 0 || n > sizeof copy)
    return;
  if (!p->load->impairing) {
    (void)!send(p->udp, b, n, 0);
    return;
  }
  memcpy(copy, b, n);
  fly(p, WAY_UP, copy, n);
}

void line_take(struct person *p, uint8_t *b, size_t n) {
  if (p->load->impairing)
    fly(p, WAY_DOWN, b, n);
  else
    person_datagram(p, b, n);
}

void line_start(struct load *l) {
  l->impairing = true;
  for (size_t i = 0; i < l->n_people; i++) {
    static const struct impair_config CLEAN;
    struct person *p = &l->people[i];
    for (unsigned w = 0; w < WAYS; w++)
      impair_init(&p->line[w], p->speaks && !l->cfg.impair_speakers ? &CLEAN : &l->cfg.impair,
                  l->cfg.seed * 100000 + i * WAYS + w);
  }
}

void line_move(struct load *l) {
  struct timer *t;
  while ((t = timers_pop(&l->air, l->now))) {
    struct flying *f = (struct flying *)(void *)t;
    struct person *p = f->person;
    if (p->udp >= 0 && p->life == f->life) {
      land(p, f->way, f->data, f->n);
      person_settle(p);
    }
    free(f);
  }
}

void line_end(struct load *l) {
  struct timer *t;
  while ((t = timers_pop(&l->air, US_NEVER - 1)))
    free(t);
  timers_free(&l->air);
}
