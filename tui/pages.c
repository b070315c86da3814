#include "tui/pages.h"

#include "core/base/text.h"
#include "tui/bandwidth.h"
#include "tui/menu.h"
#include "tui/watch_pilot.h"

#include <inttypes.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A page grows in a memory stream; without memory the program cannot go on and says so. */
struct page {
  FILE *f;
  char *text;
  size_t len;
};

static void page_open(struct page *p) {
  p->f = open_memstream(&p->text, &p->len);
  if (p->f == NULL)
    abort();
}

static char *page_close(struct page *p) {
  if (fclose(p->f) != 0)
    abort();
  return p->text;
}

void pages_person(const struct model *m, const struct member *p, char out[SAY_MAX]) {
  size_t hand = room_hand_place(&m->room, p->id);
  int n = snprintf(out, SAY_MAX, "%s%s, %s", p->name, p->id == m->me ? " (you)" : "", role_name(p->role));
  const struct {
    bool is;
    const char *word;
  } words[] = {{p->muted && p->muted_by == p->id, ", muted"},
               {p->muted && p->muted_by != p->id, ", muted by host"},
               {p->silenced, ", banned from speaking"},
               {!p->floor && !p->silenced && p->presence != PRESENCE_WAITING, ", no floor"},
               {p->priority, ", priority"},
               {p->presence == PRESENCE_AWAY, ", connection lost"},
               {!p->audio && p->presence == PRESENCE_HERE, ", no sound"}};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (words[i].is)
      n += snprintf(out + n, SAY_MAX - (size_t)n, "%s", words[i].word);
  if (p->gain_db != 0)
    n += snprintf(out + n, SAY_MAX - (size_t)n, ", gain %+d dB", (int)p->gain_db);
  if (p->side != 0)
    n += snprintf(out + n, SAY_MAX - (size_t)n, ", side room %u", (unsigned)p->side);
  if (hand > 0)
    n += snprintf(out + n, SAY_MAX - (size_t)n, ", hand raised, place %zu", hand);
  snprintf(out + n, SAY_MAX - (size_t)n, " #%u", p->id);
}

char *pages_line(const struct model *m) {
  struct page p;
  struct bandwidth_fact v[BANDWIDTH_FACTS];
  size_t n = bandwidth_facts(&m->link, v);
  page_open(&p);
  if (m->link.limit_kbps == 0)
    fprintf(p.f, "%-10s %s\n", "limit", "automatic");
  if (!m->link.connected)
    fprintf(p.f, "%-10s %s\n", "sound", m->no_audio ? "none: moderating only" : "not connected");
  for (size_t i = 0; i < n; i++)
    fprintf(p.f, "%-10s %s\n", v[i].name, v[i].text);
  return page_close(&p);
}

char *pages_people(const struct model *m, bool waiting) {
  struct page p;
  char line[SAY_MAX];
  size_t n = 0;
  page_open(&p);
  for (size_t i = 0; i < m->room.n_members; i++) {
    const struct member *who = &m->room.members[i];
    if ((who->presence == PRESENCE_WAITING) != waiting)
      continue;
    pages_person(m, who, line);
    fprintf(p.f, "%s\n", line);
    n++;
  }
  fprintf(p.f, waiting ? "%zu waiting.\n" : "%zu people.\n", n);
  return page_close(&p);
}

/* lines: what the screen said; `chat`: only what people wrote. */
static char *lines(const struct model *m, bool chat) {
  struct page p;
  char clock[8], head[SAY_MAX];
  page_open(&p);
  for (size_t i = 0; i < m->n_lines; i++) {
    const struct model_line *l = &m->lines[i];
    const struct chat *c = l->chat != 0 ? room_chat_by_id(&m->room, l->chat) : NULL;
    model_clock(m, l->ts_ms, clock);
    if (l->chat == 0 && !chat) {
      fprintf(p.f, "%s %s\n", clock, l->text);
    } else if (c != NULL) {
      say_chat_head(&m->room, m->me, c, head);
      fprintf(p.f, "%s %s: %s\n", clock, head, c->deleted ? "(deleted)" : c->text);
    }
  }
  return page_close(&p);
}

char *pages_log(const struct model *m) {
  return lines(m, false);
}

