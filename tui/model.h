/* model.h: everything the screen shows, and nothing about how: the replica of the room, who talks, notices,
 * what is selected, what is asked. Views read it; keys and client events change it. No drawing, no client
 * calls.
 *
 * Invariant: the cursor and the marks hold people's ids, never rows; the list is in order of joining and
 * never re-sorts, so an act cannot hit the wrong person. A question holds its own targets. What must be done
 * outside (acts, microphone, bell) waits in the outbox. Pure: time is passed in. One thread. */
#ifndef GAVEL_TUI_MODEL_H
#define GAVEL_TUI_MODEL_H

#include "core/base/clock.h"
#include "core/session/client.h"
#include "tui/lineedit.h"
#include "tui/meter.h"
#include "tui/say.h"

#define MODEL_LINES_MAX 1000
#define MODEL_MARKS_MAX 256 /* also the most people one act names: the wire's limit */
#define MODEL_TALK_HOLD_US (300 * US_PER_MS)
#define MODEL_KNOCK_AGAIN_US (30 * US_PER_S)
#define MODEL_TOAST_US (8 * US_PER_S)
#define MODEL_UNDO_US (ROOM_UNDO_MS * US_PER_MS)

enum model_pane { PANE_PEOPLE, PANE_CHAT, PANE__COUNT };
enum model_mode {
  MODE_KEYS,    /* letters are keys */
  MODE_CHAT,    /* typing a message */
  MODE_COMMAND, /* typing a `:` command */
  MODE_FILTER,  /* typing a part of a name */
  MODE_ASK,     /* a question is open */
  MODE_HELP,    /* the list of keys; typing filters */
  MODE_PAGE     /* a page of text: log, link, devices */
};

/* An act with all it needs, by value: what a key or a `:` line became. */
struct order {
  enum act act;
  uint32_t targets[MODEL_MARKS_MAX];
  size_t n_targets;
  int64_t num;
  char text[TEXT_CHAT_MAX + 1];
};
enum intent_kind {
  INTENT_ACT,   /* order */
  INTENT_GATE,  /* on */
  INTENT_LEAVE, /* leave politely and end */
  INTENT_REDRAW,
  INTENT_SUSPEND,
  INTENT_THEME,   /* text: name */
  INTENT_COPY,    /* text */
  INTENT_AUDIO,   /* text: input; text2: output */
  INTENT_DEVICES, /* list them on a page */
  INTENT_BELL,
  INTENT_NOTIFY /* text: desktop notice, for when the terminal has no focus */
};
struct intent {
  enum intent_kind kind;
  bool on;
  struct order order;
  char text[640], text2[128];
};
#define OUTBOX_MAX 8

enum ask_kind { ASK_NOTHING, ASK_ACT, ASK_UNMUTE, ASK_QUIT };
struct question {
  enum ask_kind kind;
  char text[SAY_MAX]; /* "Remove bob from standup?" */
  char other;         /* a second answer: 'b' (and ban), 'e' (end for everyone); 0 for none */
  const char *yes, *other_word, *no;
  struct order order;
};

struct model_line { /* one entry of the chat pane: a notice, or a message by its id */
  int64_t ts_ms;
  uint64_t chat; /* 0: a notice */
  enum style style;
  char text[SAY_MAX];
};
struct model_talk {
  uint32_t member;
  struct meter meter;
  us_t since, until; /* when he began, and when the mark goes unless he goes on */
};

#define MODEL_WEAK_MAX 64
struct model_weak { /* someone whose line is not good */
  uint32_t member;
  uint8_t quality; /* 1 weak, 2 bad */
};

struct model {
  struct room room;
  bool have_room;
  uint32_t me;
  enum client_state state;
  enum err why;
  char end_text[640];
  unsigned place, waiting; /* own place while in the lobby */

  enum client_mic mic;
  uint8_t level;
  bool muted_talk, no_audio;
  bool gate;             /* the microphone is open on this side */
  const char *ptt_words; /* "TALK (hold)" ...; NULL: no push-to-talk in force */
  struct client_link link;
  struct model_talk talk[CLIENT_LEVELS_MAX];
  struct model_weak weak[MODEL_WEAK_MAX];
  size_t n_weak;

  struct model_line *lines; /* oldest first */
  size_t n_lines;
  uint64_t chat_last; /* newest message already among the lines */
  size_t unread;      /* messages since the chat was last looked at */

