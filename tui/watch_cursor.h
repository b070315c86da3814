/* watch_cursor.h: where the cursor of a list on a watch screen goes. Pure; any thread. */
#ifndef GAVEL_TUI_WATCH_CURSOR_H
#define GAVEL_TUI_WATCH_CURSOR_H

#include <stdbool.h>
#include <stddef.h>

/* watch_cursor_top: the first row to show, so that row `at` is on the page; page 0: not known yet. */
size_t watch_cursor_top(size_t at, size_t top, size_t page);
/* watch_cursor_to: `rows` on from `at` in a list of n > 0; what is not selected yet is selected first. */
size_t watch_cursor_to(size_t at, size_t n, bool selected, long rows);

#endif
