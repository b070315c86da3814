/* err.h: the one list of faults the outside world can cause, each with a stable code and one sentence.
 *
 * Invariant: ERR_OK is 0; a code string never changes once released (clients match on it). Programmer faults
 * are asserts, not errors. Thread: any; the tables are const. */
#ifndef GAVEL_BASE_ERR_H
#define GAVEL_BASE_ERR_H

/* X(NAME, code, sentence). Codes go over the wire in error.data.code and to scripts in --json. */
#define ERR_TABLE(X)                                                                                         \
  X(OK, "ok", "done")                                                                                        \
  X(NOMEM, "no_memory", "the machine is out of memory")                                                      \
  X(IO, "io", "reading or writing failed")                                                                   \
  X(FULL, "full", "a stated limit is reached")                                                               \
  X(AGAIN, "try_later", "not now, try again in a moment")                                                    \
  X(RATE, "rate_limited", "too many requests, slow down")                                                    \
  X(BAD_JSON, "bad_json", "that is not valid JSON within the limits")                                        \
  X(BAD_REQUEST, "bad_request", "the request is not of a known form")                                        \
  X(BAD_METHOD, "unknown_method", "there is no such method")                                                 \
  X(BAD_ARG, "bad_argument", "an argument is missing or not valid")                                          \
  X(BAD_TEXT, "bad_text", "the text is empty, too long, or not valid UTF-8")                                 \
  X(BAD_NAME, "bad_name", "that name cannot be used")                                                        \
  X(BAD_LINK, "bad_link", "that is not an invite link")                                                      \
  X(BAD_SDP, "bad_sdp", "the SDP is not valid or not acceptable")                                            \
  X(BAD_STUN, "bad_stun", "not a valid STUN message")                                                        \
  X(BAD_RTP, "bad_rtp", "not a valid RTP packet")                                                            \
  X(BAD_CONFIG, "bad_config", "the configuration is not valid")                                              \
  X(BAD_THEME, "bad_theme", "the theme file is not valid")                                                   \
  X(NO_ROOM, "no_room", "there is no such room")                                                             \
  X(ROOM_EXISTS, "room_exists", "a room of that name exists already")                                        \
  X(ROOM_ENDED, "room_ended", "the room has ended")                                                          \
  X(ROOM_LOCKED, "room_locked", "the room is locked")                                                        \
  X(ROOM_FULL, "room_full", "the room is full")                                                              \
  X(LOBBY_FULL, "lobby_full", "too many people are waiting already")                                         \
  X(BAD_INVITE, "bad_invite", "the invite is not valid, used up, or expired")                                \
  X(BAD_PASSWORD, "bad_password", "the room password is wrong")                                              \
  X(NEED_PASSWORD, "password_needed", "the room asks for a password")                                        \
  X(BANNED, "banned", "you may not enter this room")                                                         \
  X(DENIED, "denied", "a host declined your request to join")                                                \
  X(REMOVED, "removed", "a host removed you from the room")                                                  \
  X(NO_RESUME, "cannot_resume", "the session cannot be resumed, join again")                                 \
  X(REPLACED, "replaced", "the same session was opened elsewhere")                                           \
  X(NOT_JOINED, "not_joined", "join the room first")                                                         \
  X(IN_LOBBY, "in_lobby", "you are still in the lobby")                                                      \
  X(NO_MEMBER, "no_member", "there is no such person here")                                                  \
  X(NO_MESSAGE, "no_message", "there is no such message")                                                    \
  X(NO_SIDE, "no_side_room", "there is no such side room")                                                   \
  X(NO_POLL, "no_poll", "there is no open poll")                                                             \
  X(POLL_OPEN, "poll_open", "a poll is open already: close it first")                                        \
  X(BAD_CODE, "bad_code", "that is not the code")                                                            \
  X(NOT_ALLOWED, "not_allowed", "your role does not allow that")                                             \
  X(RANK, "rank", "one can only act on people of lower rank")                                                \
  X(NOT_SELF, "not_self", "that cannot be done to oneself")                                                  \
  X(ONLY_SELF, "only_self", "only the person can do that: ask instead")                                      \
  X(NO_FLOOR, "no_floor", "you need the floor: raise a hand")                                                \
  X(SPEAKERS_FULL, "speakers_full", "as many people as allowed have the floor already")                      \
  X(SILENCED, "silenced", "this person is banned from speaking")                                             \
  X(MUTED_ALL, "muted_by_host", "a host has muted everyone: raise a hand")                                   \
  X(CHAT_OFF, "chat_off", "this kind of chat is switched off")                                               \
  X(SLOW_MODE, "slow_mode", "slow mode: wait a moment before the next message")                              \
  X(LINKS_OFF, "links_off", "links are switched off in this chat")                                           \
  X(NO_CHANGE, "no_change", "it is so already")                                                              \
  X(NOTHING, "nothing_to_do", "there is nobody to do that to")                                               \
  X(TOO_LATE, "too_late", "it is too late for that")                                                         \
  X(BAD_TOKEN, "invalid_token", "the token is not valid")                                                    \
  X(REVOKED, "token_revoked", "your access was revoked")                                                     \
  X(SCOPE, "insufficient_scope", "your token does not permit that")                                          \
  X(BAD_LOGIN, "bad_login", "account, password or code is wrong")                                            \
  X(NEED_TOTP, "totp_needed", "the account asks for a code of its authenticator")                            \
  X(NEED_MFA, "mfa_needed", "this needs an account with a second factor: gavel login")                       \
  X(NEED_ACCOUNT, "account_needed", "this server asks for an account or a token")                            \
  X(NEED_CONSENT, "consent_needed", "the server asks for consent first")                                     \
  X(RESTRICTED, "restricted", "the use of this person's data is restricted")                                 \
  X(HELD, "on_hold", "a legal hold keeps this")                                                              \
  X(ADDRESS, "address_not_allowed", "this address may not enter")                                            \
  X(NO_APP, "no_application", "there is no such application")                                                \
  X(NO_KEY, "no_key", "there is no such key")                                                                \
  X(NO_USER, "no_user", "there is no such user or account")                                                  \
  X(EXISTS, "exists", "that exists already")                                                                 \
  X(SESSIONS, "too_many_sessions", "this person is here too often already")                                  \
  X(DRAINING, "draining", "the server takes nobody new: it is about to go down")                             \
  X(BUSY, "busy", "too many are signing in, try again in a moment")                                          \
  X(TOO_SOON, "too_soon", "changes are announced 90 days ahead, or forced")                                  \
  X(PENDING, "authorization_pending", "not approved yet")                                                    \
  X(SLOW_DOWN, "slow_down", "asked too often")                                                               \
  X(ACCESS_DENIED, "access_denied", "the request was declined")                                              \
  X(EXPIRED, "expired_token", "that has expired")                                                            \
  X(BAD_GRANT, "invalid_grant", "that is not valid any more")                                                \
  X(MONITOR_REASON, "monitor_reason", "say why you want to listen: a reason")                                \
  X(MONITOR_TICKET, "monitor_ticket", "say by which order you want to listen: a ticket")                     \
  X(MONITOR_OVER, "monitor_over", "the time for listening is over")                                          \
  X(SILENT_OFF, "silent_off", "silent listening is switched off on this server")                             \
  X(SILENT_SCOPE, "silent_scope", "your session does not have monitor:silent")                               \
  X(SILENT_MFA, "silent_mfa", "the second factor must be newer than 5 minutes: gavel login again")           \
  X(SILENT_MINUTES, "silent_minutes", "say for how long: 1 to 10 minutes")                                   \
  X(SILENT_E2E, "silent_e2e", "nobody can listen to a room encrypted from end to end")                       \
  X(SILENT_TEXT, "silent_text", "the text of consent does not speak of monitoring")                          \
  X(SILENT_CONSENT, "silent_consent", "not everybody in the room has consented to monitoring")               \
  X(SILENT_APPROVAL, "silent_approval", "another operator has to approve this first")                        \
  X(AUDIT_EDITED, "audit_edited", "an entry was changed")                                                    \
  X(AUDIT_DELETED, "audit_deleted", "an entry is missing")                                                   \
  X(AUDIT_SWAPPED, "audit_swapped", "entries changed places")                                                \
  X(AUDIT_INSERTED, "audit_inserted", "an entry was added")                                                  \
  X(AUDIT_TRUNCATED, "audit_truncated", "the end is missing")                                                \
  X(AUDIT_RECHAINED, "audit_rechained", "the chain was computed anew")                                       \
  X(AUDIT_SIGNATURE, "audit_signature", "a checkpoint is not signed with this key")                          \
  X(AUDIT_UNMATCHED, "audit_unmatched", "privileged acts without a ticket")                                  \
  X(FINGERPRINT, "fingerprint_mismatch", "the peer's certificate is not the one announced")                  \
  X(NO_SRTP, "no_srtp_profile", "no common SRTP protection profile")                                         \
  X(SRTP_AUTH, "srtp_auth", "a packet did not authenticate")                                                 \
  X(SRTP_REPLAY, "srtp_replay", "a packet was replayed")                                                     \
  X(DTLS, "dtls_failed", "the DTLS handshake failed")                                                        \
  X(ICE, "ice_failed", "no network path to the server")                                                      \
  X(CONNECT, "cannot_connect", "cannot connect to the server")                                               \
  X(CERT, "certificate", "the server's certificate is not the one the link names")                           \
  X(PROTOCOL, "protocol", "the other side speaks another protocol version")                                  \
  X(NO_DEVICE, "no_audio_device", "no audio device: the session goes on without sound")                      \
  X(AUDIO_FILE, "audio_file", "the audio file cannot be read or written")                                    \
  X(PORT_TAKEN, "port_taken", "the port is in use")                                                          \
  X(DB_OPEN, "database_unavailable", "the database cannot be opened")                                        \
  X(DB_NEWER, "database_newer", "the database was written by a newer version")                               \
  X(DB_CORRUPT, "database_corrupt", "the database is damaged")                                               \
  X(DISK_FULL, "disk_full", "the disk is full: nothing new can be recorded")                                 \
  X(INTERNAL, "internal", "an internal fault, please report it")

enum err {
#define X(name, code, text) ERR_##name,
  ERR_TABLE(X)
#undef X
      ERR__COUNT
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* err_code: the stable code, e.g. "room_locked". Never NULL, static storage. */
const char *err_code(enum err e);
/* err_text: one human sentence without a full stop. Never NULL, static storage. */
const char *err_text(enum err e);
/* err_from_code: the error of a code as received from a peer; ERR_INTERNAL when the code is unknown. */
enum err err_from_code(const char *code);

#endif
