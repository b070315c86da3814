/* model.h: everything the screen shows, and nothing about how: the replica of the room, who talks, notices,
 * what is selected, what is asked. Views read it; keys and client events change it. No drawing, no client
 * calls.
 *
 * Invariant: the cursor and the marks hold people's ids, never rows, so an act cannot hit the wrong person. A
 * question holds its own targets. What must be done outside (acts, microphone, bell) waits in the outbox.
 * Pure: time is passed in. One thread.
 *
 * The list stands still while a question, the menu, a page or any line but the chat's is open, and for
 * MODEL_STILL_US after a key moved the cursor: nobody is sorted anew, newcomers come last in their group, and
 * who goes leaves an empty row. Then it is put in order again. Always: the cursor goes with its person; when
 * he leaves (the room, or the pane of the lobby or the hands) it stands on nobody until the next arrow, which
 * begins where he stood. */
#ifndef GAVEL_TUI_MODEL_H
#define GAVEL_TUI_MODEL_H

#include "core/base/clock.h"
#include "core/session/client.h"
#include "core/wire/act_words.h"
#include "tui/lineedit.h"
#include "tui/meter.h"
#include "tui/say.h"

#define MODEL_LINES_MAX 1000
#define MODEL_MARKS_MAX ACT_ORDER_TARGETS_MAX
#define MODEL_TALK_HOLD_US (300 * US_PER_MS)
#define MODEL_KNOCK_AGAIN_US (30 * US_PER_S)
#define MODEL_OTHER_AGAIN_US (5 * US_PER_S) /* as often as the server learns of a line */
#define MODEL_TOAST_US (8 * US_PER_S)
#define MODEL_UNDO_WORDS " - u undoes" /* ends a toast; views keep it whole */
#define MODEL_CROWD_MS 10000           /* knocks within so long are one line; so are joins and leaves */
#define MODEL_UNDO_US (ROOM_UNDO_MS * US_PER_MS)

#define MODEL_STILL_US (2 * US_PER_S)
#define MODEL_RESORT_US (5 * US_PER_S) /* talk time and line quality sort the list at most so often */
#define MODEL_LIST_MAX (ROOM_MEMBERS_MAX + ROOM_WAITING_MAX)
#define MODEL_DEEDS_MAX 200
#define MODEL_LARGE 50 /* with more people inside, who comes and goes is told in the log only */
#define MODEL_SENT_MAX 16
#define MODEL_ASKED_US (30 * US_PER_S) /* who is asked to unmute and does not answer stays muted */

/* In the order of Tab. LOG: what happened, without the chat. CARD: the person of the cursor. */
enum model_pane { PANE_PEOPLE, PANE_LOBBY, PANE_HANDS, PANE_CHAT, PANE_LOG, PANE_CARD, PANE__COUNT };
enum model_sort { SORT_JOINED, SORT_NAME, SORT_HAND, SORT_TALK, SORT_LINE, SORT__COUNT };
/* Groups of the people list; without by_role all who are inside are EVERYONE. */
enum model_group {
  GROUP_WAITING,
  GROUP_EVERYONE,
  GROUP_HOSTS,
  GROUP_SPEAKERS,
  GROUP_AUDIENCE,
  GROUP_MONITORS,
  GROUP__COUNT
};
/* A row that is no person: the title of a group (the cursor may stand on it when grouped by role: no act
 * finds a person there), or the empty row of someone who left. */
#define MODEL_TITLE(group) (UINT32_MAX - GROUP__COUNT + (uint32_t)(group))
#define MODEL_ROW_LEFT 0U
enum model_mode {
  MODE_KEYS,    /* letters are keys */
  MODE_CHAT,    /* typing a message */
  MODE_COMMAND, /* typing a `:` command */
  MODE_FILTER,  /* typing a part of a name */
  MODE_ASK,     /* a question is open */
  MODE_HELP,    /* the list of keys; typing filters */
  MODE_PAGE,    /* a page of text: log, link, devices */
  MODE_MENU     /* groups of commands, then the commands of one (menu.h) */
};

enum intent_kind {
  INTENT_ACT,   /* order */
  INTENT_GATE,  /* on */
  INTENT_LEAVE, /* leave politely and end */
  INTENT_REDRAW,
  INTENT_SUSPEND,
  INTENT_THEME,     /* text: name */
  INTENT_COPY,      /* text, or when that is empty the newest part of the page */
  INTENT_AUDIO,     /* text: input; text2: output */
  INTENT_DEVICES,   /* list them on a page */
  INTENT_BANDWIDTH, /* kbps */
  INTENT_PRIVACY,   /* on: withdraw the consent; else ask what is stored */
  INTENT_OTHER,     /* member: how good his line is */
  INTENT_HISTORY,   /* messages older than the replica's oldest */
  INTENT_BELL,
  INTENT_MOUSE,  /* on */
  INTENT_NOTIFY, /* text: what needs the person; text2: its kind, as hooks know it */
  INTENT_SAVE    /* write model.page to the file `text`, readable by its owner only */
};
struct intent {
  enum intent_kind kind;
  bool on;
  struct act_order order;
  char text[640], text2[128];
  unsigned kbps;
  uint32_t member;
  uint32_t remote; /* who waits for the answer (reach.h), 0: nobody */
};
#define OUTBOX_MAX 8

