# SPDX-License-Identifier: LGPL-2.1-or-later
# It never takes the ground away from under itself: the journal's storage through a loop device, its own library through an
# overlay. Refused before anything is touched, with the layers in between.
# lab: kernel=new,old config=two timeout=120
# matrix: the journal's storage, through a loop device | any | refused, the layers named
# matrix: the daemon's own library, through an overlay | any | refused, the layers named

mount_pmem
note "the journal on a loop device on a file"
truncate -s 64M "$mnt/image"
mkfs.ext4 -q "$mnt/image"
mkdir -p /var/log/journal
mount -o loop "$mnt/image" /var/log/journal
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nStorage=persistent\n' >/etc/systemd/journald.conf.d/zz.conf
systemctl restart systemd-journald
journalctl --flush
wait_for 'ls /var/log/journal/*/system.journal' 20
start_daemon
world >/run/before
for mode in graceful auto; do
        refused_as Protected namespace0.0 mode s "$mode"
        grep -q '/var/log/journal.* through filesystem loop[0-9]*, stacked loop[0-9]*, filesystem pmem0' <<<"$sentence" ||
                fail "the layers are not named: $sentence"
done
world | diff /run/before -
pid=$(systemctl show -P MainPID systemd-journald)
ctl_refused 5 plan namespace0.0
grep -q "$pid (systemd-journal)" /run/out || fail "journald itself is not named"
rm /etc/systemd/journald.conf.d/zz.conf
systemctl restart systemd-journald
umount /var/log/journal

note "its library in a layer of an overlay"
systemctl stop pmemremoved
mkdir -p "$mnt/upper" "$mnt/work" /run/empty /run/layers
cp -L "$(ldd /usr/sbin/pmemremoved | awk '/libndctl/ { print $3; exit }')" "$mnt/upper/"
mount -t overlay -o "lowerdir=/run/empty,upperdir=$mnt/upper,workdir=$mnt/work" overlay /run/layers
systemctl set-environment LD_LIBRARY_PATH=/run/layers
start_daemon
systemctl unset-environment LD_LIBRARY_PATH
refused_as Protected namespace0.0
grep -q "/run/layers/libndctl" <<<"$sentence" || fail "the library is not named: $sentence"
systemctl stop pmemremoved
umount /run/layers
rm -r "$mnt/upper" "$mnt/work"
start_daemon

note "off the ground, it goes"
request namespace0.0
wait_removal done
assert_gone namespace0.0
