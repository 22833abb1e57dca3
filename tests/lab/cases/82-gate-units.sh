# SPDX-License-Identifier: LGPL-2.1-or-later
# A mount unit and an automount point would mount again what is taken away: the unit is masked meanwhile, the automount
# stopped. A removal that is undone leaves all as it was; after one that is done the unit is free and waits for its device.
# lab: kernel=new,old config=two timeout=150
# matrix: mount unit, automount point | any | masked meanwhile; automount stopped, or back on rollback

mkdir -p "$mnt"
echo "/dev/pmem0 $mnt xfs dax=always,noauto,x-systemd.automount 0 0" >>/etc/fstab
systemctl daemon-reload
systemctl start mnt-pmem.automount
ls "$mnt" >/dev/null
mountpoint -q "$mnt"
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
world >/run/before

note "the plan says so"
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" PlanRemove 'sa{sv}' namespace0.0 0 | grep -q 'op=gate'

note "nothing can start it between the unmount and the end, and the way back restores everything"
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
must_fail grep -q " $mnt xfs " /proc/self/mounts
[ "$(systemctl show -P LoadState mnt-pmem.mount)" = masked ]
must_fail systemctl start mnt-pmem.mount
must_fail systemctl is-active -q mnt-pmem.automount
must_fail timeout 20 ls "$mnt/intruder"
must_fail grep -q " $mnt xfs " /proc/self/mounts
tell Cancel
result_of
[ "$result" = cancelled ]
world | diff /run/before -
systemctl is-active -q mnt-pmem.automount
[ "$(systemctl show -P LoadState mnt-pmem.mount)" = loaded ]
[ ! -e /run/systemd/system.control/mnt-pmem.mount ]

note "the worker dies with the unit masked: recovery opens the gate"
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
worker=$(pgrep -f 'pmemremoved --run' | head -n 1)
kill -KILL "$worker"
result_of
[ "$result" != done ]
[ "$(systemctl show -P LoadState mnt-pmem.mount)" = loaded ]
world | diff /run/before -
systemctl is-active -q mnt-pmem.automount

note "done: the unit is free again, the automount point is gone"
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
[ "$(systemctl show -P LoadState mnt-pmem.mount)" = loaded ]
[ "$(systemctl show -P ActiveState mnt-pmem.automount)" = inactive ]
must_fail grep -q " $mnt " /proc/self/mounts
clean_behind
