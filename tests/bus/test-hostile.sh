#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Callers who mean no good, on a bus of their own with the limits of a system bus, and a machine with names that mean no good.
# HOSTILE_COUNT says how often each thing is asked, HOSTILE names the program that asks.
# shellcheck source=tests/bus/common.sh
. "$(dirname "$0")/common.sh"

hostile=${HOSTILE:-./tests/bus/hostile}
policy=$(cd "${top_srcdir:-.}" && pwd)/conf/org.pmemremoved1.conf
export FAKE_MORE="$work/more"

# Who owns no name gets no calls, as on a system bus.
start_bus <<CONF
  <type>system</type>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <policy user="root">
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow own="org.freedesktop.login1"/>
    <allow send_destination="org.freedesktop.login1"/>
  </policy>
  <include>$policy</include>
CONF

stop() {
        kill "$daemon"
        wait "$daemon" || fail "exit status $?"
        daemon=
}

echo org.pmemremoved1.inhibit-delay >"$work/allowed"
"$polkit_program" /dev/null "$work/allowed" &
polkit=$!
eventually ctl status org.freedesktop.PolicyKit1 >/dev/null 2>&1
: >"$work/more"
start

echo "# signals that are sent to the daemon alone stay with the bus, the others reach it"
say() {
        setpriv --reuid=65534 --regid=65534 --clear-groups \
                busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" "$@" emit /org/freedesktop/login1 org.freedesktop.login1.Manager PrepareForShutdown b true 2>&1 || :
}
say --destination=org.pmemremoved1
eventually grep -q 'Rejected send message.*PrepareForShutdown' "$work/bus.log"
"$login_program" "$work/locks" &
login=$!
announce() {
        ctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager Announce sb \
                PrepareForShutdown "$1"
}
refuses() {
        manager RequestRemove 'sa{sv}' namespace0.0 1 reason s nothing 2>&1 | grep -q 'shutting down'
}
eventually test -e "$work/locks"
announce true
eventually refuses
announce false
kill "$login"
wait "$login" 2>/dev/null || :
login=

echo "# storms; the columns after the counts are the honest caller's slowest answers in seconds, and the daemon's KiB"
${HOSTILE_WRAP:-} "$hostile" --pid="$daemon" --count="${HOSTILE_COUNT:-400}" "$@" || fail "see above"
[ $# = 0 ] || exit 0
stop

echo "# names that are no UTF-8, or drive a terminal: everybody gets an answer, and nothing of that reaches him"
# tame COMMAND...: it succeeds, and prints neither control characters nor what is no UTF-8.
tame() {
        "$@" >"$work/out" 2>&1 || fail "exit status $?: $* $(cat "$work/out")"
        iconv -f UTF-8 -t UTF-8 <"$work/out" >/dev/null || fail "no UTF-8: $*"
        if LC_ALL=C tr -d '\n' <"$work/out" | LC_ALL=C grep -q '[[:cntrl:]]'; then
                fail "control characters: $* $(cat -v "$work/out")"
        fi
}
cat >"$work/more" <<'MORE'
mount 43 on=filesystem:pmem0 target="/mnt/\xff\xfe" dev=259:0
mount 44 on=filesystem:pmem0 target="/mnt/\x1b[2J\n<0>all is lost" dev=259:0
mount 45 on=filesystem:pmem0 target="/mnt/\xef\xbf\xbe\xc2\x9b2J" dev=259:0
holder "odd\xff" on=block:pmem0 blocker="d\xc3"
process 813 on=mount:43 comm="\xff\n\x1b]0;owned\x07" unit="\xfe.service" example="/mnt/\xff\xfe/\x9b" uses=fd
MORE
start
manager ResolveTarget s namespace0.0 >/dev/null
tame "$client" --no-pager status namespace0.0
grep -q '377' "$work/out" || grep -q 'xff' "$work/out" || fail "where is it? $(cat "$work/out")"
tame "$client" --no-pager list
tame "$client" --no-pager plan namespace0.0
tame "$client" --json=short list
tame "$client" --json=short status namespace0.0
manager PlanRemove 'sa{sv}' namespace0.0 1 reason s nothing | grep -q '"ok"' || fail "no plan"
ctl call org.pmemremoved1 /org/pmemremoved1 org.freedesktop.DBus.ObjectManager GetManagedObjects |
        grep -q 'namespace0.0' || fail "no objects"
ctl get-property org.pmemremoved1 /org/pmemremoved1/device/namespace0_2e0 org.pmemremoved1.Device Mounts |
        grep -q 'xff' || fail "no mounts"
# An error that cannot be sent is one that is waited for.
if ctl --timeout=20 call org.pmemremoved1 /org/pmemremoved1 org.pmemremoved1.Manager \
        RequestRemove 'sa{sv}' namespace0.0 1 reason s odd >"$work/out" 2>&1; then
        fail "no error"
fi
grep -q 'used by 813' "$work/out" || fail "no word of why: $(cat "$work/out")"
ctl monitor --match="type='signal',sender='org.pmemremoved1'" >"$work/signals" 2>&1 &
monitor=$!
eventually grep -q Monitoring "$work/signals"
code=0
"$client" -y --no-pager remove --reason='nothing odd' namespace0.0 >"$work/out" 2>&1 </dev/null || code=$?
[ "$code" = 5 ] || fail "exit status $code: $(cat "$work/out")"
grep -q '813 (' "$work/out" || fail "who stayed is not named: $(cat "$work/out")"
tame cat "$work/out"
path=$(manager ListRemovals | sed 's/.*"\(\/org[^"]*\)".*/\1/')
ctl call org.pmemremoved1 "$path" org.freedesktop.DBus.Properties GetAll s org.pmemremoved1.Removal >"$work/out"
for word in '813 (' 'xfe.service' 'rolled-back'; do
        grep -q "$word" "$work/out" || fail "not in the properties: $word"
done
eventually grep -q ProcessKilled "$work/signals"
eventually grep -q RemovalFinished "$work/signals"
kill "$monitor"
wait "$monitor" 2>/dev/null || :
tame "$client" --no-pager status
tame cat "$work/log"
grep -q '813 (' "$work/log" || fail "the log does not say who stayed"
grep -q '^<0>' "$work/log" && fail "a line of somebody else's in the log"
stop

echo "# a crowd of mounts with long names: all objects fit in a message, a plan is told, and the honest caller is served"
awk 'BEGIN {
        while (length(name) < 1000) name = name "xxxxxxxxxx"
        for (i = 0; i < 10000; i++) printf "mount %d on=filesystem:pmem0 target=/mnt/%s%d dev=259:0\n", i + 100, name, i
}' >"$work/more"
start
manager ResolveTarget s namespace0.0 >/dev/null
ctl call org.pmemremoved1 /org/pmemremoved1 org.freedesktop.DBus.ObjectManager GetManagedObjects >"$work/out"
grep -q 'namespace0.0' "$work/out" || fail "no objects"
[ "$(wc -c <"$work/out")" -lt 1000000 ] || fail "$(wc -c <"$work/out") bytes of objects"
manager PlanRemove 'sa{sv}' namespace0.0 1 reason s nothing | grep -q '"ok"' || fail "no plan"
"$hostile" --pid="$daemon" --count=200 objects || fail "see above"
kill -0 "$daemon" || fail "the daemon is gone"
stop

