#include "tui/exit.h"

enum exit_code exit_of(enum err why) {
  switch (why) {
  case ERR_OK:
  case ERR_REPLACED:
    return EXIT_LEFT;
  case ERR_BAD_LINK:
  case ERR_BAD_CONFIG:
  case ERR_BAD_THEME:
  case ERR_BAD_ARG:
    return EXIT_USAGE;
  case ERR_NEED_PASSWORD:
  case ERR_BAD_PASSWORD:
  case ERR_BAD_INVITE:
  case ERR_BAD_NAME:
  case ERR_BANNED:
  case ERR_DENIED:
  case ERR_ROOM_LOCKED:
  case ERR_ROOM_FULL:
  case ERR_LOBBY_FULL:
  case ERR_NO_ROOM:
  case ERR_NOT_ALLOWED:
  case ERR_BAD_TOKEN:
  case ERR_SCOPE:
  case ERR_NEED_MFA:
  case ERR_NEED_ACCOUNT:
  case ERR_RESTRICTED:
  case ERR_ADDRESS:
  case ERR_SESSIONS:
  case ERR_MONITOR_REASON:
  case ERR_MONITOR_TICKET:
  case ERR_SILENT_OFF:
  case ERR_SILENT_SCOPE:
  case ERR_SILENT_MFA:
  case ERR_SILENT_MINUTES:
  case ERR_SILENT_E2E:
  case ERR_SILENT_TEXT:
  case ERR_SILENT_CONSENT:
  case ERR_SILENT_APPROVAL:
    return EXIT_REFUSED;
  case ERR_REVOKED:
  case ERR_REMOVED:
    return EXIT_REMOVED;
  case ERR_ROOM_ENDED:
    return EXIT_ENDED;
  case ERR_NO_DEVICE:
  case ERR_AUDIO_FILE:
    return EXIT_AUDIO;
  case ERR_NEED_CONSENT:
    return EXIT_CONSENT;
  case ERR_PROTOCOL:
    return EXIT_PROTOCOL;
  default:
    return EXIT_CONNECT;
  }
}
