/* style.h: what a piece of screen means. Views name roles; the theme says how a role looks; colour is never
 * the only sign. X(ID, name in theme files). */
#ifndef GAVEL_TUI_STYLE_H
#define GAVEL_TUI_STYLE_H

/* clang-format off */
#define STYLES(X)                                                                                            \
  X(NORMAL, "normal") X(DIM, "dim") X(TITLE, "title") X(STATUS, "status") X(KEY, "key") X(FOCUS, "focus")    \
  X(SELECTED, "selected") X(TALKING, "talking") X(MUTED, "muted") X(HOST, "host") X(HAND, "hand")            \
  X(SELF, "self") X(WAITING, "waiting") X(AWAY, "away") X(CHAT_NAME, "chat.name")                            \
  X(CHAT_PRIVATE, "chat.private") X(NOTICE, "notice") X(WARN, "warn") X(DANGER, "danger") X(OK, "ok")        \
  X(ON_AIR, "on-air") X(INPUT, "input") X(BORDER, "border") X(METER_LOW, "meter.low")                        \
  X(METER_MID, "meter.mid") X(METER_HIGH, "meter.high")
/* clang-format on */

enum style {
#define X(id, name) STYLE_##id,
  STYLES(X)
#undef X
      STYLE__COUNT
};
/* style_name: as theme files write it. */
const char *style_name(enum style s);

#endif