char *pages_chat(const struct model *m) {
  return lines(m, true);
}

/* ---- lists with the numbers that acts take ---- */

/* span_left: " for 2 h", " for 4 min 35 s" of what ends at `until_ms`, " for good" for 0. */
static void span_left(const struct model *m, int64_t until_ms, char out[64]) {
  char span[24], more[24] = "";
  int64_t left_ms = until_ms - model_wall(m, m->now);
  int64_t left_s = left_ms > 0 ? (left_ms + 999) / 1000 : 0;
  int64_t rest_s = left_s > 60 && left_s < 600 ? left_s % 60 : 0; /* longer spans are rounded */
  say_duration(left_s - rest_s, span);
  if (rest_s > 0)
    snprintf(more, sizeof more, " %" PRId64 " s", rest_s);
  if (until_ms == 0)
    snprintf(out, 64, " for good");
  else
    snprintf(out, 64, " for %s%s more", span, more);
}

char *pages_security(const struct model *m) {
  char *copy = strdup(m->security != NULL ? m->security : "Nothing is connected yet.\n");
  if (copy == NULL)
    abort();
  return copy;
}

char *pages_bans(const struct model *m) {
  struct page p;
  char whom[SAY_MAX], span[64];
  page_open(&p);
  for (size_t i = 0; i < m->room.n_bans; i++) {
    const struct ban *b = &m->room.bans[i];
    say_ban(b, whom);
    span_left(m, b->until_ms, span);
    fprintf(p.f, "%" PRIu64 "  %s: may not %s%s%s%s (by %s)\n", b->id, whom,
            b->what == BAN_SPEAK ? "speak" : "come in", span, b->reason[0] != '\0' ? ": " : "", b->reason,
            say_name(&m->room, m->me, b->by, false));
  }
  fprintf(p.f, "%zu banned.\n", m->room.n_bans);
  return page_close(&p);
}

char *pages_notes(const struct model *m) {
  struct page p;
  char clock[8];
  page_open(&p);
  for (size_t i = 0; i < m->room.n_notes; i++) {
    const struct note *n = &m->room.notes[i];
    model_clock(m, n->ts_ms, clock);
    fprintf(p.f, "%" PRIu64 "  on %s: %s (by %s, %s)\n", n->id, say_name(&m->room, m->me, n->about, false),
            n->text, n->name, clock);
  }
  fprintf(p.f, "%zu note%s.\n", m->room.n_notes, m->room.n_notes == 1 ? "" : "s");
  return page_close(&p);
}

char *pages_trusted(const struct model *m) {
  struct page p;
  page_open(&p);
  for (size_t i = 0; i < m->room.n_trusted; i++)
    fprintf(p.f, "%" PRIu64 "  %s\n", m->room.trusted[i].id, m->room.trusted[i].name);
  fprintf(p.f, "%zu need not wait%s.\n", m->room.n_trusted,
          m->room.auto_admit == AUTO_ADMIT_NOBODY ? ", but auto-admit is nobody" : "");
  return page_close(&p);
}

char *pages_invites(const struct model *m) {
  struct page p;
  char span[64];
  page_open(&p);
  for (size_t i = 0; i < m->room.n_invites; i++) {
    const struct invite *v = &m->room.invites[i];
    span_left(m, v->expires_ms, span);
    fprintf(p.f, "%" PRIu64 "  as %s%s, valid%s", v->id, role_name(v->role),
            v->bypass ? ", past the lobby" : "", span);
    fprintf(p.f, v->uses_left > 0 ? ", for %u more\n" : "\n", v->uses_left);
  }
  fprintf(p.f, "%zu invite links.\n", m->room.n_invites);
  return page_close(&p);
}

char *pages_search(const struct model *m, const char *text) {
  struct page p;
  char clock[8], head[SAY_MAX];
  size_t found = 0;
  page_open(&p);
  for (size_t i = 0; i < m->room.n_chat; i++) {
    const struct chat *c = &m->room.chat[i];
    if (c->deleted || (strcasestr(c->text, text) == NULL && strcasestr(c->name, text) == NULL))
      continue;
    model_clock(m, c->ts_ms, clock);
    say_chat_head(&m->room, m->me, c, head);
    fprintf(p.f, "%" PRIu64 "  %s %s: %s\n", c->id, clock, head, c->text);
    found++;
  }
  fprintf(p.f, "%zu found in the last %zu messages.%s\n", found, m->room.n_chat,
          m->history == HISTORY_END || m->room.n_chat == 0 ? "" : " Older ones come: search again then.");
  return page_close(&p);
}

