# SPDX-License-Identifier: LGPL-2.1-or-later
# Applications ask for time: nobody is signalled before they had it, they are awaited by name, at most DelayMax=, and told
# when it is called off, also after the death of the daemon that had announced it.
# lab: kernel=new config=one timeout=200
# matrix: an application asks for time (Inhibit, mode delay) | graceful | waits until it lets go, or DelayMax= is over

waits() {
        wait_for "property Progress | grep -q 'waiting for cache .*: it writes back'" 20
        announced true
        is_alive "$app" || fail "the application was signalled already"
        is_mounted || fail "it was unmounted already"
        if grep '^signalled ' "/run/pmemremoved/${removal##*/}.ledger"; then fail "somebody was signalled already"; fi
}

called_off() {
        result_of
        case $1 in *"$result"*) ;; *) fail "$result, not $1" ;; esac
        as_before
        announced false
        clean_behind
        : >/run/signals
}

mount_pmem
conf '[Policy]' 'DelayMax=1h' 'Mode=graceful'
start_daemon
start_app --ack=/run/ack "$mnt/data"
world >/run/before
listen

note "cancelled while it waits"
hold_lock --target="$mnt" --who=cache --why='it writes back' --mode=delay
request namespace0.0
waits
ctl_refused 5 inhibit --target=region0 --why='too late' true
pmemremovectl cancel 1
called_off cancelled

note "the daemon dies while it waits; the lock is held all the same"
request namespace0.0
waits
main=$(systemctl show -P MainPID pmemremoved)
kill -KILL "$main"
called_off 'cancelled failed'
[ "$(n_locks)" -eq 1 ]

note "it lets go in time"
request namespace0.0
waits
let_go
wait_removal done
removed
clean_behind
grep -q '^delay-over how=released' "/run/pmemremoved/${removal##*/}.ledger"
bring_back

note "it does not: the removal goes on without it"
conf '[Policy]' 'DelayMax=1s' 'Mode=graceful'
systemctl reload pmemremoved
app=
hold_lock --who=cache --why='it writes back' --mode=delay
request namespace0.0
wait_removal done
removed
clean_behind
grep -q '^delay-over how=timed-out' "/run/pmemremoved/${removal##*/}.ledger"
records "$removal" | grep 'goes on without cache .*it writes back'
let_go
