/* map.h: a hash map from short byte keys to pointers: connections by handle, peers by address, rooms by name.
 *
 * Invariant: keys are copied (at most MAP_KEY_MAX bytes), values are borrowed and never NULL. Seeded, so that
 * strangers cannot choose colliding keys. Thread: one. */
#ifndef GAVEL_BASE_MAP_H
#define GAVEL_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_KEY_MAX 64

struct map;
/* map_create: empty, hashed with `seed` (from a secret source for keys of strangers). Never NULL: aborts. */
struct map *map_create(uint64_t seed);
/* map_put: insert or replace. map_get: NULL when absent. map_del: the value removed, or NULL. */
void map_put(struct map *m, const void *key, size_t n, void *value);
void *map_get(const struct map *m, const void *key, size_t n);
void *map_del(struct map *m, const void *key, size_t n);
size_t map_count(const struct map *m);
/* map_next: walk in no order: start with *at = 0; NULL at the end. The map must not change meanwhile. */
void *map_next(const struct map *m, size_t *at);
void map_destroy(struct map *m);

/* The same with a number as the key. */
void map_put_u32(struct map *m, uint32_t key, void *value);
void *map_get_u32(const struct map *m, uint32_t key);
void *map_del_u32(struct map *m, uint32_t key);

/* The same with a text of any length: what is kept of it is its SHA-256. */
void map_put_text(struct map *m, const char *key, void *value);
void *map_get_text(const struct map *m, const char *key);
void *map_del_text(struct map *m, const char *key);

#endif
