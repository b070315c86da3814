/* Bytes of a terminal become keys. Sources: ECMA-48 5.4, xterm's ctlseqs, rxvt's and the Linux console's key
 * tables, and the kitty keyboard protocol. What is not known vanishes; a sequence broken off is forgotten
 * after a time, so that typing goes on. */
#include "tui/key.h"

#include "core/base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUF_MAX 65536
#define QUEUE_MAX 16
#define SEQ_MAX 64
#define BROKEN_MS 1000 /* a sequence that stops in the middle is dropped */
#define PASTE_MS 5000  /* so is the wait for the end of a paste: the text so far is delivered */
#define PARAMS_MAX 3
#define SUBS_MAX 8

enum state { GROUND, ESCAPE, CSI, LINUX_F, SS3, STRING, STRING_ESC, UTF8, PASTE, STATE__COUNT };

struct input {
  enum state state;
  us_t fed_at;
  bool alt;          /* the key to come follows an ESC */
  uint8_t intro;     /* of a STRING: it may have been Alt and this key */
  char seq[SEQ_MAX]; /* parameters and intermediates, or the bytes of a character */
  size_t seq_n, seq_need;
  bool seq_over;
  struct key queue[QUEUE_MAX];
  size_t queue_n;
  uint8_t buf[BUF_MAX];
  size_t head, len;
  size_t paste_n, end_n; /* end_n: bytes of the end mark seen */
  char paste[INPUT_PASTE_MAX + 1];
};

struct params {
  unsigned v[PARAMS_MAX][SUBS_MAX];
};

static const char paste_end[] = "\033[201~";

struct final {
  uint8_t final;
  uint8_t mods;
  uint32_t code;
};
static const struct final letter_keys[] = {
    /* CSI x and SS3 x */
    {'A', 0, KEY_UP},     {'B', 0, KEY_DOWN},   {'C', 0, KEY_RIGHT}, {'D', 0, KEY_LEFT},
    {'H', 0, KEY_HOME},   {'F', 0, KEY_END},    {'P', 0, KEY_F1},    {'Q', 0, KEY_F1 + 1},
    {'R', 0, KEY_F1 + 2}, {'S', 0, KEY_F1 + 3}, {0, 0, 0},
};
static const struct final csi_keys[] = {
    /* CSI x: back tab, rxvt's shifted arrows, focus */
    {'Z', 0, KEY_BACKTAB},      {'a', MOD_SHIFT, KEY_UP},
    {'b', MOD_SHIFT, KEY_DOWN}, {'c', MOD_SHIFT, KEY_RIGHT},
    {'d', MOD_SHIFT, KEY_LEFT}, {'I', 0, KEY_FOCUS_IN},
    {'O', 0, KEY_FOCUS_OUT},    {0, 0, 0},
};
static const struct final ss3_keys[] = {
    /* SS3 x: the keypad in application mode, rxvt's Ctrl-arrows */
    {'M', 0, KEY_ENTER},
    {'I', 0, KEY_TAB},
    {' ', 0, ' '},
    {'X', 0, '='},
    {'j', 0, '*'},
    {'k', 0, '+'},
    {'l', 0, ','},
    {'m', 0, '-'},
    {'n', 0, '.'},
    {'o', 0, '/'},
    {'p', 0, '0'},
    {'q', 0, '1'},
    {'r', 0, '2'},
    {'s', 0, '3'},
    {'t', 0, '4'},
    {'u', 0, '5'},
    {'v', 0, '6'},
    {'w', 0, '7'},
    {'x', 0, '8'},
    {'y', 0, '9'},
    {'a', MOD_CTRL, KEY_UP},
    {'b', MOD_CTRL, KEY_DOWN},
    {'c', MOD_CTRL, KEY_RIGHT},
    {'d', MOD_CTRL, KEY_LEFT},
    {0, 0, 0},
};

