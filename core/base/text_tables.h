/* text_tables.h: the Unicode ranges behind text.c. Private to core/base.
 *
 * Invariant: each table is sorted and its ranges do not touch. Pure data; any thread. */
#ifndef GAVEL_BASE_TEXT_TABLES_H
#define GAVEL_BASE_TEXT_TABLES_H

#include <stddef.h>
#include <stdint.h>

struct text_range {
  uint32_t first, last;
};
extern const struct text_range TEXT_MARKS[], TEXT_WIDE[], TEXT_DROPPED[];
extern const size_t TEXT_MARKS_N, TEXT_WIDE_N, TEXT_DROPPED_N;

#endif
