# SPDX-License-Identifier: LGPL-2.1-or-later
# The service is stopped, restarted, upgraded (another file under its name, the old one deleted), the manager executes
# itself anew: in each state of a removal it ends well, the service is what it should be, and the client tells the truth.
# "all" by PMEMREMOVED_LAB_ARGS: every state with every action; else a sample.
# lab: kernel=new config=two timeout=900 ci=no
# matrix: stop, restart, upgrade, daemon-reexec in each state of a removal | forced | undone, or completed; nothing left

# newest: the number of the last ledger.
newest() {
        local l max=0
        for l in /run/pmemremoved/*.ledger; do
                l=${l##*/}
                l=${l%.ledger}
                [ "$l" = '*' ] || [ "$l" -le "$max" ] || max=$l
        done
        echo "$max"
}

# ask DRAIN [OPTION]...: by the client, in the background.
ask() {
        conf '[Policy]' "DrainSignals=SIGTERM:$1" 'FreezeBudget=10min' 'FreezeTimeout=10s'
        start_daemon
        systemctl reload pmemremoved
        shift
        before=$(newest) removal=''
        pmemremovectl remove -y --mode=forced "$@" namespace0.0 >/run/client 2>&1 </dev/null &
        client=$!
}

# begun: there is a removal now, in $removal.
begun() {
        wait_for '[ "$(newest)" -gt "$before" ]' 30
        removal=$bus_path/removal/$(newest)
        wait_for 'property State' 20
}

worker() {
        pgrep -of '^pmemremoved --run'
}

# --- into a state; what holds it there is let go by "resume", once the action has begun ---

resume() {
        :
}

in_planning() {
        ask 1h
        wait_for 'planner=$(child_named pmr-planner) && kill -STOP $planner' 20
}

in_drain() {
        ask 1h
        begun
        reaches draining
}

in_confirm() {
        ask 100ms --hold
        begun
        reaches waiting
}

stopped_at() {
        crash --stop "$1" worker
        ask "$2"
        begun
        [ -z "$3" ] || { reaches draining; tell Cancel; }
        crashed
        wait_for 'held=$(worker)' 5
        # shellcheck disable=SC2317 # whoever drives the row calls it
        resume() {
                sleep 0.5
                kill -CONT "$held"
                resume() { :; }
        }
}

in_frozen() {
        stopped_at 'frozen ' 100ms ''
}

in_undoing() {
        stopped_at 'rollback' 1h cancel
}

in_unbind() {
        crash 'kernel '
        ask 100ms
        begun
        crashed
}

in_ended() {
        ask 100ms
        begun
        tell Cancel || true
        result_of
}

# --- actions ---

act_stop() {
        systemctl stop pmemremoved
}

act_restart() {
        systemctl restart pmemremoved
}

# As a package does it: the new file takes the name of the old one, which has none any more.
act_upgrade() {
        cp /usr/sbin/pmemremoved /usr/sbin/pmemremoved.new
        mv /usr/sbin/pmemremoved.new /usr/sbin/pmemremoved
        systemctl daemon-reload
        systemctl try-restart pmemremoved
}

act_reexec() {
        systemctl daemon-reexec
}

active_after() {
        [ "$1" = stop ] && echo inactive || echo active
}

# What the client said, by its exit status: 0 is the only one that says it is removed.
truth_of_client() {
        local code=0
        timeout 60 tail --pid="$client" -f /dev/null || fail "the client still waits: $(cat /run/client)"
        wait "$client" || code=$?
        tail -n 2 /run/client | cut -c -200
        note "the client's exit status is $code"
        if is_bound namespace0.0; then [ "$code" != 0 ]; else [ "$code" = 0 ]; fi
}

try() {
        local state=$1 action=$2
        note "$state, $action"
        "in_$state"
        ("act_$action") &
        acting=$!
        resume
        timeout 60 tail --pid="$acting" -f /dev/null || fail "$action hangs"
        wait "$acting"
        [ "$(systemctl show -P ActiveState pmemremoved)" = "$(active_after "$action")" ]
        # Nothing has happened to it: it goes on, until somebody says no.
        if [ "$action" = reexec ] && [ -n "$removal" ]; then tell Cancel 2>/dev/null || true; fi
        if [ -n "${planner:-}" ]; then
                kill -CONT "$planner" 2>/dev/null || true
                planner=
        fi
        truth_of_client
        if [ -n "$removal" ]; then ended_well; else as_before; clean_behind; fi
        bring_back
}

mount_pmem
spawn_idle 150
world >/run/before
if [ "${1:-}" = all ]; then
        for state in planning drain confirm frozen undoing unbind ended; do
                for action in stop restart upgrade reexec; do todo+=("$state $action"); done
        done
else
        todo=('planning restart' 'drain upgrade' 'undoing stop' 'unbind upgrade' 'ended reexec')
fi
for one in "${todo[@]}"; do
        start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
        world >/run/before
        # shellcheck disable=SC2086 # two words
        try $one
done