struct number {
  unsigned n;
  uint32_t code;
};
static const struct number tilde_keys[] = {
    /* CSI n ~ */
    {1, KEY_HOME},    {2, KEY_INSERT},  {3, KEY_DELETE},  {4, KEY_END},      {5, KEY_PGUP},
    {6, KEY_PGDN},    {7, KEY_HOME},    {8, KEY_END},     {11, KEY_F1},      {12, KEY_F1 + 1},
    {13, KEY_F1 + 2}, {14, KEY_F1 + 3}, {15, KEY_F1 + 4}, {17, KEY_F1 + 5},  {18, KEY_F1 + 6},
    {19, KEY_F1 + 7}, {20, KEY_F1 + 8}, {21, KEY_F1 + 9}, {23, KEY_F1 + 10}, {24, KEY_F12},
    {0, 0},
};
static const struct number kitty_keys[] = {
    /* CSI n u: what is no text */
    {9, KEY_TAB},
    {13, KEY_ENTER},
    {27, KEY_ESC},
    {127, KEY_BACKSPACE},
    {57409, '.'},
    {57410, '/'},
    {57411, '*'},
    {57412, '-'},
    {57413, '+'},
    {57414, KEY_ENTER},
    {57415, '='},
    {57416, ','},
    {57417, KEY_LEFT},
    {57418, KEY_RIGHT},
    {57419, KEY_UP},
    {57420, KEY_DOWN},
    {57421, KEY_PGUP},
    {57422, KEY_PGDN},
    {57423, KEY_HOME},
    {57424, KEY_END},
    {57425, KEY_INSERT},
    {57426, KEY_DELETE},
    {0, 0},
};

static const struct final *find_final(const struct final *table, uint8_t final) {
  for (; table->final; table++)
    if (table->final == final)
      return table;
  return NULL;
}

static uint32_t find_number(const struct number *table, unsigned n) {
  for (; table->n; table++)
    if (table->n == n)
      return table->code;
  return KEY_NONE;
}

static void emit(struct input *in, uint32_t code, unsigned mods, enum key_phase phase) {
  assert(in->queue_n + 2 <= QUEUE_MAX);
  if (in->alt && code >= KEY_PASTE) { /* an event has no Alt: the ESC before it was a key */
    in->queue[in->queue_n++] = (struct key){.code = KEY_ESC};
    in->alt = false;
  }
  in->queue[in->queue_n++] = key_normal(code, mods | (in->alt ? MOD_ALT : 0U), phase);
  in->alt = false;
}

static void go(struct input *in, enum state s) {
  in->state = s;
  in->seq_n = 0;
  in->seq_over = false;
  if (s == GROUND)
    in->alt = false;
}

static void keep(struct input *in, uint8_t b) {
  if (in->seq_n < SEQ_MAX)
    in->seq[in->seq_n++] = (char)b;
  else
    in->seq_over = true;
}

static void emit_control(struct input *in, uint8_t b) {
  switch (b) {
  case '\r':
  case '\n':
    emit(in, KEY_ENTER, 0, KEY_PRESS);
    break;
  case '\t':
    emit(in, KEY_TAB, 0, KEY_PRESS);
    break;
  case 0x08:
  case 0x7f:
    emit(in, KEY_BACKSPACE, 0, KEY_PRESS);
    break;
  case 0:
    emit(in, ' ', MOD_CTRL, KEY_PRESS);
    break;
  default: /* Ctrl-a .. Ctrl-z, then \ ] ^ _ */
    emit(in, b + (b <= 26 ? 0x60U : 0x40U), MOD_CTRL, KEY_PRESS);
  }
}

