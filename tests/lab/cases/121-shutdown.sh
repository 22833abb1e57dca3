# SPDX-License-Identifier: LGPL-2.1-or-later
# The whole shutdown but its last program, forced past logind, in the middle of a forced removal that has stopped a
# service and frozen the filesystem: thawed and undone before the service is gone. The service that may not be started
# any more is no reason to call that stuck.
# lab: kernel=new config=two timeout=150
# matrix: the machine is shut down by force while frozen | forced | thawed, undone before the daemon is gone

# What the shutdown would end: the case, its programs, the way to the host.
mkdir /sys/fs/cgroup/lab
scope=/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope/cgroup.procs
leave_scope() {
        local pids pid
        # Not while it is read: who leaves makes the reader miss the next one.
        mapfile -t pids <"$scope"
        for pid in "${pids[@]}"; do
                echo "$pid" >/sys/fs/cgroup/lab/cgroup.procs 2>/dev/null || true
        done
        mapfile -t pids <"$scope"
        [ ${#pids[@]} -eq 0 ]
}
leave_scope || leave_scope

ledger() {
        cat /run/pmemremoved/1.ledger
}

echo "/dev/pmem0 $mnt xfs dax=always,noauto 0 0" >>/etc/fstab
cat >/run/systemd/system/db.service <<END
[Unit]
RequiresMountsFor=$mnt
[Service]
ExecStart=/bin/sh -c 'cd $mnt; exec sleep infinity'
END
# As systemd-poweroff.service, but for what it executes.
cat >/run/systemd/system/down.target <<'END'
[Unit]
DefaultDependencies=no
Requires=shutdown.target umount.target
After=shutdown.target umount.target
END
systemctl daemon-reload
mkdir -p "$mnt"
systemctl start mnt-pmem.mount db.service
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
world >/run/before
conf '[Policy]' 'DrainSignals=SIGTERM:200ms' 'FreezeTimeout=8s' 'UnbindTimeout=2s'
start_daemon
crash --stop 'frozen ' worker
request namespace0.0 mode s forced
crashed
[ "$(systemctl show -P ActiveState db.service)" = inactive ]

systemctl start --no-block --job-mode=replace-irreversibly down.target
wait_for '[ "$(systemctl show -P ActiveState pmemremoved)" = deactivating ]' 20
sleep 1
kill -CONT "$(pgrep -of '^pmemremoved --run')"
wait_for '[ ! -e /sys/fs/cgroup/system.slice/pmemremoved.service/cgroup.procs ]' 60
systemctl is-system-running || true
ledger | grep -E '^(cancel|fail|rollback|warn|finished|reported)' || true
ledger | grep '^finished .*state=rolled-back' || fail "not undone: $(ledger | tail -n 5)"
ledger | grep '^warn db.service .*shuts down' || fail "it is not said that db.service stays down"
as_before
[ "$(systemctl show -P ActiveState dbus.service)" != active ] || note "dbus still runs"
