#!/bin/sh
# Alice calls Bob, as a test script would let her: each with a SIM in software, through a network
# that challenges every INVITE. All of it runs on this machine, and nothing of it stays.
#
# To try a network of your own, give its P-CSCF as `network` and leave out the core; for a SIM in a
# reader say --card pcsc.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
core=''
bob=''

clean_up() {
    for process in $bob $core; do
        kill "$process" 2>/dev/null || true # SIGTERM: it hangs up and de-registers
    done
    wait
    rm -r "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# check WHAT SEEN WANTED
check() {
    if [ "$2" != "$3" ]; then
        echo "FAILED  $1: $2, not $3"
        tail -n 5 "$work"/*.out
        exit 1
    fi
    echo "ok      $1: $2"
}

# wait_for TEXT FILE: until it stands there, for 30 seconds at most
wait_for() {
    patience=300
    until grep -q "$1" "$2"; do
        patience=$((patience - 1))
        [ "$patience" -gt 0 ] || check "waiting for $1" nothing "$1"
        sleep 0.1
    done
}

# The last document that --json prints is the verdict; those before it are what happened.
verdict_in() {
    tail -n 1 "$1" | sed 's/.*"verdict": "\([^"]*\)".*/\1/'
}

# --- A network for two subscribers, on a port that is free ---------------------------------------

cp "$here/alice.toml" "$here/bob.toml" "$work" # a card writes its state beside its profile
sipua core --listen udp:127.0.0.1:0 --challenge INVITE=407 \
    --subscriber "$work/alice.toml" --subscriber "$work/bob.toml" >"$work/core.out" &
core=$!
wait_for '^ready' "$work/core.out"
network=$(sed -n 's/^ready \([^ ]*\).*/\1/p' "$work/core.out")

# listen OPTION...: Bob takes calls in the background
listen() {
    : >"$work/bob.out" # it is there before the command writes to it
    sipua listen --card "emulated:$work/bob.toml" --pcscf "$network" --json "$@" >"$work/bob.out" &
    bob=$!
    wait_for '"event": "registered"' "$work/bob.out"
}

# He ends when he has had his calls, or is told to
stopped_listening() {
    status=0
    wait "$bob" || status=$?
    bob=''
    check 'exit status of listen' "$status" 0
}

# call OPTION...: Alice calls him; `status` becomes the exit status
call() {
    status=0
    sipua call sip:bob@ims.mnc001.mcc001.3gppnetwork.org \
        --card "emulated:$work/alice.toml" --pcscf "$network" --json "$@" \
        >"$work/alice.out" || status=$?
}

# --- Bob answers and sends back what he hears ----------------------------------------------------

listen --media echo --count 1
call --duration 2 --dtmf '42#'
check 'exit status of an answered call' "$status" 0
check 'its verdict' "$(verdict_in "$work/alice.out")" ok
stopped_listening
check 'digits that Bob heard' "$(grep -c '"event": "digit"' "$work/bob.out")" 3

# --- Bob is busy: one call that expects it, one that does not ------------------------------------

listen --busy --count 2
call --expect 486
check 'exit status of a call that is to be busy' "$status" 0
call
check 'exit status of a call that is not' "$status" 50
check 'its verdict' "$(verdict_in "$work/alice.out")" busy
stopped_listening

# --- Bob lets it ring, and Alice loses patience --------------------------------------------------

listen --no-answer
call --cancel-after 1
check 'verdict of a call given up' "$(verdict_in "$work/alice.out")" cancelled
kill "$bob"
stopped_listening
check 'how listening ended' "$(verdict_in "$work/bob.out")" deregistered
