/* bandwidth.h: the person's own line in words: what he wishes it to carry, which sound it gets, and how good
 * that is. The same on the screen, in line mode and for scripts.
 *
 * Invariant: pure; any thread. */
#ifndef GAVEL_TUI_BANDWIDTH_H
#define GAVEL_TUI_BANDWIDTH_H

#include "core/session/client.h"

#include <stddef.h>

/* bandwidth_parse: "auto", "12k" or "12" (kb/s each way) into *kbps, 0 for automatic; false: `why` says what
 * is taken. */
bool bandwidth_parse(const char *text, unsigned *kbps, char why[256]);
#define BANDWIDTH_WORDS 64
/* bandwidth_words: what is not as usual: "low 60 ms", "in min 120 ms, out full"; "" when both ways are full
 * or there is no path. */
void bandwidth_words(const struct client_link *l, char out[BANDWIDTH_WORDS]);
/* bandwidth_brief: the same for a row that has more to say: "line: low", "line: in min, out full". */
void bandwidth_brief(const struct client_link *l, char out[BANDWIDTH_WORDS]);
/* bandwidth_delay: "45 ms, jitter 3 ms, buffer 80 ms"; a way of 0 ms is one nobody has measured. */
void bandwidth_delay(unsigned rtt_ms, unsigned jitter_ms, unsigned buffer_ms, char out[BANDWIDTH_WORDS]);
/* bandwidth_gets: "low 60 ms, 1 copy, 19 kb/s"; ptime_ms 0: not known. */
void bandwidth_gets(const char *tier, unsigned ptime_ms, unsigned copies, unsigned kbps,
                    char out[BANDWIDTH_WORDS]);
/* bandwidth_way: how somebody is reached ("udp", "tunnel", ...) in words for a person; "" when it is not
 * known. */
const char *bandwidth_way(const char *via);
#define BANDWIDTH_FACTS 7
struct bandwidth_fact {
  const char *name;
  char text[BANDWIDTH_WORDS];
  bool warn; /* worse than one would like */
};
/* bandwidth_facts: name and value, as the card shows them; returns how many. */
size_t bandwidth_facts(const struct client_link *l, struct bandwidth_fact v[BANDWIDTH_FACTS]);

#endif
