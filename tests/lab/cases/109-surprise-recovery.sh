# SPDX-License-Identifier: LGPL-2.1-or-later
# Worker and daemon die, and before anybody can take back what they did the memory goes away as well. Recovery ends, says
# what it could not give back, and binds nothing that somebody else unbound.
# lab: kernel=new config=two timeout=400 ci=no
# matrix: the memory goes away between a crash and its recovery | all | failed: vanished, with what is lost

# begin PATTERN OPTION...: the worker is stopped at that line, its daemon killed; the next one waits and says so.
begin() {
        local pattern=$1
        shift
        conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeBudget=10min' 'UnbindTimeout=10min'
        is_mounted || mount_pmem
        world >/run/before
        start_daemon
        crash --stop "$pattern" worker
        request namespace0.0 "$@"
        crashed
        worker=$(pgrep -of '^pmemremoved --run')
        systemctl kill -s KILL --kill-whom=main pmemremoved
        wait_for 'property Progress | grep -q "is stopped"' 40
        property Progress
        answers
}

# vanished NAMED: what its error names besides.
vanished() {
        kill -KILL "$worker"
        result_of
        [ "$result" = failed ]
        [ "$(property State)" = 's "rolled-back"' ]
        property Error | grep -q 'somebody else'
        property Error | grep -q -- "$1"
        clean_behind
        must_fail is_bound namespace0.0
}

again() {
        systemctl stop pmemremoved
        systemctl reset-failed pmemremoved 2>/dev/null || true
        if ! is_bound namespace0.0; then bind_again namespace0.0; fi
        if is_mounted; then umount "$mnt"; fi
}

unbind() {
        bound_device namespace0.0 >/sys/bus/nd/drivers/nd_pmem/unbind
}

note "unmounted, the disk claimed, and it waits for Confirm"
begin 'confirm-wanted' mode s graceful hold-before-commit b true
unbind
vanished "$mnt"
again

note "frozen"
mount_pmem
start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
begin 'frozen ' mode s forced
unbind
vanished pfn0
wait_for '! is_alive $app' 10
bind_again namespace0.0
umount "$mnt"
mount_pmem
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
again

note "unbound by us, and then its region disabled by somebody else"
begin 'begin.*step=flush' mode s graceful
ndctl disable-region region0
vanished "$mnt"
[ ! -e /sys/bus/nd/devices/region0/driver ] || fail "region0 was enabled again"
ndctl enable-region region0
wait_for 'is_bound namespace0.0' 10
