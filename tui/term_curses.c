/* The terminal by ncursesw. Not key.h here: its names are curses' macros.
 *
 * Curses writes to a file descriptor of its own accord, past any FILE; so its output goes into a memory file
 * and from there, counted, to the terminal in one piece a frame. It never sees the terminal itself: modes and
 * size are set here. */
#include "tui/term.h"

#include "core/base/text.h"
#include "tui/osc.h"
#include "tui/term_restore.h"

#include <assert.h>
#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#define TTY_IN STDIN_FILENO
#define TTY_OUT STDOUT_FILENO
#define SIDE_MAX 1000
#define MODES_ON "\033[?2004h\033[?1004h" /* bracketed paste, focus */
#define MOUSE_ON "\033[?1000h\033[?1006h"
#define MOUSE_OFF "\033[?1006l\033[?1000l"
#define MODES_OFF "\033[?2004l\033[?1004l\033[?1006l\033[?1002l\033[?1000l"
#define KITTY_QUERY "\033[?u"
/* Disambiguate, event types, all keys as escape codes, their text: without the last two Space has no release.
 */
#define KITTY_ALL 27
#define KITTY_NAMED 3

struct term {
  struct termios saved;
  SCREEN *screen;
  FILE *mem; /* what curses writes */
  unsigned long long bytes;
  int colours; /* 0, 8, 16 or 256 */
  bool ascii, defaults, in_tmux, title_pushed, mouse;
  int cursor;                        /* shown, hidden, or -1: unknown */
  unsigned kitty_asked, kitty_flags; /* answers so far; what is pushed */
  enum term_releases releases;
  attr_t attrs[STYLE__COUNT];
  bool paper[STYLE__COUNT]; /* a blank in this style looks like any other blank */
  struct sigaction old_winch, old_tstp;
};

/* A global, as a signal handler has no other way: the write end wakes whoever polls the read end. */
static int resize_pipe[2] = {-1, -1};

static void on_winch(int sig) {
  (void)sig;
  int saved = errno;
  ssize_t done = write(resize_pipe[1], "w", 1); /* full is as good: it is readable */
  (void)done;
  errno = saved;
}

/* put: all of it, however slow the terminal; a terminal that is gone takes nothing. */
static void put(struct term *t, const char *s, size_t n) {
  while (n) {
    ssize_t done = write(TTY_OUT, s, n);
    if (done < 0 && errno == EAGAIN) {
      struct pollfd p = {.fd = TTY_OUT, .events = POLLOUT};
      poll(&p, 1, 1000);
    } else if (done < 0 && errno != EINTR) {
      return;
    } else if (done > 0) {
      s += done;
      n -= (size_t)done;
      t->bytes += (unsigned long long)done;
    }
  }
}

static void put_text(struct term *t, const char *s) {
  put(t, s, strlen(s));
}

/* flush: what curses has written since the last flush. */
static void flush(struct term *t) {
  int fd = fileno(t->mem);
  char buf[8192];
  off_t at = 0;
  ssize_t n;
  fflush(t->mem);
  while ((n = pread(fd, buf, sizeof buf, at)) > 0) {
    put(t, buf, (size_t)n);
    at += n;
  }
  if (ftruncate(fd, 0) == 0)
    lseek(fd, 0, SEEK_SET);
}

static void raw_mode(const struct term *t) {
  struct termios raw = t->saved;
  cfmakeraw(&raw); /* Ctrl-C and Ctrl-Z become keys */
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  tcsetattr(TTY_IN, TCSADRAIN, &raw);
}

static size_t append(char *out, size_t at, const char *s) {
  size_t n = s ? strlen(s) : 0;
  if (at + n > RESTORE_MAX)
    return at;
  memcpy(out + at, s ? s : "", n);
  return at + n;
}

/* append_cap: a terminfo string without its padding marks $<5>. */
static size_t append_cap(char *out, size_t at, const char *name) {
  const char *s = tigetstr(name);
  if (!s || s == (const char *)-1)
    return at;
  for (; *s && at < RESTORE_MAX; s++) {
    const char *end = s[0] == '$' && s[1] == '<' ? strchr(s, '>') : NULL;
    if (end)
      s = end;
    else
      out[at++] = *s;
  }
  return at;
}

static size_t modes_off(const struct term *t, char out[RESTORE_MAX]) {
  size_t n =
      append(out, 0,
             t->kitty_flags ? "\033[<u"
                            : ""); /* before the alternate screen, which has a stack of its own, is left */
  n = append(out, n, MODES_OFF);
  return append(out, n, t->title_pushed ? "\033[23;2t" : "");
}