enum ask_kind { ASK_NOTHING, ASK_ACT, ASK_UNMUTE, ASK_QUIT };
struct question {
  enum ask_kind kind;
  char text[SAY_MAX]; /* "Remove bob from standup?" */
  char other;         /* a second answer: 'b' (and ban), 'e' (end for everyone); 0 for none */
  const char *yes, *other_word, *no;
  struct act_order order;
  us_t until;     /* then it answers itself with No; 0: never */
  uint32_t check; /* ticket of the ban_check that was sent with it, 0: none known */
  bool checking;  /* its reply adds whom a ban would also hit */
};
/* MODE_MENU: on whom it works is frozen when it opens. */
struct menu {
  bool open;      /* a group is chosen */
  unsigned group; /* enum act_group, or ACT_GROUP__COUNT: the screen's own commands */
  size_t row;     /* the line of Enter */
  uint32_t marks[MODEL_MARKS_MAX], cursor;
  size_t n_marks;
};

struct model_line { /* one entry of the chat pane: a notice, or a message by its id */
  int64_t ts_ms;
  uint64_t chat; /* 0: a notice */
  bool quiet;    /* for the log alone: who comes and goes in a large room */
  enum style style;
  char text[SAY_MAX];
  enum room_ev crowd; /* what n people did one after the other: one line for all of them; CREATED: none */
  uint64_t group;     /* of the act that let them in */
  unsigned n;
};
struct model_talk {
  uint32_t member;
  struct meter meter;
  us_t since, until; /* when he began, and when the mark goes unless he goes on */
  us_t fed;          /* when he was heard last */
};

struct model_deed { /* an act on people, for their cards */
  int64_t ts_ms;
  enum style style;
  uint32_t *who; /* owned */
  size_t n;
  char text[SAY_MAX];
};
struct roster; /* model_people.c's own: who is in the list and in which order, talk times */

#define MODEL_WEAK_MAX 64
struct model_weak { /* someone whose line is not good */
  uint32_t member;
  uint8_t quality; /* 1 weak, 2 bad */
};

struct model {
  struct room room;
  struct roster *roster;
  bool have_room;
  us_t now;             /* of the newest update or tick */
  int64_t wall_ms_at_0; /* wall time minus the monotonic clock: set by the shell, for countdowns */
  us_t clock_next;      /* when a countdown shows another second */
  uint32_t me;
  enum client_state state;
  enum err why;
  char end_text[640];
  unsigned place, waiting; /* own place while in the lobby */

  enum client_mic mic;
  uint8_t level;
  bool muted_talk, no_audio;
  bool within;           /* gavel watch goes on when this room is left */
  bool gate;             /* the microphone is open on this side */
  const char *ptt_words; /* "TALK (hold)" ...; NULL: no push-to-talk in force */
  struct client_link link;
  struct client_other other; /* of whom the card shows, when this person moderates */
  uint32_t other_of;         /* his id, 0: nobody */
  us_t other_next;           /* when that is asked for again */
  us_t other_until;          /* so long what is known of it is shown */
  struct model_talk talk[CLIENT_LEVELS_MAX];
  struct model_weak weak[MODEL_WEAK_MAX];
  size_t n_weak;

  struct model_line *lines; /* oldest first */
  size_t n_lines;
  uint64_t chat_last; /* newest message already among the lines */
  enum model_history { HISTORY_MORE, HISTORY_ASKED, HISTORY_END } history; /* older messages */
  size_t unread;            /* messages since the chat was last looked at */
  struct model_deed *deeds; /* a ring; the newest before deed_next */
  size_t deed_next;

  int64_t maintenance_ms; /* the server goes down then; 0: nothing is planned */
  char maintenance[SAY_MAX];

  char toast[SAY_MAX + 32];
  enum style toast_style;
  us_t toast_until;
  uint64_t toast_group;
  unsigned toast_rank;              /* how much the event told is the act itself (model_tell.c) */
  unsigned toast_people;            /* let in by that group so far */
  uint64_t mute_all_group;          /* the newest mute-all: who was muted with it needs no line */
  uint64_t time_up_group;           /* likewise talk time that ran out: whose floor was taken */
  uint64_t final_group;             /* the newest act that undo cannot take back */
  char crowd[2][TEXT_NAME_MAX + 1]; /* the first two names of the newest line of a crowd */
  char said[SAY_MAX];               /* the sentence of the last event, "" for none; for line mode */
  enum style said_style;
  us_t knock_next; /* when the bell rings again for those who wait */

