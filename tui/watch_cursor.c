#include "tui/watch_cursor.h"

size_t watch_cursor_top(size_t at, size_t top, size_t page) {
  return at < top ? at : page && at >= top + page ? at - page + 1 : top;
}

size_t watch_cursor_to(size_t at, size_t n, bool selected, long rows) {
  long last = (long)n - 1, to = (long)at + (selected ? rows : 0);
  return (size_t)(to < 0 ? 0 : to > last ? last : to);
}