  char toast[SAY_MAX + 32];
  enum style toast_style;
  us_t toast_until;
  uint64_t toast_group;
  uint64_t mute_all_group; /* the newest mute-all: who was muted with it needs no line */
  unsigned toast_people;   /* events of that group so far */
  char said[SAY_MAX];      /* the sentence of the last event, "" for none; for line mode */
  enum style said_style;
  us_t knock_next; /* when the bell rings again for those who wait */

  enum model_mode mode;
  enum model_pane pane;
  uint32_t cursor;   /* a person's id; 0: nobody */
  size_t cursor_row; /* where he was, for the next arrow when he is gone */
  uint32_t marks[MODEL_MARKS_MAX];
  size_t n_marks;
  size_t scroll; /* lines back from the newest, or into the help or page */
  char filter[TEXT_NAME_MAX + 1];
  struct lineedit *chat, *command,
      *search; /* the lines of MODE_CHAT, MODE_COMMAND, MODE_FILTER and MODE_HELP */
  struct question ask;
  struct question asked; /* by someone else: opens when nothing is being typed (pilot_tick), kind says whether
                            one waits */
  us_t ask_since;
  size_t help_row;
  char page_title[80];
  char *page;                        /* text of MODE_PAGE, malloc'd */
  char link_room[TEXT_SLUG_MAX + 1]; /* what the link calls the room, before the room itself is seen */
  char invite[LINK_MAX];             /* the newest link this session made or was given */
  bool invite_new;                   /* the link came this moment: pilot_tick shows it */
  bool zoom, readonly, footer_hidden, ascii;
  int utc_offset_s; /* of the local time zone */

  struct intent outbox[OUTBOX_MAX];
  size_t n_outbox;
};

/* model_create: before any room; NULL without memory. model_destroy: NULL is fine. */
struct model *model_create(void);
void model_destroy(struct model *m);

/* model_update: take over a client event with what it owns. `now` is the monotonic clock. */
void model_update(struct model *m, struct client_event *ev, us_t now);
/* model_tick: let talk marks and toasts run out, ring for those who wait. True when the screen changes.
 * model_next_tick: when that must be called again (US_NEVER: not before the next event). */
bool model_tick(struct model *m, us_t now);
us_t model_next_tick(const struct model *m);

/* model_intent: a new intent at the end of the outbox, zeroed; when it is full the oldest is dropped. The
 * borrowed pointer is good until the next call. model_take: moves the oldest out. */
struct intent *model_intent(struct model *m, enum intent_kind kind);
bool model_take(struct model *m, struct intent *out);
void model_act(struct model *m, const struct order *o);

/* model_toast: one sentence over the footer. model_note: one line in the chat pane. model_page: opens a page;
 * takes `text`. */
void model_toast(struct model *m, us_t now, enum style s, const char *text);
void model_note(struct model *m, int64_t ts_ms, enum style s, const char *text);
void model_page(struct model *m, const char *title, char *text);
/* model_close: back to the keys: what is typed in the search line is forgotten, a chat draft stays. */
void model_close(struct model *m);

/* model_self: the own member, NULL before the room is known. */
const struct member *model_self(const struct model *m);
bool model_is_moderator(const struct model *m);
/* model_list: ids as the list shows them, filter applied: those who wait, then those here or away, by order
 * of joining. Returns how many there are, of which at most cap are stored; *n_waiting of them wait. */
size_t model_list(const struct model *m, uint32_t *ids, size_t cap, size_t *n_waiting);
/* model_move: the cursor by `delta` rows of that list. */
void model_move(struct model *m, int delta);
bool model_marked(const struct model *m, uint32_t id);
void model_mark(struct model *m, uint32_t id); /* toggles */
/* model_quality: of a person's line: 0 good or not known, 1 weak, 2 bad. */
uint8_t model_quality(const struct model *m, uint32_t id);
/* model_talk: someone who is heard now, or NULL. */
const struct model_talk *model_talk(const struct model *m, uint32_t id, us_t now);
/* model_edit: the line being typed in this mode, or NULL. */
struct lineedit *model_edit(const struct model *m);
/* model_mic_words: the microphone in words for the status line: "MIC OFF", "ON AIR", "MUTED BY HOST", ... */
const char *model_mic_words(const struct model *m);
/* model_end_words: why it is over, without a full stop: "a host removed you from the room: too loud". */
void model_end_words(const struct model *m, char out[SAY_MAX]);
/* model_clock: "HH:MM" local. */
void model_clock(const struct model *m, int64_t ts_ms, char out[8]);

#endif
