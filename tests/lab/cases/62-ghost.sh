# SPDX-License-Identifier: LGPL-2.1-or-later
# Filesystems that live on without a mount: unmounted lazily with a user left, and unmounted while frozen. Both are named,
# and nothing is removed.
# lab: kernel=new,old config=two timeout=240
# matrix: lazily unmounted, a user left | graceful | refused, the user is named; auto kills it
# matrix: unmounted while frozen | none | refused; mount, fsfreeze -u, umount makes it removable

conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon

note "unmounted while frozen"
mount_pmem
echo data >"$mnt/file"
fsfreeze -f "$mnt"
umount "$mnt"
[ -d /sys/fs/xfs/pmem0 ] || fail "no ghost"
for mode in graceful auto forced; do
        refused_as Busy namespace0.0 mode s "$mode"
        grep -q 'fsfreeze -u' <<<"$sentence" || output_lacks 'fsfreeze -u' "$sentence"
        is_bound namespace0.0
done

note "as it says"
mount_pmem
fsfreeze -u "$mnt"
umount "$mnt"
[ ! -e /sys/fs/xfs/pmem0 ]
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
bind_again namespace0.0
mount_pmem
grep -q data "$mnt/file"

note "unmounted lazily, a user left"
start_app --on-term=ignore --fd-only "$mnt/open"
umount -l "$mnt"
world >/run/before
request namespace0.0 mode s graceful
wait_removal refused
property Error | grep -q "$app"
property Error | grep -q 'lazily unmounted'
is_alive "$app"
is_bound namespace0.0
world | diff /run/before -

note "its user gone, nothing is in the way"
kill -KILL "$app"
wait_for '[ ! -e /sys/fs/xfs/pmem0 ]' 10
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
