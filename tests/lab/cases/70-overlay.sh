# SPDX-License-Identifier: LGPL-2.1-or-later
# Overlays with layers on the memory: the exclusive claim would fail for them although nothing below is mounted any more.
# They go first, their users are users, and they come back with the same layers.
# lab: kernel=new,old config=two timeout=180
# matrix: overlay with layers on the target | graceful | unmounted first, mounted again on rollback
# matrix: user of an overlay only | any | is a user: named, signalled, killed in the end
# matrix: overlay with relative layers | any | refused, named

overlays() {
        sed -n 's/^[0-9]* [0-9]* [0-9:]* \(.*\) - overlay \(.*\)/\1 \2/p' /proc/self/mountinfo |
                sed '/^\/ \/ /d; s/ shared:[0-9]*/ shared/' | sort
}

make_ext4
mount_pmem
mkdir -p "$mnt"/{l1,l2,u,w} /srv/merged /srv/link /run/upper /run/work
ln -s "$mnt" /run/way
echo low >"$mnt/l1/file"
mount -t overlay overlay -o "lowerdir=$mnt/l1:$mnt/l2,upperdir=$mnt/u,workdir=$mnt/w" /srv/merged
mount -t overlay by-a-link -o "ro,noatime,lowerdir=/run/way/l1:/run/upper" /srv/link
echo high >/srv/merged/file
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
overlays | tee /run/overlays
[ "$(wc -l </run/overlays)" -eq 2 ]
world >/run/before

note "the plan names them, before what they stand on"
pmemremovectl plan namespace0.0 >/run/out || fail "$(cat /run/out)"
awk '$2 == "unmount" && !seen[$3]++ { printf "%s ", $3 }' /run/out | tee /run/order
grep -q "/srv/.*/srv/.*$mnt" /run/order

note "undone, all is as before"
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
[ -z "$(overlays)" ]
tell Cancel
result_of
[ "$result" = cancelled ]
overlays | diff /run/overlays -
world | diff /run/before -
grep -q high /srv/merged/file
grep -q low /srv/link/file

note "who uses only the overlay is in the way"
start_app --on-term=ignore --fd-only /srv/merged/data
request namespace0.0 mode s graceful
wait_removal refused
property Error | grep -q "$app"
overlays | diff /run/overlays -
world | diff /run/before -

note "layers that cannot be found again"
mkdir -p /srv/relative
(cd "$mnt" && mount -t overlay relative -o "lowerdir=l1:l2" /srv/relative)
refused /srv/relative umount -- namespace0.0
umount /srv/relative
world | diff /run/before -

note "killed in the end, and done"
request namespace0.0
wait_removal done
must_fail is_alive "$app"
assert_gone namespace0.0
[ -z "$(overlays)" ]
bind_again namespace0.0
mount_pmem
grep -q high "$mnt/u/file"