/* ---- help ---- */

bool pages_help_matches(const struct command *c, const char *filter) {
  char title[32];
  command_title(c, title);
  return strcasestr(c->help, filter) != NULL || strcasestr(title, filter) != NULL ||
         strcasecmp(command_group_name(command_group(c)), filter) == 0;
}

size_t pages_help_count(const char *filter) {
  size_t n = 0;
  for (size_t i = 0; i < COMMANDS_COUNT; i++)
    n += pages_help_matches(&COMMANDS[i], filter);
  return n;
}

const struct command *pages_help_at(const char *filter, size_t row) {
  for (size_t i = 0; i < COMMANDS_COUNT; i++)
    if (pages_help_matches(&COMMANDS[i], filter) && row-- == 0)
      return &COMMANDS[i];
  return NULL;
}

void pages_help_row(const struct model *m, const struct keymap *keys, const struct command *c,
                    char out[SAY_MAX]) {
  char title[32], line[64], shown[64] = "", key[24];
  const char *refusal = command_refusal(m, c, 0);
  command_title(c, title);
  snprintf(line, sizeof line, "%s %s", title, c->args);
  for (size_t i = 0; keys != NULL && keymap_key(keys, c->context, c->name, i, key); i++)
    if (strlen(shown) + strlen(key) + 2 < sizeof shown)
      (void)(text_append(shown, sizeof shown, i > 0 ? " " : "") && text_append(shown, sizeof shown, key));
  snprintf(out, SAY_MAX, "%-10s %-24s %s%s%s%s", shown, line, c->help, refusal != NULL ? " (" : "",
           refusal != NULL ? refusal : "", refusal != NULL ? ")" : "");
}

char *pages_help(const struct model *m, const struct keymap *keys, const char *filter) {
  struct page p;
  char row[SAY_MAX];
  const char *group = NULL;
  page_open(&p);
  for (size_t i = 0; i < COMMANDS_COUNT; i++) {
    const char *name = command_group_name(command_group(&COMMANDS[i]));
    if (!pages_help_matches(&COMMANDS[i], filter))
      continue;
    if (name != group)
      fprintf(p.f, "%s:\n", name);
    group = name;
    pages_help_row(m, keys, &COMMANDS[i], row);
    fprintf(p.f, "%s\n", row);
  }
  return page_close(&p);
}

char *pages_menu(const struct model *m) {
  struct page p;
  struct menu_row rows[MENU_ROWS_MAX];
  char line[SAY_MAX];
  page_open(&p);
  menu_title(m, line);
  fprintf(p.f, "%s\n", line);
  for (size_t i = 0, n = menu_rows(m, rows); i < n; i++) {
    menu_text(&rows[i], NULL, line);
    fprintf(p.f, "%s\n", line);
  }
  return page_close(&p);
}

char *pages_conflicts(const char *file, bool *ok) {
  struct page p;
  struct keymap *keys = command_keymap();
  char why[256] = "", line[160];
  page_open(&p);
  if (keys == NULL)
    abort();
  *ok = keymap_load(keys, file, why) == ERR_OK;
  if (!*ok)
    fprintf(p.f, "%s\n", why);
  for (size_t i = 0; keymap_conflict(keys, i, line); i++)
    fprintf(p.f, "%s\n", line);
  for (size_t i = 0; *ok && i < COMMANDS_COUNT; i++) {
    char key[24];
    if (COMMANDS[i].keys[0] != '\0' && !keymap_key(keys, COMMANDS[i].context, COMMANDS[i].name, 0, key))
      fprintf(p.f, "%s has no key any more: the menu and the `:` line have it\n", COMMANDS[i].name);
  }
  if (*ok)
    fprintf(p.f, "%s can be used.\n", file);
  keymap_destroy(keys);
  return page_close(&p);
}