  enum model_mode mode;
  enum model_pane pane;
  uint32_t cursor;      /* a person's id; 0: nobody */
  size_t cursor_row;    /* where he was, for the next arrow when he is gone */
  enum model_sort sort; /* model_sort_set */
  bool by_role;         /* grouped by role; model_group_set */
  bool folded[GROUP__COUNT];
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
  struct menu menu;
  size_t help_row;
  struct {
    uint32_t ticket;
    enum act act;
    bool quiet;           /* a question sent it, nobody asked for the answer */
  } sent[MODEL_SENT_MAX]; /* acts whose reply has more to say than done: a ring */
  size_t sent_next;
  char save_as[256]; /* where the next attendance list goes, "": only onto the screen */
  char page_title[80];
  char *security; /* how everything is protected, in lines, malloc'd; NULL: not known yet */
  char *page;     /* text of MODE_PAGE, malloc'd */
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
void model_act(struct model *m, const struct act_order *o);
/* model_sent: an act of the outbox went out under this ticket. */
void model_sent(struct model *m, uint32_t ticket, enum act act);

/* model_toast: one sentence over the footer. model_note: one line in the chat pane. model_page: opens a page;
 * takes `text`. */
void model_toast(struct model *m, us_t now, enum style s, const char *text);
void model_note(struct model *m, int64_t ts_ms, enum style s, const char *text);
void model_page(struct model *m, const char *title, char *text);
/* model_ask: opens the question m->ask; the toast goes unless it was made this moment, with the question. */
void model_ask(struct model *m, us_t now);
/* model_close: back to the keys: what is typed in the search line is forgotten, a chat draft stays. */
void model_close(struct model *m);

/* model_self: the own member, NULL before the room is known. */
const struct member *model_self(const struct model *m);
bool model_is_moderator(const struct model *m);
/* model_list: ids as the list shows them, filter applied: those who wait, then those here or away, sorted; no
 * titles, nobody of a folded group, no empty rows. Returns how many there are, of which at most cap are
 * stored; *n_waiting of them wait. */
size_t model_list(const struct model *m, uint32_t *ids, size_t cap, size_t *n_waiting);
/* model_rows: the same with MODEL_TITLE rows and MODEL_ROW_LEFT; borrowed until the model changes. *at: the
 * row of the cursor, or where it was. */
const uint32_t *model_rows(const struct model *m, size_t *n, size_t *at);
/* model_lobby, model_hands: ids of those who wait, in order of knocking; of the raised hands in the server's
 * order. Borrowed until the model changes. */
const uint32_t *model_lobby(const struct model *m, size_t *n);
const uint32_t *model_hands(const struct model *m, size_t *n);
/* model_count: people of that presence. model_group_count: in a group, whatever the filter hides. */
size_t model_count(const struct model *m, enum presence p);
size_t model_group_count(const struct model *m, enum model_group g);
enum model_group model_group_of(const struct model *m, const struct member *p);
/* model_focus: to that pane; in the lobby and the hands the cursor goes to the first there, unless it stands
 * on one of them already, and on nobody when the pane is empty. model_pane_after: the pane Tab brings (step
 * 1), or the one before (-1); an empty lobby and no hands are passed over. model_pane_next: goes there. */
void model_focus(struct model *m, enum model_pane pane);
enum model_pane model_pane_after(const struct model *m, enum model_pane pane, int step);
void model_pane_next(struct model *m, int step);
const char *model_pane_name(enum model_pane pane); /* "people" */
/* model_move: the cursor by `delta` rows of the focused pane: people, lobby or hands. */
void model_move(struct model *m, int delta);
/* model_filter_set: only names that contain `text` (no case); someone hidden loses the cursor to the first
 * shown. */
void model_filter_set(struct model *m, const char *text);
/* model_sort_set: another order, at once. model_sort_name: "joined", "name", "hand", "talk", "line", for what
 * is typed and shown. model_group_set: grouped by role or not. model_fold: folds or unfolds the group of the
 * cursor (its title or one of its people); false when not grouped or on nobody. */
void model_sort_set(struct model *m, enum model_sort sort);
const char *model_sort_name(enum model_sort sort);
void model_group_set(struct model *m, bool by_role);
bool model_fold(struct model *m);
bool model_marked(const struct model *m, uint32_t id);
void model_mark(struct model *m, uint32_t id); /* toggles; ids of nobody are ignored */
/* model_mark_shown: marks all that model_list shows but oneself and the waiting (from the lobby's pane: only
 * the waiting). Returns how many found no room among the MODEL_MARKS_MAX. */
size_t model_mark_shown(struct model *m);
/* model_talked: for how long a person was heard since one came. */
us_t model_talked(const struct model *m, uint32_t id);
/* model_deed: the i-th newest act that named a person, NULL past the last. */
const struct model_deed *model_deed(const struct model *m, uint32_t id, size_t i);
/* model_wall: wall time at `now`. */
int64_t model_wall(const struct model *m, us_t now);
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
