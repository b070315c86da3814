#include "tui/bandwidth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FULL "full"
#define LOSS_WARN_PCT 5
#define MADE_UP_WARN_PCT 5
#define MOS_WARN 30

bool bandwidth_parse(const char *text, unsigned *kbps, char why[256]) {
  char *end;
  errno = 0;
  unsigned long n = strtoul(text, &end, 10);
  bool digits = text[0] >= '0' && text[0] <= '9';
  if (strcasecmp(text, "auto") == 0)
    *kbps = 0;
  else if (digits && errno == 0 && (*end == '\0' || strcasecmp(end, "k") == 0) && n >= CLIENT_KBPS_MIN &&
           n <= CLIENT_KBPS_MAX)
    *kbps = (unsigned)n;
  else {
    snprintf(why, 256, "bandwidth is %uk to %uk (kb/s each way) or auto, not %.40s", CLIENT_KBPS_MIN,
             CLIENT_KBPS_MAX, text[0] != '\0' ? text : "nothing");
    return false;
  }
  return true;
}

static bool known(const char *tier) {
  return tier != NULL && tier[0] != '\0';
}

/* What is not known is as usual. */
static bool is_full(const char *tier) {
  return !known(tier) || strcmp(tier, FULL) == 0;
}

/* one_way: "low 60 ms"; full is what everyone expects and has no length. */
static void one_way(const char *tier, unsigned ptime_ms, char out[24]) {
  if (is_full(tier))
    snprintf(out, 24, "%s", FULL);
  else
    snprintf(out, 24, "%.10s %u ms", tier, ptime_ms);
}

/* The way in one word, "" when it is the usual one. */
static const char *unusual(const struct client_link *l) {
  bool relay = strncmp(l->via, "turn", 4) == 0;
  return relay ? "relay" : strcmp(l->via, "udp") == 0 ? "" : l->via;
}

static void append_way(const struct client_link *l, char out[BANDWIDTH_WORDS]) {
  size_t n = strlen(out);
  const char *way = unusual(l);
  if (*way)
    snprintf(out + n, BANDWIDTH_WORDS - n, "%sby %.8s", n ? ", " : "", way);
}

void bandwidth_words(const struct client_link *l, char out[BANDWIDTH_WORDS]) {
  char in[24], up[24];
  out[0] = '\0';
  if (!l->connected)
    return;
  one_way(l->tier_down, l->ptime_down_ms, in);
  one_way(l->tier_up, l->ptime_up_ms, up);
  if (strcmp(in, up) != 0)
    snprintf(out, BANDWIDTH_WORDS, "in %s, out %s", in, up);
  else if (!is_full(l->tier_down))
    snprintf(out, BANDWIDTH_WORDS, "%s", in);
  append_way(l, out);
}

void bandwidth_brief(const struct client_link *l, char out[BANDWIDTH_WORDS]) {
  const char *in = is_full(l->tier_down) ? FULL : l->tier_down, *up = is_full(l->tier_up) ? FULL : l->tier_up;
  out[0] = '\0';
  if (!l->connected || (is_full(in) && is_full(up) && !*unusual(l)))
    return;
  if (strcmp(in, up) != 0)
    snprintf(out, BANDWIDTH_WORDS, "line: in %.10s, out %.10s", in, up);
  else
    snprintf(out, BANDWIDTH_WORDS, "line: %.10s", in);
  append_way(l, out);
}

void bandwidth_gets(const char *tier, unsigned ptime_ms, unsigned copies, unsigned kbps,
                    char out[BANDWIDTH_WORDS]) {
  char length[16] = "", again[20] = "";
  if (ptime_ms > 0)
    snprintf(length, sizeof length, " %u ms", ptime_ms);
  if (copies > 0)
    snprintf(again, sizeof again, ", %u cop%s", copies, copies == 1 ? "y" : "ies");
  snprintf(out, BANDWIDTH_WORDS, "%.9s%s%s, %u kb/s", tier, length, again, kbps);
}

void bandwidth_delay(unsigned rtt_ms, unsigned jitter_ms, unsigned buffer_ms, char out[BANDWIDTH_WORDS]) {
  if (rtt_ms > 0)
    snprintf(out, BANDWIDTH_WORDS, "%u ms, jitter %u ms, buffer %u ms", rtt_ms, jitter_ms, buffer_ms);
  else
    snprintf(out, BANDWIDTH_WORDS, "jitter %u ms, buffer %u ms", jitter_ms, buffer_ms);
}

/* mos: of 5 at best; "-" while nothing is known. */
static void mos(unsigned tenths, char out[8]) {
  if (tenths == 0)
    snprintf(out, 8, "-");
  else
    snprintf(out, 8, "%u.%u", tenths / 10 % 10, tenths % 10);
}

const char *bandwidth_way(const char *via) {
  static const struct {
    const char *via, *words;
  } WAYS[] = {{"udp", "direct (UDP)"},
              {"tcp", "direct, but by TCP: no UDP gets through"},
              {"turn", "by a relay (TURN)"},
              {"turn-udp", "by a relay (TURN)"},
              {"turn-tcp", "by a relay (TURN, TCP)"},
              {"turn-tls", "by a relay (TURN, TLS)"},
              {"tunnel", "tunnel: inside the server connection"}};
  for (size_t i = 0; i < sizeof WAYS / sizeof WAYS[0]; i++)
    if (strcmp(via, WAYS[i].via) == 0)
      return WAYS[i].words;
  return "";
}

size_t bandwidth_facts(const struct client_link *l, struct bandwidth_fact v[BANDWIDTH_FACTS]) {
  size_t n = 0;
  char down[8], up[8];
  memset(v, 0, BANDWIDTH_FACTS * sizeof v[0]);
  if (l->limit_kbps != 0) {
    v[n].name = "limit";
    snprintf(v[n++].text, BANDWIDTH_WORDS, "%u kb/s each way", l->limit_kbps);
  }
  if (!l->connected)
    return n;
  if (*bandwidth_way(l->via)) {
    v[n].name = "way";
    snprintf(v[n++].text, BANDWIDTH_WORDS, "%s", bandwidth_way(l->via));
  }
  if (known(l->tier_down)) {
    v[n].name = "you get";
    bandwidth_gets(l->tier_down, l->ptime_down_ms, l->copies_down, l->kbps_down, v[n++].text);
  }
  if (known(l->tier_up)) {
    v[n].name = "you send";
    bandwidth_gets(l->tier_up, l->ptime_up_ms, l->copies_up, l->kbps_up, v[n++].text);
  }
  v[n].name = "delay";
  bandwidth_delay(l->rtt_ms, l->jitter_ms, l->buffer_ms, v[n++].text);
  v[n].name = "loss";
  v[n].warn = l->loss_down_pct > LOSS_WARN_PCT || l->loss_up_pct > LOSS_WARN_PCT ||
              l->concealed_pct > MADE_UP_WARN_PCT;
  snprintf(v[n++].text, BANDWIDTH_WORDS, "in %u%%, out %u%%, made up %u%%", l->loss_down_pct, l->loss_up_pct,
           l->concealed_pct);
  if (l->mos_down == 0 && l->mos_up == 0)
    return n;
  mos(l->mos_down, down);
  mos(l->mos_up, up);
  v[n].name = "MOS";
  v[n].warn = (l->mos_down > 0 && l->mos_down < MOS_WARN) || (l->mos_up > 0 && l->mos_up < MOS_WARN);
  snprintf(v[n++].text, BANDWIDTH_WORDS, "in %s, out %s of 5", down, up);
  return n;
}
