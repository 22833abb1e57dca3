#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon on a bus of its own and on a made-up machine, asked as any client would ask it.
# shellcheck source=tests/bus/common.sh
. "$(dirname "$0")/common.sh"

export FAKE_HOOK="$work/10-site"
log_level=debug
start_bus <<CONF
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
CONF

removal() {
        path=$1
        shift
        ctl call org.pmemremoved1 "$path" org.pmemremoved1.Removal "$@"
}
get() {
        ctl get-property org.pmemremoved1 "$1" org.pmemremoved1.Removal "$2"
}
has() {
        get "$1" "$2" | grep -q "$3"
}
# request SCRIPT [N KEY TYPE VALUE...]: prints the object path.
request() {
        script=$1
        shift
        n=${1:-0}
        [ $# = 0 ] || shift
        answer=$(manager RequestRemove 'sa{sv}' namespace0.0 $((n + 1)) reason s "$script" "$@") ||
                return 1
        answer=${answer#o \"}
        echo "${answer%\"}"
}
expect_error() {
        name=$1
        shift
        if "$@" >"$work/out" 2>&1; then
                fail "no error $name from: $*"
        fi
        grep -q "$name" "$work/out" || fail "not $name but: $(cat "$work/out")"
}
heard() {
        grep -q "$1" "$work/signals"
}
listen() {
        : >"$work/signals"
        ctl monitor --match="type='signal',sender='org.pmemremoved1'" >>"$work/signals" 2>&1 &
        monitor=$!
        eventually heard Monitoring
}
listen_no_more() {
        kill "$monitor"
        wait "$monitor" 2>/dev/null || :
        monitor=
}
n_locks() {
        [ "$(manager ListInhibitors | cut -d ' ' -f 2)" = "$1" ]
}
# hold FILE ARGUMENT...: takes a lock that lasts as long as FILE does not exist; its holder in $holder.
hold() {
        gone=$work/$1
        shift
        rm -f "$gone" "$gone.held"
        # shellcheck disable=SC2016
        "$client" inhibit "$@" sh -c ': >"$1.held"; until [ -e "$1" ]; do sleep 0.1; done; exit 7' sh \
                "$gone" 2>>"$work/clients" &
        holder=$!
        eventually test -e "$gone.held"
}
# let_go: its exit status in $code.
let_go() {
        touch "$gone"
        code=0
        wait "$holder" || code=$?
        holder=
        eventually n_locks 0
}
world_is() {
        [ "$(tr '\n' ' ' <"$work/world")" = "$1" ] || fail "world is $(cat "$work/world"), not $1"
        : >"$work/world"
}

: >"$work/world"
start

echo "# objects"
manager ResolveTarget s /mnt/pmem | grep -q '/device/namespace0_2e0"'
ctl get-property org.pmemremoved1 /org/pmemremoved1/device/namespace0_2e0 org.pmemremoved1.Device \
        Mounts | grep -q '/mnt/pmem'
ctl get-property org.pmemremoved1 /org/pmemremoved1/device/region0 org.pmemremoved1.Device \
        CanRemove | grep -q yes
ctl get-property org.pmemremoved1 /org/pmemremoved1 org.pmemremoved1.Manager KernelPreRemove |
        grep -q '"yes" "fake"'

echo "# a plan, a refusal, bad questions"
manager PlanRemove 'sa{sv}' namespace0.0 1 reason s nothing >"$work/plan"
grep -q '"verdict" s "ok"' "$work/plan"
grep -q 'plan-id' "$work/plan"
manager PlanRemove 'sa{sv}' namespace0.0 1 reason s refuse | grep -q '"verdict" s "refused"'
expect_error 'first reason; .*second reason' request refuse
expect_error 'no such option; known are' manager RequestRemove 'sa{sv}' namespace0.0 1 dryrun b true
expect_error 'type b, but type s' manager RequestRemove 'sa{sv}' namespace0.0 1 dry-run s true
expect_error 'nowhere' manager RequestRemove 'sa{sv}' nowhere 0
expect_error 'planner died' request crash
expect_error 'no longer' request nothing 1 plan-id s 0123456789abcdef
world_is ''

echo "# the daemon answers while a planner thinks, and while a filesystem is frozen"
manager PlanRemove 'sa{sv}' namespace0.0 1 reason s think >"$work/slow" &
slow=$!
manager ListRemovals >/dev/null
kill -0 "$slow" 2>/dev/null || fail "the planner's answer came first"
wait "$slow"
grep -q '"verdict" s "ok"' "$work/slow"
path=$(request 'freeze-long')
eventually grep -q 'is frozen' "$work/log"
manager PlanRemove 'sa{sv}' namespace0.0 0 >/dev/null
grep -q 'is thawed' "$work/log" || fail "something was scanned while a filesystem was frozen"
removal "$path" Wait >/dev/null
: >"$work/world"

echo "# there is one daemon"
if "$program" 2>"$work/second"; then
        fail "a second daemon runs"
fi
grep -q 'another pmemremoved' "$work/second"

echo "# success, and what is said about it"
listen
path=$(request 'nothing kill freeze')
removal "$path" Wait | grep -q '"done"'
has "$path" State succeeded
has "$path" Killed '812 "db" "db.service" "fake"'
has "$path" FrozenUSec 'u\? *300000'
has "$path" Progress '100'
removal "$path" Wait | grep -q '"done"'
for word in InterfacesAdded RemovalNew PrepareForRemoval ProcessKilled RemovalFinished \
        PropertiesChanged FrozenUSec; do
        eventually heard "$word"
done
listen_no_more
expect_error 'past its commit point' removal "$path" Cancel
world_is 'apply nothing apply kill apply freeze '

echo "# a dry run does nothing"
path=$(request 'nothing' 1 dry-run b true)
removal "$path" Wait | grep -q '"done"'
has "$path" Progress 'dry run'
world_is ''

echo "# failure is undone, and says who was in the way"
path=$(request 'nothing busy')
removal "$path" Wait | grep -q '"refused"'
has "$path" State rolled-back
has "$path" Error 'Error.Busy'
has "$path" Blockers '812 (db)'
has "$path" StepStates '3 0 "fake" "/mnt/pmem" "reverted"'
world_is 'apply nothing apply busy revert busy revert nothing '

# hook EXIT-STATUS-OF-QUERY [WHAT ELSE]
hook() {
        {
                echo "#!/bin/sh"
                echo "echo hook \"\$1\" >>'$work/world'; echo speaking; ${2:-}"
                echo "[ \"\$1\" != query ] || { echo the moon is full; exit $1; }"
        } >"$FAKE_HOOK"
        chmod 755 "$FAKE_HOOK"
}

echo "# a hook forbids, and its last line is the reason"
hook 3
path=$(request 'query nothing')
removal "$path" Wait | grep -q '"vetoed"'
has "$path" State rolled-back
has "$path" Error 'Error.Vetoed" "[^"]*the moon is full'
has "$path" Blockers 'Vetoed.*10-site.*the moon is full'
grep -q 'hook 10-site (query): speaking' "$work/log"
world_is 'hook query '

echo "# a hook goes along; what it was told is not undone"
hook 0
path=$(request 'query prepare nothing done')
removal "$path" Wait | grep -q '"done"'
world_is 'hook query hook prepare apply nothing hook done '
path=$(request 'prepare nothing busy')
removal "$path" Wait | grep -q '"refused"'
world_is 'hook prepare apply nothing apply busy revert busy revert nothing hook undo '

echo "# cancel ends a hook"
# shellcheck disable=SC2016 # the hook expands it
hook 0 '[ "$1" != prepare ] || sleep 1000'
path=$(request 'prepare nothing')
eventually grep -q 'hook prepare' "$work/world"
removal "$path" Cancel
removal "$path" Wait | grep -q '"cancelled"'
world_is 'hook prepare hook undo '

echo "# a second rung"
path=$(request 'busy 2 nothing')
removal "$path" Wait | grep -q '"done"'
has "$path" Road forced
world_is 'apply busy apply nothing '

echo "# cancel, and only one at a time on one device"
path=$(request 'nothing wait')
has "$path" Cancelable true
expect_error 'working on it' request nothing
eventually has "$path" State draining
eventually grep -q wait "$work/world"
removal "$path" Cancel
removal "$path" Wait | grep -q '"cancelled"'
world_is 'apply nothing apply wait revert wait revert nothing '

echo "# a deadline, extended and then over"
path=$(request 'wait' 1 timeout-usec t 1500000)
removal "$path" Extend t 500000
removal "$path" Wait | grep -q '"timed-out"'
world_is 'apply wait revert wait '

echo "# confirmation: wanted, given, not given"
path=$(request 'confirm nothing' 1 hold-before-commit b true)
eventually has "$path" State waiting
removal "$path" Confirm
removal "$path" Wait | grep -q '"done"'
expect_error 'is over (done)' removal "$path" Confirm
path=$(request 'confirm nothing' 2 hold-before-commit b true confirm-timeout-usec t 300000)
removal "$path" Wait | grep -q '"timed-out"'
has "$path" Error 'nobody confirmed in time'
expect_error 'is over (timed-out)' removal "$path" Confirm
[ "$(get "$path" EndedUSec | cut -c3-)" -gt "$(get "$path" StartedUSec | cut -c3-)" ]
world_is 'apply nothing '

echo "# past the commit point nobody cancels"
path=$(request 'commit slow')
eventually has "$path" Committed true
expect_error 'past its commit point' removal "$path" Cancel
expect_error 'no deadline' removal "$path" Extend t 1000000
removal "$path" Wait | grep -q '"done"'
world_is 'apply slow '

echo "# a worker dies: undone by another one"
path=$(request 'nothing die')
removal "$path" Wait >/dev/null
has "$path" State rolled-back
grep -q 'without a last word' "$work/log" || fail "nobody noticed the death"
world_is 'apply nothing apply die revert die revert nothing '

echo "# bound to its caller, who is gone when busctl is"
path=$(request 'wait' 1 bind-to-caller b true)
removal "$path" Wait | grep -q '"cancelled"'
: >"$work/world"

echo "# inhibitors: what may be said in one"
inhibit() {
        manager Inhibit ssss "$@"
}
get_manager() {
        ctl get-property org.pmemremoved1 /org/pmemremoved1 org.pmemremoved1.Manager "$1"
}
expect_error 'known are block and delay' inhibit namespace0.0 db why block-weak
expect_error 'the text is empty' inhibit namespace0.0 db '' block
expect_error 'not printable' inhibit namespace0.0 "$(printf 'd\033b')" why block
expect_error 'too long' inhibit namespace0.0 db "$(printf '%0300d' 0)" block
expect_error 'nowhere' inhibit nowhere db why block
inhibit namespace0.0 db why block >/dev/null
eventually n_locks 0
[ "$(get_manager InhibitorsMax)" = 'u 512' ]

echo "# one that forbids, with who and why, root included; ended by the holder's end"
listen
hold veto --target=/mnt/pmem --who=db --why='a backup runs' --mode=block
n_locks 1
manager ListInhibitors | grep -q '"/mnt/pmem" "db" "a backup runs" "block" 0'
[ "$(get_manager NCurrentInhibitors)" = 'u 1' ]
[ "$(get_manager BlockInhibited)" = 'as 1 "/mnt/pmem"' ]
[ "$(get_manager DelayInhibited)" = 'as 0' ]
eventually heard NCurrentInhibitors
expect_error 'db (.*): it forbids the removal of /mnt/pmem: \\*"a backup runs' request nothing
code=0
"$client" -y remove namespace0.0 >"$work/out" 2>&1 </dev/null || code=$?
[ "$code" = 4 ] || fail "exit status $code: $(cat "$work/out")"
grep -q 'db (.*a backup runs' "$work/out" || fail "no word of it: $(cat "$work/out")"
"$client" --json=short inhibitors | grep -q '"who":"db"' || fail "not in JSON"
"$client" inhibitors | grep -q '/mnt/pmem *block *db .* 0 a backup runs' || fail "not in the list"
if heard PrepareForRemoval; then
        fail "announced, although it is forbidden"
fi
path=$(request nothing 1 ignore-inhibitors b true)
removal "$path" Wait | grep -q '"done"'
grep -q 'has it ignore db (.*a backup runs' "$work/log" || fail "the journal does not say that a lock was ignored"
let_go
[ "$code" = 7 ] || fail "the command's exit status became $code"
world_is 'apply nothing '
hold dies --why='it is killed'
expect_error 'the removal of everything' request nothing
kill -KILL "$holder"
eventually n_locks 0
let_go
path=$(request nothing)
removal "$path" Wait >/dev/null
listen_no_more
: >"$work/world"

echo "# signals reach the command, whose descriptors hold no lock"
code=0
# shellcheck disable=SC2016
"$client" inhibit --why=x --mode=delay sh -c 'sleep 60 & kill -TERM $PPID; wait' sh --json=nothing || code=$?
[ "$code" = 143 ] || fail "exit status $code and not 143"
eventually n_locks 0
code=0
"$client" inhibit --why=x "$work/no-such-command" 2>/dev/null || code=$?
[ "$code" = 127 ] || fail "exit status $code and not 127"

echo "# one that asks for time: told, awaited by name, and let go in time"
hold delay --target=region0 --who=cache --why='it writes back' --mode=delay
listen
path=$(request 'patient nothing')
eventually has "$path" Progress 'waiting for cache (.*): it writes back'
world_is ''
heard 'PrepareForRemoval' || fail "it waits and has told nobody"
grep -q 'BOOLEAN true' "$work/signals"
expect_error 'under way' inhibit namespace0.0 late 'comes too late' block
expect_error 'under way' inhibit '' late 'comes too late' delay
let_go
removal "$path" Wait | grep -q '"done"'
grep -q 'delay-over how=released' "$work/run/${path##*/}.ledger" || fail "it was not let go"
world_is 'apply nothing '

echo "# ... not in time: it goes on, and says without whom"
hold delay --target=region0 --who=cache --why='it hangs' --mode=delay
path=$(request 'nothing')
removal "$path" Wait | grep -q '"done"'
grep -q 'goes on without cache (.*it hangs' "$work/log" || fail "who was not waited for is not named"
grep -q 'delay-over how=timed-out' "$work/run/${path##*/}.ledger"
world_is 'apply nothing '

echo "# ... cancelled meanwhile, or out of time"
: >"$work/signals"
path=$(request 'patient nothing')
eventually has "$path" Progress 'waiting for cache'
removal "$path" Cancel
removal "$path" Wait | grep -q '"cancelled"'
eventually grep -q 'BOOLEAN false' "$work/signals"
path=$(request 'patient nothing' 1 timeout-usec t 500000)
removal "$path" Wait | grep -q '"timed-out"'
world_is ''

echo "# ... and the daemon dies meanwhile: undone, and those who heard of it hear that, too"
path=$(request 'patient nothing')
eventually has "$path" Progress 'waiting for cache'
: >"$work/signals"
kill -KILL "$daemon"
wait "$daemon" || :
start
removal "$path" Wait | grep -q '"cancelled\|"failed'
has "$path" State rolled-back
eventually grep -q 'BOOLEAN false' "$work/signals"
eventually heard RemovalFinished
world_is ''
# Nobody keeps descriptors for this daemon, so its locks ended with it, and the holder was told.
n_locks 0
eventually grep -q 'lock is lost' "$work/clients"
[ -z "$(ls "$work/run/inhibitors")" ] || fail "left: $(ls "$work/run/inhibitors")"
let_go
listen_no_more

echo "# who may: without polkit only root, with it whom it allows"
nobody() {
        setpriv --reuid=65534 --clear-groups busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" --timeout=60 \
                "$@"
}
ask_as_nobody() {
        nobody call org.pmemremoved1 /org/pmemremoved1 org.pmemremoved1.Manager "$@"
}
removal_as_nobody() {
        path=$1
        shift
        nobody call org.pmemremoved1 "$path" org.pmemremoved1.Removal "$@"
}
asked_is() {
        [ "$(cat "$work/asked")" = "$1" ] || fail "polkit was asked: $(cat "$work/asked"), not: $1"
        : >"$work/asked"
}
if command -v setpriv >/dev/null; then
        ask_as_nobody PlanRemove 'sa{sv}' namespace0.0 0 >/dev/null
        ask_as_nobody ListRemovals >/dev/null
        expect_error 'Access denied' \
                ask_as_nobody RequestRemove 'sa{sv}' namespace0.0 0
        expect_error 'Access denied' ask_as_nobody Reload
        expect_error 'Access denied' ask_as_nobody Inhibit ssss namespace0.0 db why block
        expect_error 'Access denied' ask_as_nobody Inhibit ssss '' db why delay
        ask_as_nobody ListInhibitors >/dev/null
        if nobody set-property org.pmemremoved1 /org/freedesktop/LogControl1 \
                org.freedesktop.LogControl1 LogLevel s debug 2>/dev/null; then
                fail "anybody may change the log level"
        fi

        : >"$work/asked"
        echo org.pmemremoved1.remove >"$work/allowed"
        "$polkit_program" "$work/asked" "$work/allowed" &
        polkit=$!
        eventually ctl status org.freedesktop.PolicyKit1 >/dev/null 2>&1

        answer=$(ask_as_nobody RequestRemove 'sa{sv}' namespace0.0 1 reason s wait)
        path=${answer#o \"}
        path=${path%\"}
        has "$path" StartedByUID 65534
        facts='road=graceful devices=namespace0.0 mounts=/mnt/pmem processes=0'
        asked_is "system-bus-name org.pmemremoved1.remove target=namespace0.0 mode=auto $facts flags=1"
        removal_as_nobody "$path" Cancel
        asked_is 'system-bus-name org.pmemremoved1.remove target=namespace0.0 flags=1'
        removal "$path" Wait | grep -q '"cancelled"'

        path=$(request wait)
        expect_error 'Access denied' removal_as_nobody "$path" Cancel
        asked_is 'system-bus-name org.pmemremoved1.cancel-other target=namespace0.0 flags=1'
        expect_error 'working on it' ask_as_nobody RequestRemove 'sa{sv}' namespace0.0 0
        asked_is ''
        removal "$path" Cancel
        removal "$path" Wait >/dev/null
        expect_error 'Access denied' \
                ask_as_nobody RequestRemove 'sa{sv}' namespace0.0 1 mode s forced
        asked_is "system-bus-name org.pmemremoved1.remove-forced target=namespace0.0 mode=forced $facts flags=1"
        expect_error 'Access denied' \
                ask_as_nobody RequestRemove 'sa{sv}' namespace0.0 1 override as 1 budget
        asked_is "system-bus-name org.pmemremoved1.remove-forced target=namespace0.0 mode=auto $facts flags=1"
        expect_error 'Access denied' \
                ask_as_nobody RequestRemove 'sa{sv}' namespace0.0 1 ignore-inhibitors b true
        asked_is "system-bus-name org.pmemremoved1.remove target=namespace0.0 mode=auto $facts flags=1
system-bus-name org.pmemremoved1.remove-ignore-inhibit target=namespace0.0 mode=auto $facts flags=1"
        expect_error 'Access denied' ask_as_nobody Inhibit ssss namespace0.0 db why block
        asked_is 'system-bus-name org.pmemremoved1.inhibit-block target=namespace0.0 mode=block flags=1'
        echo org.pmemremoved1.inhibit-delay >>"$work/allowed"
        ask_as_nobody Inhibit ssss namespace0.0 db why delay | grep -q '^h '
        asked_is 'system-bus-name org.pmemremoved1.inhibit-delay target=namespace0.0 mode=delay flags=1'

        echo "# what is refused anyway, nobody is asked about, and nothing is logged"
        lines=$(wc -l <"$work/log")
        expect_error 'first reason' ask_as_nobody RequestRemove 'sa{sv}' namespace0.0 1 reason s refuse
        asked_is ''
        sed "1,${lines}d" "$work/log" | grep -q 'first reason' && fail "a stranger writes into the journal"

        echo "# who is asked takes his time: the same plan, another plan, another removal, nobody left"
        echo think >>"$work/allowed"
        nobody_thinks() {
                ask_as_nobody RequestRemove 'sa{sv}' namespace0.0 1 reason s "$1"
        }
        answer=$(nobody_thinks nothing)
        path=${answer#o \"}
        removal "${path%\"}" Wait | grep -q '"done"'
        expect_error 'no longer' nobody_thinks moody
        : >"$work/asked"
        nobody_thinks nothing >"$work/late" 2>&1 &
        late=$!
        eventually test -s "$work/asked"
        path=$(request wait)
        wait "$late" && fail "two removals at a time"
        grep -q 'working on it' "$work/late" || fail "not refused as related: $(cat "$work/late")"
        removal "$path" Cancel
        removal "$path" Wait >/dev/null
        n=$(manager ListRemovals)
        : >"$work/asked"
        # One process, so that the kill reaches the one on the bus.
        (exec setpriv --reuid=65534 --clear-groups busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" \
                call org.pmemremoved1 /org/pmemremoved1 org.pmemremoved1.Manager \
                RequestRemove 'sa{sv}' namespace0.0 1 reason s nothing >/dev/null 2>&1) &
        late=$!
        eventually test -s "$work/asked"
        kill "$late"
        wait "$late" 2>/dev/null || :
        # Questions are answered in their order.
        expect_error 'Access denied' ask_as_nobody Reload
        [ "$(manager ListRemovals)" = "$n" ] || fail "a removal for somebody who has left"

        echo "# one user cannot take all the questions there may be"
        for _ in 1 2 3 4 5 6 7 8 9; do
                ask_as_nobody Reload >>"$work/many" 2>&1 &
        done
        eventually grep -q 'questions to polkit about this user' "$work/many"
        : >"$work/asked"
        kill "$polkit"
        polkit=
fi
: >"$work/world"

echo "# logind's locks: none without one, by what is under way, taken again from the next one"
start_login() {
        rm -f "$work/locks"
        "$login_program" "$work/locks" &
        login=$!
        eventually test -e "$work/locks"
}
stop_login() {
        kill "$login"
        wait "$login" 2>/dev/null || :
        login=
}
locks_are() {
        [ "$(sort "$work/locks" | tr '\n' ' ')" = "$1" ]
}
logind_says() {
        ctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager Announce sb "$@"
}
grep -q 'logind does not run' "$work/log" || fail "it is not said that nothing is held back"
[ "$(grep -c 'logind does not run' "$work/log")" = 1 ] || fail "it is said more than once"
start_login
hold patient --who=cache --mode=delay --why='it writes back'
path=$(request 'patient wait')
eventually locks_are 'delay '
stop_login
start_login
eventually locks_are 'delay '
let_go
eventually locks_are 'block delay '
stop_login
start_login
eventually locks_are 'block delay '

echo "# ... and what somebody else says in its name is not heard"
lie() {
        setpriv --reuid=65534 --regid=65534 --clear-groups \
                busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" --destination="$our_name" emit "$@"
}
our_name=$(ctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus GetNameOwner s org.pmemremoved1)
our_name=${our_name#s \"}
our_name=${our_name%\"}
lie /org/freedesktop/login1 org.freedesktop.login1.Manager PrepareForShutdown b true
lie /org/freedesktop/login1 org.freedesktop.login1.Manager PrepareForSleep b true
manager ListRemovals >/dev/null
locks_are 'block delay ' || fail "anybody may announce a shutdown"
# Else a refusal by the shutdown would come first.
expect_error 'working on it' request nothing

echo "# ... what it announces is undone first, and nothing new begins until it is off"
logind_says PrepareForSleep true
removal "$path" Wait | grep -q '"cancelled"'
has "$path" Error 'the machine goes to sleep' || fail "why it was cancelled is not said"
eventually locks_are ''
expect_error 'going to sleep' request nothing
lie /org/freedesktop/DBus org.freedesktop.DBus NameOwnerChanged sss org.freedesktop.login1 '' :1.1
lie /org/freedesktop/login1 org.freedesktop.login1.Manager PrepareForSleep b false
expect_error 'going to sleep' request nothing
manager PlanRemove 'sa{sv}' namespace0.0 0 >/dev/null
logind_says PrepareForSleep false
: >"$work/world"
path=$(request 'commit slow')
eventually locks_are 'block delay '
logind_says PrepareForShutdown true
removal "$path" Wait | grep -q '"done"'
eventually locks_are ''
expect_error 'shutting down' request nothing
logind_says PrepareForShutdown false

echo "# ... a person who is waited for blocks nobody; what is refused meanwhile is asked for afterwards"
: >"$work/log"
: >"$work/world"
path=$(request 'slow-back confirm' 1 hold-before-commit b true)
eventually has "$path" State waiting
eventually locks_are 'delay '
logind_says PrepareForSleep true
eventually has "$path" State rolling-back
manager ListRemovals >/dev/null
logind_says PrepareForSleep false
eventually locks_are 'block delay '
removal "$path" Wait | grep -q '"cancelled"'
grep -q 'gives no lock' "$work/log" && fail "a refusal while the machine goes to sleep is no news"
logind_says PrepareForShutdown true
stop_login
start_login
begins() {
        path=$(request nothing)
}
eventually begins
removal "$path" Wait >/dev/null
stop_login
: >"$work/world"

echo "# the daemon stops: what can be undone is"
path=$(request 'nothing wait')
eventually grep -q wait "$work/world"
kill "$daemon"
wait "$daemon" || fail "exit status $?"
world_is 'apply nothing apply wait revert wait revert nothing '

echo "# the daemon is killed: the next one remembers, and finishes"
start
path=$(request 'nothing slow slow')
eventually grep -q slow "$work/world"
kill -KILL "$daemon"
wait "$daemon" || :
start
has "$path" Target namespace0.0
removal "$path" Wait >/dev/null
has "$path" State rolled-back
grep -q 'was under way' "$work/log" || fail "the next daemon saw nothing unfinished"
manager ListRemovals | grep -q 'succeeded'

if command -v setpriv >/dev/null; then
        echo "# the daemon stops while somebody is asked for a password: it does not wait, and who has asked is told"
        : >"$work/asked"
        printf '%s\n' think org.pmemremoved1.remove org.pmemremoved1.manage >"$work/allowed"
        "$polkit_program" "$work/asked" "$work/allowed" &
        polkit=$!
        eventually ctl status org.freedesktop.PolicyKit1 >/dev/null 2>&1
        : >"$work/world"
        for call in "RequestRemove sa{sv} namespace0.0 1 reason s nothing" Reload; do
                : >"$work/asked"
                # shellcheck disable=SC2086 # several words
                ask_as_nobody $call >"$work/late" 2>&1 &
                late=$!
                eventually test -s "$work/asked"
                kill "$daemon"
                wait "$daemon" || fail "exit status $?"
                wait "$late" && fail "done by a daemon that stops: $call"
                grep -q 'daemon is stopping' "$work/late" || fail "not told why: $(cat "$work/late")"
                start
        done
        world_is ''
        kill "$polkit"
        polkit=
fi

echo "# reload, and the end"
kill -HUP "$daemon"
eventually grep -q 'configuration' "$work/log"
kill "$daemon"
wait "$daemon" || fail "exit status $?"
daemon=

echo "# a daemon and a client of different versions: what the other does not know is no success, and it is said why"
"$other_program" &
other=$!
eventually ctl status org.pmemremoved1 >/dev/null 2>&1
# not_known ARGUMENT...
not_known() {
        code=0
        timeout 30 "$client" --no-pager "$@" >"$work/out" 2>&1 </dev/null || code=$?
        [ "$code" = 1 ] || fail "exit status $code from: $* $(cat "$work/out")"
        grep -q 'of another version' "$work/out" || fail "not said why: $* $(cat "$work/out")"
}
not_known -y remove namespace0.0
not_known plan namespace0.0
not_known removals
not_known inhibitors
kill "$other"
other=

if grep -E 'AddressSanitizer|runtime error' "$work/log"; then
        fail "sanitizer"
fi
