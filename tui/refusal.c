#include "tui/refusal.h"

#include "core/base/text.h"

#include <stdio.h>
#include <string.h>

#define NAMED_MAX 4 /* of more people only their number is said */

/* Where the general text would mislead: "it is so already" of a person, "nobody to do that to" of a number.
 */
static const struct {
  enum act act;
  enum err why;
  const char *text;
} REASONS[] = {
    {ACT_UNMUTE, ERR_NO_CHANGE, "you are not muted"},
    {ACT_ASK_UNMUTE, ERR_NO_CHANGE, "they are not muted"},
    {ACT_DECLINE, ERR_NOTHING, "nobody asked you to unmute"},
    {ACT_HAND, ERR_NO_CHANGE, "your hand is up already"},
    {ACT_HANDS_DOWN, ERR_NOTHING, "no hand is raised"},
    {ACT_HANDS_DOWN, ERR_NO_CHANGE, "no hand is raised"},
    {ACT_NEXT, ERR_NOTHING, "no hand is raised"},
    {ACT_ADMIT_ALL, ERR_NOTHING, "nobody waits"},
    {ACT_MUTE_LIFT, ERR_NO_CHANGE, "mute-all is not on"},
    {ACT_UNBAN, ERR_NOTHING, "there is no ban with that number: bans lists them"},
    {ACT_BAN_EDIT, ERR_NOTHING, "there is no ban with that number: bans lists them"},
    {ACT_UNBAN, ERR_NOT_ALLOWED, "you cannot lift a ban that holds yourself"},
    {ACT_LOBBY_SAY, ERR_NOTHING, "nobody waits"},
    {ACT_NOTE_DELETE, ERR_NOTHING, "there is no note with that number: notes lists them"},
    {ACT_UNTRUST, ERR_NOTHING, "nobody has that number: trusted lists them"},
    {ACT_INVITE_REVOKE, ERR_NOTHING, "there is no invite link with that number: invites lists them"},
    {ACT_CLAIM, ERR_BAD_CODE, "that is not the code, or it was used already"},
    {ACT_CHAT_EDIT, ERR_NOT_ALLOWED, "only its author can edit it"},
    {ACT_CHAT_DELETE, ERR_NOT_ALLOWED, "only its author or a host can delete it"},
    {ACT_CHAT_PURGE, ERR_NOTHING, "there are no messages of that person"},
    {ACT_CHAT_CLEAR, ERR_NOTHING, "the chat is empty"},
    {ACT_UNPIN, ERR_NO_CHANGE, "no message is pinned"},
    {ACT_LOCK, ERR_NO_CHANGE, "the room is locked already"},
    {ACT_UNLOCK, ERR_NO_CHANGE, "the room is not locked"},
    {ACT_AGENDA_NEXT, ERR_NOTHING, "that was the last item of the agenda"},
    {ACT_RECALL, ERR_NOTHING, "there are no side rooms"},
    {ACT_ROLE, ERR_RANK, "one changes the roles of people below oneself, up to one's own"},
    {ACT_UNDO, ERR_NOTHING, "there is nothing to undo"},
    {ACT_UNDO, ERR_TOO_LATE, "it is too late to undo that"},
    {ACT_END_CANCEL, ERR_NOTHING, "no end is planned"},
};

const char *refusal_text(enum act act, enum err why, const char *text) {
  if (text[0] != '\0' && strcmp(text, err_text(why)) != 0)
    return text;
  for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++)
    if (REASONS[i].act == act && REASONS[i].why == why)
      return REASONS[i].text;
  return err_text(why);
}

void refusal_no_floor(const struct room *r, uint32_t me, char said[SAY_MAX]) {
  uint32_t ids[NAMED_MAX];
  size_t n = 0;
  char people[SAY_MAX];
  for (size_t i = 0; i < r->n_members; i++) {
    const struct member *m = &r->members[i];
    if (m->presence == PRESENCE_HERE && m->role >= ROLE_SPEAKER && !m->floor && !m->silenced &&
        n++ < NAMED_MAX)
      ids[n - 1] = m->id;
  }
  if (n == 0)
    return;
  if (n > NAMED_MAX)
    snprintf(people, sizeof people, "%zu people", n);
  else
    say_people(r, me, ids, n, true, people, sizeof people);
  (void)(text_append(said, SAY_MAX, " ") && text_append(said, SAY_MAX, people) &&
         text_append(said, SAY_MAX,
                     n == 1 && ids[0] != me ? " has no floor: floor-give gives it."
                                            : " have no floor: floor-give gives it."));
}
