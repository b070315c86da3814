#!/bin/sh
# pulse.sh: runs a command with a PulseAudio of its own, no sound card needed; returns the command's status.
# usage: tests/e2e/pulse.sh CMD...
# Null sinks a_spk a_mic b_spk b_mic: client A runs with PULSE_SINK=a_spk PULSE_SOURCE=a_mic.monitor, B alike.
# What A hears: parec --device=a_spk.monitor; A speaks: paplay --device=a_mic FILE.
# Default: a_spk and a_mic.monitor.
set -eu
[ $# -gt 0 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }

dir=$(mktemp -d)
export HOME="$dir/home" XDG_RUNTIME_DIR="$dir/run" PULSE_RUNTIME_PATH="$dir/run/pulse"
export PULSE_SERVER="unix:$dir/run/native" ALSA_CONFIG_PATH="$dir/asound.conf" JACK_NO_START_SERVER=1
export PULSE_DAEMON_PID=''
mkdir -p "$HOME" "$PULSE_RUNTIME_PATH"
chmod 700 "$XDG_RUNTIME_DIR" "$PULSE_RUNTIME_PATH"
# complete: alsa.conf is not read, so PortAudio has two devices to probe and not dozens
cat >"$ALSA_CONFIG_PATH" <<'CONF'
pcm.default { type pulse hint.show on hint.description "PulseAudio" }
ctl.default { type pulse }
pcm.pulse { type pulse hint.show on hint.description "PulseAudio Sound Server" }
ctl.pulse { type pulse }
CONF

clean() {
  if [ -n "$PULSE_DAEMON_PID" ]; then
    kill "$PULSE_DAEMON_PID" 2>/dev/null || :
    wait "$PULSE_DAEMON_PID" || :
  fi
  rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# norewinds=1: without it an idle null sink renders in blocks of 2 s
args="rate=48000 channels=1 norewinds=1"
pulseaudio -n -F /dev/null --daemonize=no --exit-idle-time=-1 --use-pid-file=no \
  --log-target="file:$dir/pulse.log" \
  -L "module-native-protocol-unix socket=$dir/run/native auth-anonymous=1" \
  -L "module-null-sink sink_name=a_spk $args" -L "module-null-sink sink_name=a_mic $args" \
  -L "module-null-sink sink_name=b_spk $args" -L "module-null-sink sink_name=b_mic $args" \
  >"$dir/pulse.out" 2>&1 &
PULSE_DAEMON_PID=$!
tries=0
until pactl info >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ $tries -ge 100 ]; then
    echo "pulse.sh: PulseAudio does not start:" >&2
    cat "$dir/pulse.out" "$dir/pulse.log" >&2
    exit 1
  fi
  sleep 0.1
done
pactl set-default-sink a_spk
pactl set-default-source a_mic.monitor

status=0
"$@" || status=$?
exit $status
