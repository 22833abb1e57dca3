# SPDX-License-Identifier: LGPL-2.1-or-later
# What the machine as a whole can do without: nothing while an array lacks a disk, one device at a time; counted on the
# machine, so that it holds after a restart and for what was taken out by hand, and overruled only by name.
# lab: kernel=new config=two timeout=240
# matrix: an md array of the machine lacks a disk, WhileDegraded=no | any | refused; by name of the check it goes on
# matrix: as many devices out as MaxRemoved= allows, by whatever cause | any | refused, after a restart too

# over_limit WORD TARGET [KEY TYPE VALUE]...: refused, and this is what is said.
over_limit() {
        refused_as LimitExceeded "${@:2}"
        grep -q -- "$1" <<<"$sentence" || fail "no \"$1\" in: $sentence"
}

# allowed TARGET [KEY TYPE VALUE]...: would be done.
allowed() {
        request "$1" dry-run b true "${@:2}"
        wait_removal done
}

modprobe brd rd_nr=2 rd_size=65536
conf '[Policy]' 'MaxParallel=1' '[Budget]' 'MaxRemoved=1' 'WhileDegraded=no'
mount_pmem
start_daemon
world >/run/before

note "no array, one that lacks a disk, one that is whole again"
allowed namespace1.0
mdadm --create /dev/md9 --run --homehost=any --metadata=1.2 --level=1 --raid-devices=2 /dev/ram0 missing 2>&1 |
        tail -n 1
udevadm settle
[ "$(cat /sys/block/md9/md/degraded)" -eq 1 ]
over_limit 'md9 (raid1) lacks 1 ' namespace1.0
grep -q 'override the check degraded' <<<"$sentence"
ctl_refused 5 remove -y namespace1.0
allowed namespace1.0 override as 1 degraded
mdadm --manage /dev/md9 --add /dev/ram1
# What is being written to the new disk is not there yet.
if [ "$(cat /sys/block/md9/md/degraded)" -ne 0 ]; then
        ask_error namespace1.0 dry-run b true
        [ "$(cat /sys/block/md9/md/degraded)" -eq 0 ] || [ "$error" = "$bus_name.Error.LimitExceeded" ]
fi
wait_for '[ "$(cat /sys/block/md9/md/degraded)" -eq 0 ]' 60
allowed namespace1.0

note "one device is out, and no more may be"
request namespace1.0
wait_removal done
assert_gone namespace1.0
over_limit 'MaxRemoved=1 .*1 out already (namespace1.0)' namespace0.0
refused_as AlreadyRemoved namespace1.0
systemctl restart pmemremoved
over_limit '1 out already (namespace1.0)' namespace0.0
pmemremovectl plan namespace0.0 >/run/plan 2>&1 || true
grep -q 'MaxRemoved=1' /run/plan
allowed namespace0.0 override as 1 budget
diff <(grep -v '/pfn1\.' /run/before) <(world | grep -v '/pfn1\.')

note "it is back, and with its region taken out by hand"
bind_again namespace1.0
ndctl disable-region region1 2>&1 | tail -n 1
over_limit '(region1)' namespace0.0
ndctl enable-region region1 2>&1 | tail -n 1
wait_for 'is_bound namespace1.0' 10
allowed namespace0.0

note "what a removal works on counts, and so does MaxParallel="
request namespace0.0 mode s graceful hold-before-commit b true
held=$removal
reaches waiting
over_limit '(namespace0.0)' namespace1.0
over_limit 'MaxParallel=' namespace1.0 override as 1 budget
conf '[Policy]' 'MaxParallel=2' '[Budget]' 'MaxRemoved=1' 'WhileDegraded=no'
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" Reload
over_limit 'MaxRemoved=1' namespace1.0
request namespace1.0 override as 1 budget
wait_removal done
records "$removal" | grep -q 'overruling budget'
bind_again namespace1.0
removal=$held
tell Cancel
wait_removal cancelled
is_mounted

note "no limit"
conf '[Policy]'
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" Reload
ndctl disable-namespace namespace1.0
mdadm --manage /dev/md9 --fail /dev/ram1
allowed namespace0.0
mdadm --stop /dev/md9
