#!/bin/sh
# make.sh: makes the five voices of tests/data again (Ogg Opus, mono; needs espeak-ng and opus-tools).
# usage: tests/data/make.sh [folder]
set -eu
dir=${1:-$(dirname "$0")}
wav=$(mktemp)
trap 'rm -f "$wav"' EXIT

# say NAME VOICE PITCH WORDS-PER-MINUTE TEXT
say() {
  espeak-ng -v "$2" -p "$3" -s "$4" -w "$wav" "$5"
  # a fixed serial number: the same versions give the same file
  opusenc --quiet --speech --bitrate 24 --serial 1 --discard-comments --discard-pictures "$wav" "$dir/$1.opus"
}

say alice en-gb+f3 62 160 "Good morning everybody, and welcome to the weekly meeting. \
Bob, would you like to start? How is the new release coming along?"
say bob en-us+m3 38 150 "Morning. The release is nearly ready. We fixed the last two bugs on Tuesday, \
and the tests have been green since yesterday. I still need somebody to read the notes."
say carol en-gb-x-rp+f2 70 165 "I can read them this afternoon. One question, though: \
did we ever hear back from the people in Lisbon about the slow connection?"
say dave en-gb-scotland+m5 28 145 "We did. It was the wireless network in their office, not our server. \
With a cable, the sound was clear for the whole hour."
say erin en-us+f4 55 170 "That is good news. Then I would say we publish on Thursday, \
and I will write to everyone tonight. Does anybody disagree? No? Wonderful."
