# SPDX-License-Identifier: LGPL-2.1-or-later
# What the kernel itself serves from the memory: SCSI and NVMe targets, zram's writeback. No process shows any of them, and the
# NVMe target does not even claim its disk.
# lab: kernel=new,old config=two timeout=120
# matrix: LIO fileio on a file, iblock on a disk | any | refused with the backstore to delete
# matrix: nvmet namespace on a file, on a disk | any | refused with the enable file
# matrix: zram writeback | any | refused with zramctl --reset

modprobe -a nvmet target_core_mod target_core_file target_core_iblock zram
config=/sys/kernel/config
is_mounted $config || mount -t configfs none $config
backstores=$config/target/core
subsystem=$config/nvmet/subsystems/nqn.lab
mount_pmem
truncate -s 16M "$mnt/image"
start_daemon

# blocked WORD...: namespace0.0 is refused, on each road, and each word is in the reason.
blocked() {
        local mode word
        for mode in graceful auto; do refused_as Busy namespace0.0 mode s "$mode"; done
        for word in "$@"; do grep -qF -- "$word" <<<"$sentence" || fail "no $word in: $sentence"; done
}

note "files"
mkdir -p $backstores/fileio_0/file $subsystem/namespaces/1
echo "fd_dev_name=$mnt/image,fd_dev_size=16777216" >$backstores/fileio_0/file/control
echo 1 >$backstores/fileio_0/file/enable
must_fail umount "$mnt"
blocked "$mnt/image" "rmdir $backstores/fileio_0/file"
rmdir $backstores/fileio_0/file
printf %s "$mnt/image" >$subsystem/namespaces/1/device_path
echo 1 >$subsystem/namespaces/1/enable
must_fail umount "$mnt"
blocked "$mnt/image" "echo 0 >$subsystem/namespaces/1/enable"
echo 0 >$subsystem/namespaces/1/enable

note "a disk, by another name, beside the mount: nothing is claimed"
ln -s /dev/pmem0 /run/other-name
printf %s /run/other-name >$subsystem/namespaces/1/device_path
umount "$mnt"
echo 1 >$subsystem/namespaces/1/enable
mount_pmem
blocked /run/other-name "echo 0 >$subsystem/namespaces/1/enable"
umount "$mnt"
blocked /run/other-name
echo 0 >$subsystem/namespaces/1/enable

note "a disk that is claimed"
mkdir -p $backstores/iblock_0/disk
echo "udev_path=/run/other-name" >$backstores/iblock_0/disk/control
echo 1 >$backstores/iblock_0/disk/enable
blocked /dev/pmem0 "rmdir $backstores/iblock_0/disk"
rmdir $backstores/iblock_0/disk

note "zram"
[ -e /sys/block/zram0/backing_dev ] || skip "this kernel's zram has no writeback"
echo /dev/pmem0 >/sys/block/zram0/backing_dev
echo 64M >/sys/block/zram0/disksize
blocked zram0 'zramctl --reset /dev/zram0'
echo 1 >/sys/block/zram0/reset

note "released, it goes"
request namespace0.0
wait_removal done
assert_gone namespace0.0