echo "# ledgers that are not ours: told about, kept, not waited for, and in the way until they are deleted"
# refused WHY MEANS...: with the ledger that these commands make the daemon starts, serves and removes nothing.
refused() {
        why=$1
        shift
        rm -rf "$work/run/9.ledger" "$work/second"
        "$@"
        : >"$work/more"
        "$program" --recover 2>"$work/out" && fail "recovered: $*"
        grep -q "9.ledger.*$why" "$work/out" || fail "not told by --recover: $* $(cat "$work/out")"
        start
        grep -q "9.ledger.*$why" "$work/log" || fail "not told: $*"
        manager PlanRemove 'sa{sv}' namespace0.0 0 | grep -q '"ok"' || fail "no plan: $*"
        manager RequestRemove 'sa{sv}' namespace0.0 1 dry-run b true >/dev/null || fail "no dry run: $*"
        if manager RequestRemove 'sa{sv}' namespace0.0 1 reason s nothing >"$work/out" 2>&1; then
                fail "a removal, beside: $*"
        fi
        grep -q '9.ledger.*delete it' "$work/out" || fail "not said what to do: $(cat "$work/out")"
        [ -e "$work/run/9.ledger" ] || [ -L "$work/run/9.ledger" ] || fail "it is gone: $*"
        rm -rf "$work/run/9.ledger" "$work/second"
        path=$(manager RequestRemove 'sa{sv}' namespace0.0 1 reason s nothing | sed 's/.*"\(.*\)"/\1/')
        ctl call org.pmemremoved1 "$path" org.pmemremoved1.Removal Wait | grep -q '"done"' || fail "not removed"
        stop
}
fake_ledger() {
        sed 's/\bid=[0-9]*/id=9/' "$one" >"$work/run/9.ledger"
        chmod 600 "$work/run/9.ledger"
        "$@" "$work/run/9.ledger"
}
rm -rf "$work/run"
start
path=$(manager RequestRemove 'sa{sv}' namespace0.0 1 reason s 'nothing commit slow' | sed 's/.*"\(.*\)"/\1/')
eventually grep -q '^committed' "$work/run/${path##*/}.ledger"
one=$work/one
grep -v '^end 2\|^finished\|^reported' "$work/run/${path##*/}.ledger" >"$one"
ctl call org.pmemremoved1 "$path" org.pmemremoved1.Removal Wait >/dev/null
stop
refused 'another user' fake_ledger chown 65534
refused 'another user' fake_ledger chmod 666
refused 'no plain file' mkfifo "$work/run/9.ledger"
refused 'symbolic link' ln -s "$one" "$work/run/9.ledger"
refused 'damaged' fake_ledger truncate -s 100
refused 'another version' fake_ledger sed -i 's/^pmemremoved-ledger 1/pmemremoved-ledger 2/'
refused 'under' fake_ledger sed -i 's/\bid=9/id=8/'

if grep -E 'AddressSanitizer|runtime error' "$work/log"; then
        fail "sanitizer"
fi
