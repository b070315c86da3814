#include "tui/pages.h"

#include "core/base/text.h"

#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
  struct {
    bool is;
    const char *word;
  } const words[] = {{p->muted && p->muted_by == p->id, ", muted"},
                     {p->muted && p->muted_by != p->id, ", muted by host"},
                     {!p->floor && p->presence != PRESENCE_WAITING, ", no floor"},
                     {p->presence == PRESENCE_AWAY, ", connection lost"},
                     {!p->audio && p->presence == PRESENCE_HERE, ", no sound"}};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (words[i].is)
      n += snprintf(out + n, SAY_MAX - (size_t)n, "%s", words[i].word);
  if (hand > 0)
    n += snprintf(out + n, SAY_MAX - (size_t)n, ", hand raised, place %zu", hand);
  snprintf(out + n, SAY_MAX - (size_t)n, " #%u", p->id);
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

char *pages_log(const struct model *m) {
  struct page p;
  char clock[8], head[SAY_MAX];
  page_open(&p);
  for (size_t i = 0; i < m->n_lines; i++) {
    const struct model_line *l = &m->lines[i];
    const struct chat *c = l->chat != 0 ? room_chat_by_id(&m->room, l->chat) : NULL;
    model_clock(m, l->ts_ms, clock);
    if (l->chat == 0) {
      fprintf(p.f, "%s %s\n", clock, l->text);
    } else if (c != NULL) {
      say_chat_head(&m->room, m->me, c, head);
      fprintf(p.f, "%s %s: %s\n", clock, head, c->deleted ? "(deleted)" : c->text);
    }
  }
  return page_close(&p);
}

bool pages_help_matches(const struct command *c, const char *filter) {
  char title[32];
  command_title(c, title);
  return strcasestr(c->help, filter) != NULL || strcasestr(title, filter) != NULL;
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
  page_open(&p);
  for (size_t i = 0; i < COMMANDS_COUNT; i++)
    if (pages_help_matches(&COMMANDS[i], filter)) {
      pages_help_row(m, keys, &COMMANDS[i], row);
      fprintf(p.f, "%s\n", row);
    }
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
  char title[32], line[80];
  command_title(c, title);
  snprintf(line, sizeof line, "`%s%s%s`", title, c->args[0] != '\0' ? " " : "", c->args);
  fputs("| ", f);
  cell(f, c->keys);
  cell(f, line);
  cell(f, act ? role_name(ACTS[c->act].least) : "");
  fprintf(f, "%s%s |\n", c->help,
          act && ACTS[c->act].ask    ? "; asks first"
          : act && ACTS[c->act].undo ? "; undo"
                                     : "");
}

char *pages_keys(void) {
  struct page p;
  page_open(&p);
  fputs("# Keys and commands\n\n"
        "Made by `gavel keys` from core/room/acts.def and tui/command.def; a test compares. Every command\n"
        "can be typed after `:` (and `/` in line mode) by its name or a beginning of it; the file of\n"
        "`--keys` changes the keys.\n\n"
        "| key | command | needs at least | what it does |\n|---|---|---|---|\n",
        p.f);
  for (size_t i = 0; i < COMMANDS_COUNT; i++)
    keys_row(p.f, &COMMANDS[i]);
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

char *pages_link(const char *link, bool ascii) {
  struct page p;
  page_open(&p);
  fprintf(p.f, "%s\n\nWhoever has this link can knock. y copies it.\n\n", link);
  QRcode *qr = QRcode_encodeString(link, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
  if (qr != NULL)
    qr_draw(p.f, qr, ascii);
  QRcode_free(qr);
  return page_close(&p);
}