static void step_ground(struct input *in, uint8_t b) {
  if (b == 0x1b) {
    go(in, ESCAPE);
  } else if (b < 0x20 || b == 0x7f) {
    emit_control(in, b);
    go(in, GROUND);
  } else if (b < 0x80) {
    emit(in, b, 0, KEY_PRESS);
    go(in, GROUND);
  } else if (b >= 0xc2 && b <= 0xf4) {
    bool alt = in->alt;
    go(in, UTF8);
    in->alt = alt;
    in->seq_need = b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
    keep(in, b);
  } else {
    go(in, GROUND);
  }
}

static void step_utf8(struct input *in, uint8_t b) {
  if ((b & 0xc0) != 0x80) { /* broken off: the lead vanishes, this byte counts */
    go(in, GROUND);
    step_ground(in, b);
    return;
  }
  keep(in, b);
  if (in->seq_n < in->seq_need)
    return;
  const char *p = in->seq;
  if (text_utf8_valid(in->seq, in->seq_n)) {
    uint32_t cp = text_utf8_next(&p, in->seq + in->seq_n);
    if (text_cp_safe(cp))
      emit(in, cp, 0, KEY_PRESS);
  }
  go(in, GROUND);
}

static void step_escape(struct input *in, uint8_t b) {
  switch (b) {
  case 0x1b: /* ESC ESC [ A is rxvt's Alt-Up; a third ESC proves the first was a key */
    if (in->alt) {
      in->alt = false;
      emit(in, KEY_ESC, 0, KEY_PRESS);
    }
    in->alt = true;
    break;
  case '[':
    go(in, CSI);
    break;
  case 'O':
    go(in, SS3);
    break;
  case 'P':
  case ']':
  case '_':
  case '^':
  case 'X':
    go(in, STRING);
    in->intro = b;
    break;
  default:
    in->alt = true;
    step_ground(in, b);
  }
}

/* parse: "1:2;3" into numbers, missing ones 0; digits beyond reason saturate. */
static struct params parse(const char *seq, size_t n) {
  struct params p = {0};
  size_t param = 0, sub = 0;
  for (size_t i = 0; i < n && param < PARAMS_MAX; i++) {
    if (seq[i] == ';') {
      param++;
      sub = 0;
    } else if (seq[i] == ':') {
      sub++;
    } else if (sub < SUBS_MAX && p.v[param][sub] < 0x110000) {
      p.v[param][sub] = p.v[param][sub] * 10 + (unsigned)(seq[i] - '0');
    }
  }
  return p;
}

/* modifiers: the second parameter: mods + 1, and after a colon the event; false for what we have no word for
 * (Super, Hyper). */
static bool modifiers(const struct params *p, unsigned *mods, enum key_phase *phase) {
  unsigned bits = p->v[1][0] ? p->v[1][0] - 1 : 0, event = p->v[1][1] ? p->v[1][1] : 1;
  if ((bits & 0x38) || bits > 0xff || event > 3)
    return false;
  *mods = bits & 7; /* Caps and Num Lock are no modifiers */
  *phase = event == 1 ? KEY_PRESS : event == 2 ? KEY_REPEAT : KEY_RELEASE;
  return true;
}

static void emit_text(struct input *in, uint32_t cp, unsigned mods, enum key_phase phase) {
  if (text_cp_safe(cp) && cp != KEY_NONE)
    emit(in, cp, mods, phase);
}

/* csi_u: kitty's CSI code:shifted:base ; mods:event ; text u */
static void csi_u(struct input *in, const struct params *p) {
  unsigned mods, code = p->v[0][0];
  enum key_phase phase;
  if (!modifiers(p, &mods, &phase))
    return;
  uint32_t named = find_number(kitty_keys, code);
  if (named != KEY_NONE) {
    emit(in, named, mods, phase);
  } else if (p->v[2][0] && !(mods & (MOD_CTRL | MOD_ALT))) {
    for (size_t i = 0; i < SUBS_MAX && p->v[2][i]; i++)
      emit_text(in, p->v[2][i], 0, phase);
  } else if (code >= 57399 && code <= 57408) {
    emit(in, '0' + (code - 57399), mods, phase);
  } else if (code >= 0xe000 && code <= 0xf8ff) {
    return; /* other functional keys: lock, media, the modifiers themselves */
  } else if ((mods & MOD_SHIFT) && p->v[0][1] && !(mods & MOD_CTRL)) {
    emit_text(in, p->v[0][1], mods & ~(unsigned)MOD_SHIFT, phase);
  } else {
    emit_text(in, code, mods, phase);
  }
}