static void arm_string(const struct term *t) {
  char s[RESTORE_MAX];
  size_t n = modes_off(t, s);
  static const char *const caps[] = {"sgr0", "op", "rmkx", "rmcup", "cnorm"};
  for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++)
    n = append_cap(s, n, caps[i]);
  n = append(s, n, "\r\n");
  restore_string(s, n);
}

static void modes_on(struct term *t) {
  put_text(t, MODES_ON);
  if (t->mouse)
    put_text(t, MOUSE_ON);
  if (t->kitty_flags) {
    char push[16];
    snprintf(push, sizeof push, "\033[>%uu", t->kitty_flags);
    put_text(t, push);
  }
}

static short pair_colour(const struct term *t, int c16, int c256, int fallback, attr_t *attr) {
  int c = t->colours == 256 ? c256 : c16;
  if (c < 0)
    return (short)(t->defaults ? -1 : fallback);
  if (t->colours == 8 && c >= 8) { /* the bright ones are bold there */
    c -= 8;
    if (attr)
      *attr |= A_BOLD;
  }
  return (short)c;
}

void term_theme(struct term *t, const struct theme *theme) {
  for (int i = 0; i < STYLE__COUNT; i++) {
    const struct theme_style *s = &theme->style[i];
    unsigned bits = t->colours ? s->attr : s->mono_attr;
    attr_t attr = (bits & ATTR_BOLD ? A_BOLD : 0U) | (bits & ATTR_DIM ? A_DIM : 0U) |
                  (bits & ATTR_UNDERLINE ? A_UNDERLINE : 0U) | (bits & ATTR_REVERSE ? A_REVERSE : 0U);
    if (t->colours) { /* one pair a style: there are few */
      short fg = pair_colour(t, s->fg16, s->fg256, COLOR_WHITE, &attr);
      init_pair((short)(i + 1), fg, pair_colour(t, s->bg16, s->bg256, COLOR_BLACK, NULL));
    }
    t->attrs[i] = attr;
    const struct theme_style *normal = &theme->style[STYLE_NORMAL];
    bool same = t->colours == 0 || (t->colours == 256 ? s->bg256 == normal->bg256 : s->bg16 == normal->bg16);
    t->paper[i] = same && (attr & (A_REVERSE | A_UNDERLINE)) == 0;
  }
}

/* setup_colours: NO_COLOR (no-color.org) means no grey either: attributes alone. */
static void setup_colours(struct term *t, int wanted) {
  const char *no_color = getenv("NO_COLOR");
  if (wanted < 0 && no_color && *no_color)
    wanted = 0;
  if (wanted == 0 || !has_colors() || start_color() == ERR || COLORS < 8 || COLOR_PAIRS <= STYLE__COUNT)
    return;
  t->defaults = use_default_colors() == OK;
  t->colours = COLORS >= 256 && wanted != 16 ? 256 : COLORS >= 16 ? 16 : 8;
}

static const char *refusal(void) {
  const char *name = getenv("TERM");
  if (!isatty(TTY_IN) || !isatty(TTY_OUT))
    return "input or output is no terminal";
  if (!name || !*name)
    return "TERM is not set";
  return strcmp(name, "dumb") == 0 ? "TERM=dumb cannot place the cursor" : NULL;
}

static void catch_signals(struct term *t) {
  struct sigaction winch = {.sa_handler = on_winch, .sa_flags = SA_RESTART}, ignore = {.sa_handler = SIG_IGN};
  sigemptyset(&winch.sa_mask);
  sigemptyset(&ignore.sa_mask);
  sigaction(SIGWINCH, &winch, &t->old_winch); /* curses takes only signals that are at their default */
  sigaction(SIGTSTP, &ignore, &t->old_tstp);
}

static void release(struct term *t) {
  if (t->screen)
    delscreen(t->screen);
  if (t->mem)
    fclose(t->mem);
  for (int i = 0; i < 2; i++) {
    if (resize_pipe[i] >= 0)
      close(resize_pipe[i]);
    resize_pipe[i] = -1;
  }
  free(t);
}

static bool open_files(struct term *t) {
  int fd = memfd_create("screen", MFD_CLOEXEC);
  if (fd < 0)
    return false;
  t->mem = fdopen(fd, "w");
  if (!t->mem) {
    close(fd);
    return false;
  }
  return pipe2(resize_pipe, O_CLOEXEC | O_NONBLOCK) == 0 && tcgetattr(TTY_IN, &t->saved) == 0;
}

static void setup_curses(struct term *t, const struct term_config *c) {
  nonl(); /* raw: a line feed is only a line feed */
  typeahead(-1);
  leaveok(stdscr, FALSE);
  idlok(stdscr, TRUE); /* chat scrolls by the terminal's own scrolling */
  setup_colours(t, c->colours);
  term_theme(t, c->theme);
}

