#include "core/base/map.h"

#include "core/base/bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Open addressing with linear probing; a removed entry leaves a tombstone (n = DEAD) until it
 * grows. */
#define DEAD 255
struct entry {
  uint64_t hash;
  void *value;
  uint8_t n; /* bytes of key, 0 = free: empty keys are not allowed */
  uint8_t key[MAP_KEY_MAX];
};
struct map {
  uint64_t seed;
  size_t cap, used, live; /* used counts tombstones */
  struct entry *v;
};

static uint64_t hash_of(const struct map *m, const uint8_t *key, size_t n) {
  uint64_t h = m->seed ^ 0xcbf29ce484222325U;
  for (size_t i = 0; i < n; i++) {
    h ^= key[i];
    h *= 0x100000001b3U;
    h ^= h >> 29;
  }
  h ^= m->seed >> 7;
  h *= 0x9e3779b97f4a7c15U;
  return h ^ (h >> 32);
}

static void alloc_table(struct map *m, size_t cap) {
  m->cap = cap;
  m->used = m->live = 0;
  m->v = calloc(cap, sizeof *m->v);
  if (!m->v)
    abort();
}

struct map *map_create(uint64_t seed) {
  struct map *m = calloc(1, sizeof *m);
  if (!m)
    abort();
  m->seed = seed;
  alloc_table(m, 16);
  return m;
}

static struct entry *find(const struct map *m, uint64_t h, const void *key, size_t n) {
  for (size_t i = h & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
    struct entry *e = &m->v[i];
    if (e->n == 0)
      return e;
    if (e->n == n && e->hash == h && memcmp(e->key, key, n) == 0)
      return e;
  }
}

static void grow(struct map *m) {
  struct entry *old = m->v;
  size_t cap = m->cap, want = 16;
  while (want < m->live * 4)
    want *= 2;
  alloc_table(m, want);
  for (size_t i = 0; i < cap; i++)
    if (old[i].n != 0 && old[i].n != DEAD) {
      *find(m, old[i].hash, old[i].key, old[i].n) = old[i];
      m->used++;
      m->live++;
    }
  free(old);
}

void map_put(struct map *m, const void *key, size_t n, void *value) {
  assert(n > 0 && n <= MAP_KEY_MAX && value);
  if ((m->used + 1) * 2 > m->cap)
    grow(m);
  uint64_t h = hash_of(m, key, n);
  struct entry *e = find(m, h, key, n);
  if (e->n == 0) {
    m->used++;
    m->live++;
    e->hash = h;
    e->n = (uint8_t)n;
    memcpy(e->key, key, n);
  }
  e->value = value;
}

void *map_get(const struct map *m, const void *key, size_t n) {
  if (n == 0 || n > MAP_KEY_MAX)
    return NULL;
  struct entry *e = find(m, hash_of(m, key, n), key, n);
  return e->n ? e->value : NULL;
}

void *map_del(struct map *m, const void *key, size_t n) {
  if (n == 0 || n > MAP_KEY_MAX)
    return NULL;
  struct entry *e = find(m, hash_of(m, key, n), key, n);
  if (e->n == 0)
    return NULL;
  void *v = e->value;
  e->n = DEAD;
  e->value = NULL;
  m->live--;
  return v;
}

size_t map_count(const struct map *m) {
  return m->live;
}

void *map_next(const struct map *m, size_t *at) {
  while (*at < m->cap) {
    const struct entry *e = &m->v[(*at)++];
    if (e->n != 0 && e->n != DEAD)
      return e->value;
  }
  return NULL;
}

void map_destroy(struct map *m) {
  if (!m)
    return;
  free(m->v);
  free(m);
}

void map_put_u32(struct map *m, uint32_t key, void *value) {
  map_put(m, &key, sizeof key, value);
}
void *map_get_u32(const struct map *m, uint32_t key) {
  return map_get(m, &key, sizeof key);
}
void *map_del_u32(struct map *m, uint32_t key) {
  return map_del(m, &key, sizeof key);
}

void map_put_text(struct map *m, const char *key, void *value) {
  uint8_t hash[32];
  sha256(key, strlen(key), hash);
  map_put(m, hash, sizeof hash, value);
}

void *map_get_text(const struct map *m, const char *key) {
  uint8_t hash[32];
  sha256(key, strlen(key), hash);
  return map_get(m, hash, sizeof hash);
}

void *map_del_text(struct map *m, const char *key) {
  uint8_t hash[32];
  sha256(key, strlen(key), hash);
  return map_del(m, hash, sizeof hash);
}
