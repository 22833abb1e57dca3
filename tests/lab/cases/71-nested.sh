# SPDX-License-Identifier: LGPL-2.1-or-later
# What is mounted below a mount of the memory: what nobody uses and can be mounted again goes and comes back, the rest is
# named. Nobody who uses other storage is ever signalled.
# lab: kernel=new,old config=two timeout=180
# matrix: filesystem of another disk mounted below, unused | graceful | unmounted first, mounted again on rollback
# matrix: filesystem of another disk mounted below, in use | any | refused, users named, nobody signalled
# matrix: other memory mounted below | graceful, forced | unmounted first; in use: refused, users named
# matrix: tmpfs or automount point mounted below | any | refused, named

nested() {
        sed -n "s|^[0-9]* [0-9]* \([0-9:]* .* $mnt/.*\)|\1|p" /proc/self/mountinfo | sed 's/ shared:[0-9]*/ shared/' | sort
}

mount_pmem
make_xfs /dev/pmem1
modprobe brd rd_nr=1 rd_size=65536
mkfs.ext4 -q /dev/ram0
mkdir -p "$mnt"/{other,stays,tmp,auto,deep}
mount -o noatime,nodev /dev/ram0 "$mnt/other"
mkdir -p "$mnt/other/deep"
mount --bind "$mnt/other" "$mnt/other/deep"
mount -o dax=always /dev/pmem1 "$mnt/stays"
echo kept | tee "$mnt/other/file" >"$mnt/stays/file"
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
nested | tee /run/nested
world >/run/before

note "undone, all is as before"
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
[ -z "$(nested)" ]
tell Cancel
result_of
[ "$result" = cancelled ]
nested | diff /run/nested -
world | diff /run/before -
grep -q kept "$mnt/other/file"

note "in use by strangers"
umount "$mnt/other/deep"
start_app --fd-only "$mnt/other/data"
stranger=$app
start_app --fd-only "$mnt/stays/data"
nested >/run/nested
world >/run/before
refused "$mnt/other" "$stranger (pmemapp)" "$mnt/stays" "$app (pmemapp)" -- namespace0.0
is_alive "$stranger"
is_alive "$app"
nested | diff /run/nested -
kill -KILL "$stranger" "$app"
wait_for '! is_alive $stranger && ! is_alive $app' 10

note "what cannot be mounted again"
mount -t tmpfs scratch "$mnt/tmp"
refused "$mnt/tmp" "umount $mnt/tmp" -- namespace0.0
umount "$mnt/tmp"
world | diff /run/before -

note "forced: the memory below stays and is not frozen"
mode=graceful
if [ "$(uname -r | cut -d. -f1,2)" = 6.12 ]; then mode=forced; fi
start_app --on-term=ignore "$mnt/data"
[ $mode = forced ] || kill -KILL "$app"
request namespace0.0 mode s $mode
wait_removal done
must_fail is_alive "$app"
assert_gone namespace0.0
[ -z "$(nested)" ]
is_bound namespace1.0
mkdir -p /mnt/check
mount /dev/pmem1 /mnt/check
must_fail is_frozen /mnt/check
grep -q kept /mnt/check/file
