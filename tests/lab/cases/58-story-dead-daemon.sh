# SPDX-License-Identifier: LGPL-2.1-or-later
# The daemon dies, in each phase of a removal: nobody who waits for it waits for ever, and all are told the same end.
# lab: kernel=new config=one timeout=300
# story: rauc #1452

# ended PID SECONDS: the exit status of a child of ours, in $code.
ended() {
        wait_for "! is_alive $1" "$2"
        code=0
        wait "$1" || code=$?
}

# under_way: the removal that has not ended, in $removal.
under_way() {
        removal=$(busctl --json=short call "$bus_name" "$bus_path" "$bus_name.Manager" ListRemovals |
                jq -er '.data[0][] | select(.[4] == "") | .[1]')
}

mount_pmem
start_daemon
while IFS=: read -r when mode drain; do
        note "$mode, at ${when:-the drain}"
        # Long enough for all who wait to be there before the daemon dies.
        conf '[Policy]' "DrainSignals=SIGTERM:$drain" 'FreezeBudget=10min'
        systemctl reload pmemremoved
        start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
        world >/run/before
        [ -z "$when" ] || crash "$when" daemon
        pmemremovectl remove -y --mode="$mode" namespace0.0 >/run/remove 2>&1 </dev/null &
        remover=$!
        wait_for under_way 20
        pmemremovectl wait "${removal##*/}" >/run/wait 2>&1 </dev/null &
        waiter=$!
        busctl --timeout=3600 call "$bus_name" "$removal" "$bus_name.Removal" Wait >/run/busctl 2>&1 &
        caller=$!
        wait_for 'grep -q draining /run/wait' 10
        if [ -n "$when" ]; then crashed; else kill -KILL "$(systemctl show -P MainPID pmemremoved)"; fi
        # Whoever called the old daemon directly is told by the bus that it is gone.
        ended "$caller" 10
        [ "$code" -ne 0 ] || grep -q '^s "' /run/busctl || fail "busctl says nothing"
        ended "$remover" 60
        status=$code
        ended "$waiter" 10
        tail -n 1 /run/busctl /run/remove /run/wait
        [ "$code" = "$status" ] || fail "remove says $status, wait says $code"
        ended_well
        case $result:$status in
        done:0 | partial:7 | failed:1 | refused:5 | cancelled:9 | timed-out:6) ;;
        *) fail "the result is $result, the exit status $status" ;;
        esac
        bring_back
done <<'END'
:graceful:1h
begin.*step=unmount :graceful:4s
frozen :forced:4s
kernel :forced:4s
END
