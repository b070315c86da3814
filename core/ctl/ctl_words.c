/* ctl_words.c: words of the command line by the grammar of ctl_verbs.def. */
#include "core/ctl/ctl.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MAX 16384
#define WORD_MAX 64

/* ---- what a file holds ---- */

/* Typed at a terminal without being shown. */
static ssize_t read_quietly(int fd, char *buf, size_t cap) {
  struct termios old, quiet;
  if (tcgetattr(fd, &old) != 0)
    return -1;
  quiet = old;
  quiet.c_lflag &= (tcflag_t)~ECHO;
  fputs("secret: ", stderr);
  tcsetattr(fd, TCSAFLUSH, &quiet);
  ssize_t n = read(fd, buf, cap);
  tcsetattr(fd, TCSAFLUSH, &old);
  fputs("\n", stderr);
  return n;
}

static ssize_t read_all(int fd, char *buf, size_t cap) {
  size_t n = 0;
  ssize_t k = 1;
  while (k > 0 && n < cap) {
    k = read(fd, buf + n, cap - n);
    n += k > 0 ? (size_t)k : 0;
  }
  return k < 0 ? -1 : (ssize_t)n;
}

char *ctl_secret(const char *path) {
  bool piped = strcmp(path, "-") == 0;
  int fd = piped ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  char *buf = calloc(1, SECRET_MAX + 1);
  if (!buf)
    abort();
  ssize_t n = fd < 0 ? -1 : isatty(fd) ? read_quietly(fd, buf, SECRET_MAX) : read_all(fd, buf, SECRET_MAX);
  if (n < 0 || n == SECRET_MAX) {
    fprintf(stderr, "gavelctl: %.200s cannot be read: %s\n", path, n < 0 ? strerror(errno) : "too long");
    free(buf);
    buf = NULL;
  } else if (n > 0 && buf[n - 1] == '\n') {
    buf[n - 1] = 0;
  }
  if (fd >= 0 && !piped)
    close(fd);
  return buf;
}

/* ---- the grammar ---- */

struct slot {
  char key[WORD_MAX]; /* of the params: lower case, "_" for "-" */
  char kind[WORD_MAX];
  bool option, optional, rest;
};

static void key_of(const char *word, size_t n, char key[WORD_MAX]) {
  n = n < WORD_MAX ? n : WORD_MAX - 1;
  for (size_t i = 0; i < n; i++)
    key[i] = word[i] == '-' ? '_' : (char)tolower((unsigned char)word[i]);
  key[n] = 0;
}

/* The next slot of a grammar; NULL at its end. */
static const char *slot_next(const char *g, struct slot *s) {
  *s = (struct slot){0};
  g += strspn(g, " ");
  if (!*g)
    return NULL;
  s->optional = *g == '[';
  const char *word = g + s->optional;
  size_t n = strcspn(word, s->optional ? "]" : " ");
  const char *end = word + n + s->optional, *equals = memchr(word, '=', n);
  s->option = strncmp(word, "--", 2) == 0;
  s->rest = n > 3 && strncmp(word + n - 3, "...", 3) == 0;
  if (s->option)
    key_of(word + 2, (equals ? (size_t)(equals - word) : n) - 2, s->key);
  else
    key_of(word, n - (s->rest ? 3 : 0), s->key);
  if (equals)
    snprintf(s->kind, sizeof s->kind, "%.*s", (int)(word + n - equals - 1), equals + 1);
  return end;
}

static bool number(const char *text, int64_t *out, const char **end) {
  char *stop;
  errno = 0;
  *out = strtoll(text, &stop, 10);
  *end = stop;
  return errno == 0 && stop != text;
}