static void csi_number(struct input *in, const struct params *p, uint8_t final) {
  unsigned n = p->v[0][0], mods;
  enum key_phase phase;
  if (n == 27 && final == '~') { /* xterm's modifyOtherKeys: CSI 27 ; mods ; code ~ */
    struct params u = {.v = {{p->v[2][0]}, {p->v[1][0]}}};
    csi_u(in, &u);
    return;
  }
  uint32_t code = find_number(tilde_keys, n);
  if (code == KEY_NONE || !modifiers(p, &mods, &phase))
    return;
  static const struct final rxvt[] = {
      {'$', MOD_SHIFT, 0}, {'^', MOD_CTRL, 0}, {'@', MOD_SHIFT | MOD_CTRL, 0}, {0, 0, 0}};
  const struct final *more = find_final(rxvt, final);
  emit(in, code, mods | (more ? more->mods : 0U), phase);
}

static void csi_letter(struct input *in, const struct params *p, uint8_t final) {
  const struct final *key = find_final(letter_keys, final);
  unsigned mods;
  enum key_phase phase;
  if (!key)
    key = find_final(csi_keys, final);
  if (key && p->v[0][0] <= 1 && modifiers(p, &mods, &phase))
    emit(in, key->code, mods | key->mods, phase);
}

/* mouse: SGR report CSI < button ; x ; y M (pressed) or m. Motion, other buttons and releases are not wanted.
 */
static void mouse(struct input *in, const char *seq, size_t n, uint8_t final) {
  struct params p = parse(seq, n);
  unsigned button = p.v[0][0] & ~28U; /* without shift, alt, ctrl */
  uint32_t code = button == 0    ? KEY_CLICK
                  : button == 64 ? KEY_WHEEL_UP
                  : button == 65 ? KEY_WHEEL_DOWN
                                 : KEY_NONE;
  if (final != 'M' || code == KEY_NONE || p.v[1][0] == 0 || p.v[2][0] == 0)
    return;
  emit(in, code, 0, KEY_PRESS);
  in->queue[in->queue_n - 1].x = (uint16_t)(p.v[1][0] - 1 < 9999 ? p.v[1][0] - 1 : 9999);
  in->queue[in->queue_n - 1].y = (uint16_t)(p.v[2][0] - 1 < 9999 ? p.v[2][0] - 1 : 9999);
}

static void csi_done(struct input *in, uint8_t final) {
  const char *seq = in->seq;
  size_t n = in->seq_n;
  if (n > 0 && seq[0] == '<' && !in->seq_over && strspn(seq + 1, "0123456789;") >= n - 1) {
    mouse(in, seq + 1, n - 1, final);
    return;
  }
  bool private = n && seq[0] == '?';
  for (size_t i = private; i < n; i++)
    if ((seq[i] < '0' || seq[i] > '9') && seq[i] != ':' && seq[i] != ';')
      return; /* an intermediate or another private mark */
  struct params p = parse(seq + private, n - private);
  if (in->seq_over)
    return;
  if (private) {
    if (final == 'u')
      emit(in, KEY_KITTY, p.v[0][0] & 31, KEY_PRESS);
  } else if (final == 'u') {
    csi_u(in, &p);
  } else if (strchr("~^$@", final)) {
    csi_number(in, &p, final);
  } else if (final == 'n') {
    if (n == 1 && p.v[0][0] == 0)
      emit(in, KEY_RECEIPT, 0, KEY_PRESS);
  } else {
    csi_letter(in, &p, final);
  }
}