struct term *term_open(const struct term_config *c, const char **why) {
  assert(resize_pipe[0] < 0);
  *why = refusal();
  struct term *t = *why ? NULL : calloc(1, sizeof *t);
  if (!t)
    return NULL;
  setlocale(LC_CTYPE, "");
  t->ascii = c->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
  t->in_tmux = getenv("TMUX") != NULL;
  t->cursor = -1;
  *why = "out of memory or files";
  if (!open_files(t))
    goto fail;
  catch_signals(t);
  restore_arm(TTY_IN, &t->saved); /* before newterm: curses would take SIGTERM and SIGINT for itself */
  t->screen = newterm(NULL, t->mem, stdin);
  const char *cup = t->screen ? tigetstr("cup") : NULL;
  if (!cup || cup == (const char *)-1) {
    *why = t->screen ? "TERM cannot place the cursor" : "TERM is not known to terminfo";
    restore_disarm();
    sigaction(SIGWINCH, &t->old_winch, NULL);
    sigaction(SIGTSTP, &t->old_tstp, NULL);
    goto fail;
  }
  setup_curses(t, c);
  arm_string(t);
  raw_mode(t);
  flush(t);
  modes_on(t);
  if (c->kitty)
    put_text(t, KITTY_QUERY);
  *why = NULL;
  return t;
fail:
  release(t);
  return NULL;
}

bool term_ascii(const struct term *t) {
  return t->ascii;
}