static json_t *seconds(const char *text) {
  static const struct {
    char unit;
    int64_t s;
  } UNITS[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  int64_t n, factor = 1;
  const char *end;
  if (!number(text, &n, &end) || n < 0 || n > INT64_C(100000000))
    return NULL;
  for (size_t i = 0; *end && i < sizeof UNITS / sizeof UNITS[0]; i++)
    if (*end == UNITS[i].unit && end[1] == 0) {
      factor = UNITS[i].s;
      end++;
    }
  return *end ? NULL : json_integer(n * factor);
}

/* The value of an option by its kind; NULL when it is none (a file that cannot be read has been complained
 * of). */
static json_t *value_of(const struct slot *s, const char *text) {
  int64_t n;
  const char *end;
  if (strcmp(s->kind, "N") == 0)
    return number(text, &n, &end) && !*end ? json_integer(n) : NULL;
  if (strcmp(s->kind, "T") == 0)
    return seconds(text);
  if (strcmp(s->kind, "yes|no") == 0)
    return strcmp(text, "yes") == 0 ? json_true() : strcmp(text, "no") == 0 ? json_false() : NULL;
  if (strcmp(s->kind, "FILE") == 0) {
    char *secret = ctl_secret(text);
    json_t *v = secret ? json_string(secret) : NULL;
    if (secret)
      explicit_bzero(secret, strlen(secret));
    free(secret);
    return v;
  }
  if (strchr(s->kind, '|')) { /* one of these words */
    const char *found = strstr(s->kind, text);
    size_t len = strlen(text);
    bool whole =
        found && len > 0 && (found == s->kind || found[-1] == '|') && (!found[len] || found[len] == '|');
    return whole ? json_string(text) : NULL;
  }
  return json_string(text);
}

static json_t *complain(json_t *params, const char *what, const char *word) {
  fprintf(stderr, "gavelctl: %s %.100s: see gavelctl --help\n", what, word);
  json_decref(params);
  return NULL;
}

static bool option_find(const char *grammar, const char *word, struct slot *s) {
  char key[WORD_MAX];
  key_of(word + 2, strcspn(word + 2, "="), key);
  for (const char *g = grammar; (g = slot_next(g, s));)
    if (s->option && strcmp(s->key, key) == 0)
      return true;
  return false;
}

/* An option at argv[*i]; false after the complaint. */
static bool take_option(const char *grammar, int argc, char **argv, int *i, json_t *params) {
  struct slot s;
  const char *word = argv[*i], *equals = strchr(word, '=');
  if (!option_find(grammar, word, &s) || (!s.kind[0] && equals)) {
    complain(NULL, "there is no option", word);
    return false;
  }
  if (!s.kind[0]) {
    json_object_set_new(params, s.key, json_true());
    return true;
  }
  const char *text = equals ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
  json_t *v = text ? value_of(&s, text) : NULL;
  if (!v) {
    if (!text || strcmp(s.kind, "FILE") != 0) /* of a file it has been said what is wrong */
      complain(NULL, text ? "that is not a value for" : "there is no value for", word);
    return false;
  }
  json_object_set_new(params, s.key, v);
  return true;
}

/* The params when nothing is missing of them. */
static json_t *complete(const char *grammar, json_t *params) {
  struct slot s;
  char name[2 * WORD_MAX + 8];
  for (const char *g = grammar; (g = slot_next(g, &s));) {
    if (s.optional || json_object_get(params, s.key))
      continue;
    snprintf(name, sizeof name, "%s%s%s%s", s.option ? "--" : "", s.key, s.option ? "=" : "", s.kind);
    return complain(params, s.option ? "what is missing is" : "what is missing is the", name);
  }
  return params;
}

json_t *ctl_words(const char *grammar, int argc, char **argv) {
  json_t *params = json_object(), *rest = NULL;
  const char *at = grammar;
  struct slot s = {0};
  bool words_only = false;
  for (int i = 0; i < argc; i++) {
    if (!words_only && strcmp(argv[i], "--") == 0) {
      words_only = true;
    } else if (!words_only && strncmp(argv[i], "--", 2) == 0) {
      if (!take_option(grammar, argc, argv, &i, params)) {
        json_decref(params);
        return NULL;
      }
    } else if (rest) {
      json_array_append_new(rest, json_string(argv[i]));
    } else {
      do
        at = at ? slot_next(at, &s) : NULL;
      while (at && s.option);
      if (!at)
        return complain(params, "one word too many:", argv[i]);
      if (s.rest)
        json_object_set_new(params, s.key, rest = json_array());
      if (s.rest)
        json_array_append_new(rest, json_string(argv[i]));
      else
        json_object_set_new(params, s.key, json_string(argv[i]));
    }
  }
  return complete(grammar, params);
}
