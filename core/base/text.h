/* text.h: text from people and networks made safe, and its width on a terminal.
 *
 * Invariant: what text_clean_* accepted holds no control character, no bidi override, no invisible character
 * and is valid UTF-8; it may be printed to a terminal. Names and chat are attack surface (escape sequences,
 * spoofing), so the server filters on input and the screen filters again. Pure; any thread. */
#ifndef GAVEL_BASE_TEXT_H
#define GAVEL_BASE_TEXT_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_NAME_MAX 96   /* bytes of a display name, without NUL */
#define TEXT_NAME_COLS 64  /* terminal columns of a display name */
#define TEXT_CHAT_MAX 2000 /* bytes of a chat message, without NUL */
#define TEXT_LINE_MAX 300  /* bytes of a topic or a reason, without NUL */
#define TEXT_SLUG_MAX 63   /* characters of a room name */

/* text_utf8_valid: strict UTF-8 (no surrogates, no overlong, <= U+10FFFF, no NUL). */
bool text_utf8_valid(const char *s, size_t n);
/* text_utf8_next: decode one code point of [*s, end), advance *s by at least 1; U+FFFD for a bad byte. */
uint32_t text_utf8_next(const char **s, const char *end);
/* text_utf8_put: encode cp into out[4]; returns the number of bytes (1..4). */
size_t text_utf8_put(uint32_t cp, char out[4]);

/* What is dropped below is all of: C0 (but white space), DEL, C1, bidi controls, zero-width and other
 * default-ignorable characters (variation selectors, fillers, soft hyphen, tags), noncharacters. White space
 * is Unicode's, and the empty braille cell. A combining mark without a base goes too. Nothing is normalised
 * (NFC): the base has no library for it, so spoofing by composed against decomposed letters is not this
 * module's to prevent. */

/* text_clean_name: trim, fold inner white space to one space, drop as above, at most 4 combining marks a
 * base, cut at TEXT_NAME_COLS columns and TEXT_NAME_MAX bytes on a character border. ERR_BAD_NAME when
 * nothing visible is left or the input is not UTF-8. out has room for TEXT_NAME_MAX+1. */
MUST_CHECK enum err text_clean_name(const char *in, size_t n, char out[TEXT_NAME_MAX + 1]);
/* text_clean_chat: as above but '\n' stays (at most 20 lines) and inner white space is kept (tab as a space);
 * nothing is cut: longer than TEXT_CHAT_MAX after cleaning, or empty, is ERR_BAD_TEXT. */
MUST_CHECK enum err text_clean_chat(const char *in, size_t n, char out[TEXT_CHAT_MAX + 1]);
/* text_clean_line: one line (topic, reason); empty is allowed; longer than TEXT_LINE_MAX is ERR_BAD_TEXT. */
MUST_CHECK enum err text_clean_line(const char *in, size_t n, char out[TEXT_LINE_MAX + 1]);
/* text_slug_valid: a room name: [a-z0-9][a-z0-9._-]{0,62}. */
bool text_slug_valid(const char *s);

/* text_cp_safe: may be printed as it is: no control, no line separator, nothing that cleaning drops. */
bool text_cp_safe(uint32_t cp);
/* text_show: what a terminal may get of a text from outside: unsafe characters are left out, a newline stays
 * when `lines` and is a blank otherwise; what does not fit in cap bytes is cut on a character. */
void text_show(const char *text, bool lines, char *out, size_t cap);
/* text_cp_width: columns of a code point: 0 combining or dropped, 1, 2 wide (own table; ambiguous is 1). */
int text_cp_width(uint32_t cp);
/* text_width: columns of a valid UTF-8 string. */
size_t text_width(const char *s);
/* text_fit: bytes of the longest prefix of s that fits in cols columns. */
size_t text_fit(const char *s, size_t cols);
/* text_append: `more` at the end of the string in out (cap bytes with its NUL); all of it or, when it does
 * not fit, nothing and false. */
bool text_append(char *out, size_t cap, const char *more);

#endif
