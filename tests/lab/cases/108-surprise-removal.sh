# SPDX-License-Identifier: LGPL-2.1-or-later
# The memory goes away in the middle of a removal, by somebody else's hand: while processes are asked to leave, while we
# have it frozen, at the commit point, while all is undone. The removal ends at once and says so; nothing stays frozen,
# and nothing is bound again that somebody else unbound.
# lab: kernel=new config=two timeout=400
# matrix: somebody else takes the memory away during the removal | all | failed: vanished; past the commit point partial

unbind() {
        bound_device namespace0.0 >/sys/bus/nd/drivers/nd_pmem/unbind
}

# begin DRAIN [OPTION...]: a removal that waits for DRAIN at most.
begin() {
        conf '[Policy]' "DrainSignals=SIGTERM:$1" 'FreezeBudget=10min' 'UnbindTimeout=10min'
        shift
        is_mounted || mount_pmem
        start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
        world >/run/before
        start_daemon
        : >/run/signals
}

# vanished RESULT: told once as a surprise, ended at once, nothing of ours left.
vanished() {
        local since=${EPOCHREALTIME/./}
        result_of
        echo "ended $(((${EPOCHREALTIME/./} - since) / 1000)) ms later"
        [ "$result" = "$1" ]
        property Error | grep -q 'somebody else'
        wait_for 'grep -A 4 DeviceRemoved /run/signals | grep -q surprise' 10
        if grep -A 4 DeviceRemoved /run/signals | grep -q requested; then fail "it says that it was asked for"; fi
        records "$removal" 2e8fbc1ebcfb4b09ba340553c73e8810
        clean_behind
        must_fail is_bound namespace0.0
        wait_for '! is_alive $app' 10
}

# The dead mount goes after the memory is back, as in case 107.
again() {
        kill -KILL "$app" 2>/dev/null || true
        wait_for '! is_alive $app' 10
        if ! is_bound namespace0.0; then bind_again namespace0.0; fi
        if is_mounted; then umount "$mnt"; fi
        bring_back
        systemctl stop pmemremoved
}

listen

note "while processes are asked to leave"
begin 1h
crash 'begin.*step=signal'
request namespace0.0 mode s auto
crashed
unbind
vanished failed
[ "$(property State)" = 's "rolled-back"' ]
again

note "while we have it frozen"
begin 100ms
crash --stop 'frozen ' worker
request namespace0.0 mode s forced
crashed
unbind
kill -CONT "$(pgrep -of '^pmemremoved --run')"
vanished failed
again

note "between the commit point and our own unbind"
begin 100ms
crash --stop 'committed' worker
request namespace0.0 mode s forced
crashed
if ! grep -q '^unbinding' /run/pmemremoved/*.ledger; then
        unbind
        kill -CONT "$(pgrep -of '^pmemremoved --run')"
        vanished partial
        must_fail is_mounted
else
        note "it was too late for that"
        kill -CONT "$(pgrep -of '^pmemremoved --run')"
        result_of
fi
again

note "while it is undone: the mount has nothing to stand on any more, and is not called stuck; its unit is free again"
echo "/dev/pmem0 $mnt xfs noauto,nofail 0 0" >>/etc/fstab
systemctl daemon-reload
unit=$(systemd-escape -p --suffix=mount "$mnt")
begin 100ms
# The unmount has been made, the claim is held, and it waits for Confirm.
kill -KILL "$app"
wait_for '! is_alive $app' 10
crash --stop 'rollback' worker
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
must_fail is_mounted
[ "$(systemctl show -P LoadState "$unit")" = masked ]
tell Cancel
crashed
unbind
kill -CONT "$(pgrep -of '^pmemremoved --run')"
vanished failed
property Error | grep -q "$mnt"
[ "$(systemctl show -P LoadState "$unit")" = loaded ] || fail "$unit is still masked"
[ "$(property State)" = 's "rolled-back"' ]
again