/* is_shift_final: rxvt ends its shifted keys with '$' (CSI 3 $), which is an intermediate everywhere else
 * (CSI ? 1 ; 2 $ y). */
static bool is_shift_final(const struct input *in) {
  for (size_t i = 0; i < in->seq_n; i++)
    if (in->seq[i] < '0' || in->seq[i] > '9')
      return false;
  return in->seq_n > 0;
}

static void step_csi(struct input *in, uint8_t b) {
  if (b == '[' && in->seq_n == 0) {
    go(in, LINUX_F);
  } else if (b < 0x20 || b >= 0x7f) { /* broken off: the sequence vanishes, this byte counts */
    go(in, GROUND);
    step_ground(in, b);
  } else if (b < 0x40 && !(b == '$' && is_shift_final(in))) {
    keep(in, b);
  } else if (b == '~' && !in->seq_over && in->seq_n == 3 && memcmp(in->seq, "200", 3) == 0) {
    go(in, PASTE);
    in->paste_n = in->end_n = 0;
  } else {
    csi_done(in, b);
    go(in, GROUND);
  }
}

static void step_linux(struct input *in, uint8_t b) {
  if (b >= 'A' && b <= 'E')
    emit(in, KEY_F1 + (uint32_t)(b - 'A'), 0, KEY_PRESS);
  go(in, GROUND);
  if (b < 0x20 || b >= 0x7f)
    step_ground(in, b);
}

static void step_ss3(struct input *in, uint8_t b) {
  if (b >= '0' && b <= '9') { /* SS3 5 A: modifiers of old xterm and konsole */
    keep(in, b);
    return;
  }
  const struct final *key = find_final(letter_keys, b);
  struct params p = parse(in->seq, in->seq_n);
  unsigned mods;
  enum key_phase phase;
  p.v[1][0] = p.v[0][0];
  if (!key)
    key = find_final(ss3_keys, b);
  if (key && modifiers(&p, &mods, &phase))
    emit(in, key->code, mods | key->mods, phase);
  go(in, GROUND);
  if (b < 0x20 || b >= 0x7f)
    step_ground(in, b);
}

/* OSC, DCS, APC, PM, SOS: answers nobody asked for; swallowed up to ST, BEL, CAN or SUB. */
static void step_string(struct input *in, uint8_t b) {
  in->seq_n = 1; /* it is a string now, not Alt and a letter */
  if (b == 0x1b)
    in->state = STRING_ESC;
  else if (b == 0x07 || b == 0x18 || b == 0x1a)
    go(in, GROUND);
}

static void step_string_esc(struct input *in, uint8_t b) {
  in->alt = false;
  go(in, b == '\\' ? GROUND : ESCAPE);
  if (b != '\\')
    step_escape(in, b);
}

/* clean_paste: valid UTF-8 without controls, line ends as '\n', tabs as blanks; in place, it only shrinks. */
static void clean_paste(struct input *in) {
  const char *p = in->paste, *end = in->paste + in->paste_n;
  char *out = in->paste;
  while (p < end) {
    const char *at = p;
    uint32_t cp = text_utf8_next(&p, end);
    if (cp == '\r') {
      if (p < end && *p == '\n')
        p++;
      cp = '\n';
    } else if (cp == '\t') {
      cp = ' ';
    } else if (cp == 0xfffd && p - at < 3) { /* an invalid byte, not a real U+FFFD */
      continue;
    }
    if (cp == '\n' || text_cp_safe(cp))
      out += text_utf8_put(cp, out);
  }
  *out = '\0';
}

static void finish_paste(struct input *in) {
  clean_paste(in);
  emit(in, KEY_PASTE, 0, KEY_PRESS);
  go(in, GROUND);
}

