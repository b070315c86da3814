/* others.c: how good another person's line is, for who moderates: one question at a time, asked while he
 * looks. */
#include "core/session/session_private.h"

#include <stdio.h>

void session_other(struct session *s, us_t now, uint32_t member) {
  s->now = now;
  if (s->other_id || s->state != CLIENT_JOINED || !s->connected)
    return;
  s->other_id = ++s->last_id;
  session_request(s, s->other_id, "room.quality", json_pack("{s:I}", "member", (json_int_t)member));
}

static uint16_t figure(const json_t *line, const char *key) {
  json_int_t n = json_int(line, key, 0);
  return (uint16_t)(n < 0 ? 0 : n < UINT16_MAX ? n : UINT16_MAX);
}

/* A refusal, or nobody's line: nothing is known, and the next look asks again. */
bool others_reply(struct session *s, const struct rpc_in *in) {
  if (in->id != s->other_id || !s->other_id)
    return false;
  s->other_id = 0;
  const json_t *line =
      in->kind == RPC_RESULT ? json_array_get(json_object_get(in->result, "lines"), 0) : NULL;
  if (!line)
    return true;
  struct client_event ev;
  session_event(&ev, CLIENT_EV_OTHER);
  struct client_other *o = &ev.other;
  *o = (struct client_other){.member = (uint32_t)json_int(line, "member", 0),
                             .copies = figure(line, "copies"),
                             .loss_up_pct = figure(line, "loss_up"),
                             .loss_down_pct = figure(line, "loss_down"),
                             .concealed_up_pct = figure(line, "concealed_up"),
                             .concealed_down_pct = figure(line, "concealed_down"),
                             .mos_up = figure(line, "mos_up_tenths"),
                             .mos_down = figure(line, "mos_down_tenths"),
                             .jitter_ms = figure(line, "jitter_ms"),
                             .rtt_ms = figure(line, "rtt_ms"),
                             .buffer_ms = figure(line, "buffer_ms"),
                             .kbps_up = figure(line, "kbps_up"),
                             .kbps_down = figure(line, "kbps_down")};
  snprintf(o->tier, sizeof o->tier, "%s", json_str(line, "tier", ""));
  snprintf(o->via, sizeof o->via, "%s", json_str(line, "via", ""));
  s->cfg.event(s->cfg.ctx, &ev);
  return true;
}
