# SPDX-License-Identifier: LGPL-2.1-or-later
# fstab without nofail: the plan says that a boot would wait. KeepOff=yes keeps it off until the next boot, persistent for good,
# and local-fs.target can be reached without the memory. An undone removal leaves nothing behind.
# lab: kernel=new config=two timeout=200
# matrix: fstab entry without nofail | any | told; with KeepOff= no boot waits for it

echo "/dev/pmem0 $mnt xfs dax=always 0 0" >>/etc/fstab
mkdir -p "$mnt"
systemctl daemon-reload
systemctl start mnt-pmem.mount
conf
start_daemon
world >/run/before

links() {
        find /etc/systemd/system /run/systemd/system.control -lname /dev/null -path '*mnt-pmem*' | sort
}

# local_fs SECONDS: what a boot does.
local_fs() {
        systemctl stop local-fs.target
        timeout "$1" systemctl start local-fs.target
}

# As journal told.
take_back() {
        local command
        command=$(records "$removal" | sed -n 's/.*; \(rm .* && systemctl daemon-reload\) takes that back$/\1/p')
        [ -n "$command" ] || fail "the journal does not say how to take it back"
        note "$command"
        eval "$command"
        [ -z "$(links)" ] || fail "left: $(links)"
        bind_again namespace0.0
        systemctl start mnt-pmem.mount
        is_mounted
}

note "told"
pmemremovectl plan namespace0.0 | grep "$mnt: /etc/fstab has it without nofail"

note "an undone removal leaves nothing behind"
conf '[Policy]' 'KeepOff=persistent'
systemctl reload pmemremoved
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
[ "$(links)" = /run/systemd/system.control/mnt-pmem.mount ]
tell Cancel
result_of
[ "$result" = cancelled ]
[ -z "$(links)" ]
as_before

note "until the next boot"
conf '[Policy]' 'KeepOff=yes'
systemctl reload pmemremoved
request namespace0.0 mode s graceful
wait_removal done
links
[ "$(systemctl show -P ActiveState -P LoadState mnt-pmem.mount | sort | xargs)" = 'inactive masked' ] ||
        fail "$(systemctl status mnt-pmem.mount)"
local_fs 10
take_back

note "for good: the next boot has nothing of /run, and would wait without that"
conf '[Policy]' 'KeepOff=persistent'
systemctl reload pmemremoved
pmemremovectl plan namespace0.0 >/run/plan
must_fail grep nofail /run/plan
request namespace0.0 mode s graceful
wait_removal done
links
cp -a /run/systemd/system.control /run/control
rm -r /run/systemd/system.control
systemctl daemon-reload
local_fs 10
must_fail timeout 2 systemctl start mnt-pmem.mount
systemctl list-jobs | grep dev-pmem0.device
systemctl cancel
[ "$(systemctl show -P LoadState mnt-pmem.mount)" = loaded ]
mv /run/control /run/systemd/system.control
take_back
