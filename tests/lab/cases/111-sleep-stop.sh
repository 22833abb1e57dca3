# SPDX-License-Identifier: LGPL-2.1-or-later
# While the umount sleeps in the kernel: the daemon is stopped, and the stop ends in its time; it is killed, and the next
# one has its name and answers, says for whom it waits, and takes everything back when the kernel returns.
# lab: kernel=new config=two timeout=400
# matrix: the daemon is stopped or killed while a umount sleeps | graceful | the next one waits for the kernel, then undoes

mount_slow
conf '[Policy]' 'DrainSignals=SIGTERM:1h'
mkdir -p /run/systemd/system/pmemremoved.service.d
printf '[Service]\nTimeoutStopSec=8s\n' >/run/systemd/system/pmemremoved.service.d/stop.conf
systemctl daemon-reload

# begin: a removal whose umount sleeps.
begin() {
        world >/run/before
        start_daemon
        crash --stop 'begin.*step=unmount' worker
        request namespace0.0 mode s graceful
        crashed
        suspend_slow
        kill -CONT "$(pgrep -of '^pmemremoved --run')"
        wait_for 'property Progress | grep -q "sleeps in the kernel"' 20
        property Progress
}

# waits: a daemon that has its name, and a removal that says for whom it waits.
waits() {
        wait_for 'property Progress | grep -q "earlier worker.*sleeps in the kernel"' 40
        property Progress
        property State
        answers
        tell Cancel || true
        busctl --timeout=2 call "$bus_name" "$bus_path" "$bus_name.Manager" ListRemovals >/dev/null
}

undone() {
        dmsetup resume slow
        result_of
        [ "$result" != stuck ]
        as_before
        clean_behind
        systemctl stop pmemremoved
        systemctl reset-failed pmemremoved 2>/dev/null || true
}

note "the daemon is killed"
begin
systemctl kill -s KILL --kill-whom=main pmemremoved
waits
undone

note "the daemon is stopped"
begin
since=$SECONDS
timeout 60 systemctl stop pmemremoved || true
echo "the stop took $((SECONDS - since)) s"
systemctl show -P ActiveState,Result pmemremoved
systemctl reset-failed pmemremoved 2>/dev/null || true
start_daemon
waits
undone