static void step_paste(struct input *in, uint8_t b) {
  if (b != (uint8_t)paste_end[in->end_n]) { /* what looked like the end mark was text; ESC only begins it, so
                                               no overlap */
    for (size_t i = 0; i < in->end_n && in->paste_n < INPUT_PASTE_MAX; i++)
      in->paste[in->paste_n++] = paste_end[i];
    in->end_n = 0;
  }
  if (b == (uint8_t)paste_end[in->end_n])
    in->end_n++;
  else if (in->paste_n < INPUT_PASTE_MAX)
    in->paste[in->paste_n++] = (char)b;
  if (in->end_n == sizeof paste_end - 1)
    finish_paste(in);
}

/* What happens when nothing follows: an introducer alone was Alt and that key. */
static void expire_escape(struct input *in) {
  bool twice = in->alt;
  go(in, GROUND);
  emit(in, KEY_ESC, 0, KEY_PRESS);
  if (twice)
    emit(in, KEY_ESC, 0, KEY_PRESS);
}

static void expire_introducer(struct input *in) {
  bool bare = in->seq_n == 0;
  uint8_t key = in->state == CSI ? '[' : in->state == SS3 ? 'O' : in->intro;
  go(in, GROUND);
  if (bare)
    emit(in, key, MOD_ALT, KEY_PRESS);
}

static void expire_drop(struct input *in) {
  go(in, GROUND);
}

static const struct {
  void (*step)(struct input *, uint8_t);
  void (*expire)(struct input *);
  int bare_ms, ms; /* the wait while nothing follows the introducer, and later */
} states[STATE__COUNT] = {
    [GROUND] = {step_ground, NULL, 0, 0},
    [ESCAPE] = {step_escape, expire_escape, INPUT_ESC_MS, INPUT_ESC_MS},
    [CSI] = {step_csi, expire_introducer, INPUT_ESC_MS, BROKEN_MS},
    [LINUX_F] = {step_linux, expire_drop, BROKEN_MS, BROKEN_MS},
    [SS3] = {step_ss3, expire_introducer, INPUT_ESC_MS, BROKEN_MS},
    [STRING] = {step_string, expire_introducer, INPUT_ESC_MS, BROKEN_MS},
    [STRING_ESC] = {step_string_esc, expire_drop, BROKEN_MS, BROKEN_MS},
    [UTF8] = {step_utf8, expire_drop, BROKEN_MS, BROKEN_MS},
    [PASTE] = {step_paste, finish_paste, PASTE_MS, PASTE_MS},
};

struct input *input_create(void) {
  return calloc(1, sizeof(struct input));
}

void input_destroy(struct input *in) {
  free(in);
}

void input_feed(struct input *in, us_t now, const void *bytes, size_t n) {
  if (n == 0)
    return;
  memmove(in->buf, in->buf + in->head, in->len - in->head);
  in->len -= in->head;
  in->head = 0;
  if (n > BUF_MAX - in->len)
    n = BUF_MAX - in->len;
  memcpy(in->buf + in->len, bytes, n);
  in->len += n;
  in->fed_at = now;
}

static us_t deadline(const struct input *in) {
  if (in->state == GROUND)
    return US_NEVER;
  return in->fed_at + US_PER_MS * (in->seq_n ? states[in->state].ms : states[in->state].bare_ms);
}

bool input_poll(struct input *in, us_t now, struct key *out) {
  while (in->queue_n == 0) {
    if (in->head < in->len)
      states[in->state].step(in, in->buf[in->head++]);
    else if (now >= deadline(in))
      states[in->state].expire(in);
    else
      return false;
  }
  *out = in->queue[0];
  in->queue_n--;
  memmove(in->queue, in->queue + 1, in->queue_n * sizeof in->queue[0]);
  return true;
}

us_t input_next_timeout(const struct input *in) {
  return in->queue_n || in->head < in->len ? in->fed_at : deadline(in);
}

const char *input_paste(const struct input *in) {
  return in->paste;
}
