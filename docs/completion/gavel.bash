# bash completion for gavel and gavelctl; made by `gavel completion bash`; a test compares.
_gavel() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  case $before in
    --theme) COMPREPLY=($(compgen -W 'default high-contrast mono deuteranopia tritanopia solarized-light solarized-dark' -- "$word")); return ;;
    --notify) COMPREPLY=($(compgen -W 'auto bell osc9 osc777 off' -- "$word")); return ;;
    --play|--record|--keys|--password-file|--token) COMPREPLY=($(compgen -f -- "$word")); return ;;
    man) COMPREPLY=($(compgen -W 'gavel gavelctl' -- "$word")); return ;;
    completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$word")); return ;;
  esac
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W 'host join watch doctor login logout demo keys themes man completion --help --version' -- "$word"))
  else
    COMPREPLY=($(compgen -W '--name --input --output --play --record --no-audio --no-aec --no-ns --no-agc --bandwidth --open-mic --require-audio --password-file --accept-consent --token --monitor --no-login --pin --line --headless --json --theme --ascii --keys --baud --readonly --notify --hook --control --listen --public --port --media-port --no-lobby --forget --once --fail-if --interval --help' -- "$word"))
  fi
}
_gavelctl() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  [ "$before" = --socket ] && { COMPREPLY=($(compgen -f -- "$word")); return; }
  COMPREPLY=($(compgen -W '--socket --json --ticket --operator --database --client --help --version rooms info metrics drain maintenance alerts webhook create show bans notes trusted invites monitor quality app key user token selftest token allow ips account session device consent privacy hold metering audit backup restore admit admit-all deny lobby-say hold lobby auto-admit trust untrust mute unmute mute-all mute-lift mute-entry ask-unmute decline floor-give floor-take one-speaker priority gain talk-time hand hand-lower hands-down next role name rename remove ban ban-check ban-rule ban-edit unban note note-delete succession claim-code claim move breakouts distribute recall chat msg hosts announce chat-edit chat-delete chat-purge chat-clear chat-mode slow links pin unpin lock unlock password topic agenda agenda-next max-people max-speakers poll vote poll-end invite invite-revoke policy name-hosts attendance leave undo end end-cancel' -- "$word"))
}
complete -F _gavel gavel
complete -F _gavelctl gavelctl