/* cell: table text of Markdown, where a bar must be escaped. */
static void cell(FILE *f, const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '|')
      fputc('\\', f);
    fputc(*text, f);
  }
  fputs(" | ", f);
}

static void keys_row(FILE *f, const struct command *c) {
  bool act = c->act != ACT__COUNT;
  char title[32], line[80], keys[48];
  command_title(c, title);
  snprintf(line, sizeof line, "`%s%s%s`", title, c->args[0] != '\0' ? " " : "", c->args);
  snprintf(keys, sizeof keys, "%s%s%s", c->keys, command_more(c)[0] != '\0' ? " " : "", command_more(c));
  fputs("| ", f);
  cell(f, keys);
  cell(f, line);
  cell(f, act ? role_name(ACTS[c->act].least) : "");
  fprintf(f, "%s%s |\n", c->help,
          act && ACTS[c->act].ask    ? "; asks first"
          : act && ACTS[c->act].undo ? "; undo"
                                     : "");
}

char *pages_keys(void) {
  struct page p;
  const char *group = NULL;
  page_open(&p);
  fputs(
      "# Keys and commands\n\n"
      "Made by `gavel keys` from core/room/acts.def and tui/command.def; a test compares. Every command\n"
      "can be typed after `:` (and `/` in line mode) by its name or a beginning of it, but what destroys or\n"
      "touches everyone (remove, ban, mute-all, hands-down ...) in full only. Every act is in the menu: "
      "`o`,\n"
      "a letter for the group, a letter for the act. The file of `--keys` changes the keys;\n"
      "`gavel keys --check FILE` tells what it breaks.\n",
      p.f);
  for (size_t i = 0; i < COMMANDS_COUNT; i++) {
    const char *name = command_group_name(command_group(&COMMANDS[i]));
    if (name != group)
      fprintf(p.f, "\n## %c%s\n\n| key | command | needs at least | what it does |\n|---|---|---|---|\n",
              name[0] - 'a' + 'A', name + 1);
    group = name;
    keys_row(p.f, &COMMANDS[i]);
  }
  fputs("\n## Watch\n\nKeys of `gavel watch`, section `[watch]` of the keys file (tui/watch_keys.def); "
        "arrows, PgUp,\n"
        "PgDn, Home and End move as everywhere.\n\n| key | name | what it does |\n|---|---|---|\n",
        p.f);
  for (size_t i = 0; i < WATCH_KEY__COUNT; i++)
    fprintf(p.f, "| `%s` | `%s` | %s |\n", WATCH_KEYS[i].keys, WATCH_KEYS[i].name, WATCH_KEYS[i].help);
  return page_close(&p);
}

/* qr_draw: dark modules are left blank and light ones drawn, as terminals are dark; a quiet zone of two
 * modules around. With half blocks one character holds two rows. */
static void qr_draw(FILE *f, const QRcode *qr, bool ascii) {
  int w = qr->width, step = ascii ? 1 : 2;
  for (int y = -2; y < w + 2; y += step) {
    for (int x = -2; x < w + 2; x++) {
      bool in_x = x >= 0 && x < w;
      bool top = !(in_x && y >= 0 && y < w && (qr->data[y * w + x] & 1) != 0);
      bool low = !(in_x && y + 1 >= 0 && y + 1 < w && (qr->data[(y + 1) * w + x] & 1) != 0);
      fputs(ascii ? (top ? "##" : "  ") : top && low ? "\u2588" : top ? "\u2580" : low ? "\u2584" : " ", f);
    }
    fputc('\n', f);
  }
}

char *pages_qr(const char *text, bool ascii) {
  struct page p;
  QRcode *qr = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
  if (qr == NULL)
    return NULL;
  page_open(&p);
  qr_draw(p.f, qr, ascii);
  QRcode_free(qr);
  return page_close(&p);
}

char *pages_link(const char *link, bool ascii) {
  struct page p;
  page_open(&p);
  fprintf(p.f, "%s\n\nWhoever has this link can knock. y copies it.\n\n", link);
  char *qr = pages_qr(link, ascii);
  fputs(qr != NULL ? qr : "", p.f);
  free(qr);
  return page_close(&p);
}