void term_size(struct term *t, int *w, int *h) {
  (void)t;
  struct winsize size = {0};
  if (ioctl(TTY_OUT, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    size = (struct winsize){.ws_col = 80, .ws_row = 24};
  *w = size.ws_col < SIDE_MAX ? size.ws_col : SIDE_MAX;
  *h = size.ws_row < SIDE_MAX ? size.ws_row : SIDE_MAX;
  if (*w != COLS || *h != LINES) {
    resize_term(*h, *w);
    clearok(curscr, TRUE); /* what the terminal made of the old lines is anyone's guess */
  }
}

int term_fd(const struct term *t) {
  (void)t;
  return TTY_IN;
}

int term_resize_fd(const struct term *t) {
  (void)t;
  return resize_pipe[0];
}

bool term_resized(struct term *t) {
  (void)t;
  char buf[64];
  bool any = false;
  while (read(resize_pipe[0], buf, sizeof buf) > 0)
    any = true;
  return any;
}

size_t term_read(struct term *t, void *bytes, size_t n) {
  (void)t;
  /* not O_NONBLOCK: the shell shares this open file and would inherit it after a crash */
  struct pollfd p = {.fd = TTY_IN, .events = POLLIN};
  if (poll(&p, 1, 0) <= 0)
    return 0;
  ssize_t got = read(TTY_IN, bytes, n);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return 0;
  return got > 0 ? (size_t)got : (size_t)-1;
}

/* cell_char: as curses wants it. Where libc and we disagree about the width, curses would lose its place: a
 * '?' for each column. */
static int cell_char(const struct term *t, const struct cell *cell, uint8_t style, cchar_t out[2]) {
  wchar_t wide[CCHARW_MAX + 1];
  const char *p = cell->text, *end = p + strlen(p);
  size_t n = 0;
  while (p < end && n < CCHARW_MAX)
    wide[n++] = (wchar_t)text_utf8_next(&p, end);
  wide[n] = L'\0';
  short pair = (short)(t->colours ? style + 1 : 0);
  attr_t attr = t->attrs[style];
  bool known = n && (wide[0] < 0x80 || (!t->ascii && wcwidth(wide[0]) == cell->width));
  for (size_t i = 1; i < n && known; i++)
    known = wcwidth(wide[i]) == 0;
  if (known && setcchar(&out[0], wide, attr, pair, NULL) == OK)
    return 1;
  for (int i = 0; i < cell->width; i++)
    setcchar(&out[i], L"?", attr, pair, NULL);
  return cell->width;
}

static bool is_paper(const struct term *t, const struct cell *cell) {
  return cell->text[0] == ' ' && cell->text[1] == '\0' && t->paper[cell->style];
}

/* draw_row: a blank costs nothing where it takes the attributes of what stands before it: switching them off
 * and on again for each gap would be a third of what a screen costs. At the end of a row blanks are normal:
 * cleared at once.
 */
static int draw_row(const struct term *t, const struct cell *cells, int w, cchar_t *row) {
  int n = 0, last = w;
  uint8_t before = STYLE_NORMAL;
  while (last > 0 && is_paper(t, &cells[last - 1]))
    last--;
  for (int x = 0; x < w; x++) {
    const struct cell *cell = &cells[x];
    if (cell->width == 0 || x + cell->width > w)
      continue;
    uint8_t style = !is_paper(t, cell)             ? cell->style
                    : x < last && t->paper[before] ? before
                                                   : (uint8_t)STYLE_NORMAL;
    before = style;
    n += cell_char(t, cell, style, &row[n]);
  }
  return n;
}

void term_draw(struct term *t, const struct canvas *c) {
  cchar_t row[SIDE_MAX + 1];
  erase();
  for (int y = 0; y < c->h && y < LINES; y++)
    mvadd_wchnstr(y, 0, row,
                  draw_row(t, &c->cells[(size_t)y * (size_t)c->w], c->w < COLS ? c->w : COLS, row));
  if (t->cursor != c->cursor_shown) {
    t->cursor = c->cursor_shown;
    curs_set(c->cursor_shown);
  }
  move(c->cursor_y < LINES ? c->cursor_y : LINES - 1, c->cursor_x < COLS ? c->cursor_x : COLS - 1);
  refresh();
  flush(t);
}

void term_redraw(struct term *t) {
  (void)t;
  clearok(curscr, TRUE);
}

unsigned long long term_bytes(const struct term *t) {
  return t->bytes;
}

void term_kitty_answer(struct term *t, unsigned flags) {
  t->kitty_asked++;
  if (t->kitty_asked == 1) {
    t->kitty_flags = KITTY_ALL;
    arm_string(t);
    modes_on(t);
    put_text(t, KITTY_QUERY); /* a terminal may take only some of the flags */
  } else if (t->kitty_asked == 2 && (flags & KITTY_ALL) == KITTY_ALL) {
    t->releases = TERM_RELEASES_ALL;
  } else if (t->kitty_asked == 2) {
    put_text(t, "\033[<u");
    t->kitty_flags = KITTY_NAMED;
    modes_on(t);
    t->releases = (flags & 2) ? TERM_RELEASES_NAMED : TERM_RELEASES_NONE;
  }
}

enum term_releases term_releases(const struct term *t) {
  return t->releases;
}

void term_receipt(struct term *t) {
  put_text(t, "\033[5n");
}

void term_bell(struct term *t) {
  put_text(t, "\a");
}

void term_title(struct term *t, const char *text) {
  char out[OSC_TEXT_MAX + 32];
  if (!t->title_pushed) { /* xterm's stack of titles */
    put_text(t, "\033[22;2t");
    t->title_pushed = true;
    arm_string(t);
  }
  put(t, out, osc_title(out, sizeof out, text));
}

void term_notify(struct term *t, enum osc_notify how, const char *text) {
  char out[2 * OSC_TEXT_MAX];
  enum osc_notice kind = how == OSC_NOTIFY_9     ? OSC_NOTICE_9
                         : how == OSC_NOTIFY_777 ? OSC_NOTICE_777
                                                 : osc_notice_kind(getenv("TERM"), getenv("VTE_VERSION"));
  if (how != OSC_NOTIFY_BELL && how != OSC_NOTIFY_OFF)
    put(t, out, osc_notice(out, sizeof out, kind, text, t->in_tmux));
  if (how == OSC_NOTIFY_BELL || (how == OSC_NOTIFY_AUTO && t->in_tmux))
    term_bell(t);
}

void term_mouse(struct term *t, bool on) {
  t->mouse = on;
  put_text(t, on ? MOUSE_ON : MOUSE_OFF);
}

bool term_copy(struct term *t, const char *text) {
  char *out = malloc(OSC_SIZE_MAX);
  size_t n = out ? osc_copy(out, OSC_SIZE_MAX, text, t->in_tmux) : 0;
  put(t, out, n);
  free(out);
  return n > 0;
}

/* give_back: the terminal as it was; curses can be resumed. */
static void give_back(struct term *t) {
  char s[RESTORE_MAX];
  put(t, s, modes_off(t, s));
  endwin();
  flush(t);
  tcsetattr(TTY_IN, TCSADRAIN, &t->saved);
}

void term_suspend(struct term *t) {
  give_back(t);
  struct sigaction ours, dfl = {.sa_handler = SIG_DFL};
  sigemptyset(&dfl.sa_mask);
  sigaction(SIGTSTP, &dfl, &ours);
  kill(0, SIGTSTP); /* the whole job, as the terminal would */
  sigaction(SIGTSTP, &ours, NULL);
  raw_mode(t);
  doupdate(); /* curses enters its screen again and repaints */
  flush(t);
  modes_on(t);
}

void term_close(struct term *t) {
  if (!t)
    return;
  give_back(t);
  restore_disarm();
  sigaction(SIGWINCH, &t->old_winch, NULL);
  sigaction(SIGTSTP, &t->old_tstp, NULL);
  release(t);
}
