# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The shapes of plans that the matrix goes through, and how each is put up in the guest. A line of the table:
#
#     NAME             SETUP    TARGET        MODE
#
# SETUP is made once (setup_SETUP, where there is one) and put up (up_SETUP) after it, and again after each row that ended with
# the memory removed and bound again.

shapes() {
        cat <<'END_OF_TABLE'
graceful-xfs      xfs      namespace0.0  graceful
graceful-ext4     ext4     namespace0.0  graceful
graceful-btt      btt      namespace1.0  graceful
graceful-devdax   devdax   namespace1.0  graceful
graceful-kmem     kmem     namespace1.0  graceful
graceful-swap     swap     namespace1.0  graceful
graceful-dm       dm       namespace0.0  graceful
graceful-leg      leg      namespace0.0  graceful
graceful-stripe   stripe   namespace0.0  graceful
graceful-units    units    namespace0.0  graceful
kill-ext4         busy     namespace0.0  auto
forced-xfs        xfs      namespace0.0  forced
forced-mapped     mapped   namespace0.0  forced
forced-btt        btt      namespace1.0  forced
forced-bttxfs     bttxfs   namespace1.0  forced
forced-devdax     devdax   namespace1.0  forced
forced-leg        leg      namespace0.0  forced
END_OF_TABLE
}

up_xfs() {
        mount_pmem
}

setup_ext4() {
        make_ext4
}

up_ext4() {
        mount_pmem
}

make_btt() {
        ndctl destroy-namespace -f namespace1.0 2>/dev/null
        ndctl create-namespace -r region1 -m sector -s "$1" >/dev/null
        udevadm settle
        mkdir -p "$mnt"
}

setup_btt() {
        make_btt 128M
        mkfs.ext4 -q -F -b 4096 /dev/pmem1s
}

up_btt() {
        wait_for '[ -b /dev/pmem1s ]' 10
        mount /dev/pmem1s "$mnt"
}

# Its root does not open any more once it is shut down, other than an ext4's.
setup_bttxfs() {
        make_btt 384M
        make_xfs /dev/pmem1s
}

up_bttxfs() {
        up_btt
}

setup_devdax() {
        ndctl create-namespace -f -e namespace1.0 -m devdax >/dev/null
        udevadm settle
}

up_devdax() {
        wait_for '[ -c /dev/dax1.0 ]' 10
}

setup_kmem() {
        echo offline >/sys/devices/system/memory/auto_online_blocks
        setup_devdax
}

up_kmem() {
        udevadm settle
        if [ ! -e /sys/bus/dax/drivers/kmem/dax1.0 ]; then
                wait_for 'daxctl reconfigure-device -m system-ram dax1.0' 20
        fi
}

setup_swap() {
        parted -s /dev/pmem1 mklabel gpt mkpart one 2MiB 40% mkpart two 40% 100%
        udevadm settle
        mkswap -q /dev/pmem1p1
        mkfs.ext4 -q /dev/pmem1p2
        mkdir -p "$mnt"
        mount /dev/pmem1p2 "$mnt"
        dd if=/dev/zero of="$mnt/swap" bs=1M count=16 status=none
        chmod 600 "$mnt/swap"
        mkswap -q "$mnt/swap"
        umount "$mnt"
}

up_swap() {
        wait_for '[ -b /dev/pmem1p2 ]' 10
        swapon -p 7 /dev/pmem1p1
        mount /dev/pmem1p2 "$mnt"
        swapon -p 3 "$mnt/swap"
}

setup_dm() {
        wipefs -qa /dev/pmem0 /dev/pmem1
        vgcreate -q vg /dev/pmem0 /dev/pmem1 2>/dev/null
        lvcreate -q -y -i 2 -L 320M -n striped vg 2>/dev/null
        echo "0 200000 linear /dev/vg/striped 8" | dmsetup create layer
        udevadm settle
        mkfs.ext4 -q /dev/mapper/layer
        dmsetup remove layer
        mkdir -p "$mnt"
}

up_dm() {
        wait_for '[ -b /dev/pmem0 ]' 10
        vgchange -q --activate y vg >/dev/null 2>&1
        wait_for '[ -b /dev/vg/striped ]' 10
        echo "0 200000 linear /dev/vg/striped 8" | dmsetup create layer
        udevadm settle
        mount /dev/mapper/layer "$mnt"
}

setup_leg() {
        wipefs -qa /dev/pmem0 /dev/pmem1
        mdadm --create /dev/md0 --run --assume-clean --homehost=any --metadata=1.2 --level=1 --raid-devices=2 \
                --bitmap=internal --size=400M /dev/pmem0 /dev/pmem1 2>/dev/null
        udevadm settle
        make_xfs /dev/md0
        mkdir -p "$mnt"
        mount /dev/md0 "$mnt"
}

up_leg() {
        wait_for '[ -b /dev/pmem0 ]' 10
        if [ ! -e /sys/block/md0/md/dev-pmem0 ]; then mdadm --manage /dev/md0 --re-add /dev/pmem0 2>/dev/null; fi
}

setup_stripe() {
        wipefs -qa /dev/pmem0 /dev/pmem1
        mdadm --create /dev/md0 --run --homehost=any --metadata=1.2 --level=0 --raid-devices=2 /dev/pmem0 /dev/pmem1 2>/dev/null
        udevadm settle
        make_ext4 /dev/md0
        mkdir -p "$mnt"
}

up_stripe() {
        wait_for '[ -b /dev/pmem0 ]' 10
        udevadm settle
        # Of the leg that stayed, udev has made half an array meanwhile.
        mdadm --stop --scan 2>/dev/null || true
        mdadm --assemble /dev/md0 /dev/pmem0 /dev/pmem1 2>/dev/null
        udevadm settle
        mount /dev/md0 "$mnt"
}

# A mount unit, a service that works in it, a loop device on a file of it, and a hook.
setup_units() {
        local folder=/etc/pmemremoved/hooks.d
        echo "/dev/pmem0 $mnt xfs dax=always,noauto 0 0" >>/etc/fstab
        printf '%s\n' '[Unit]' "RequiresMountsFor=$mnt" '[Service]' Type=exec Restart=always RestartSec=0 \
                "WorkingDirectory=$mnt" 'ExecStart=sleep infinity' >/etc/systemd/system/app.service
        systemctl daemon-reload
        mkdir -p "$mnt" /mnt/loop "$folder"
        printf '#!/bin/sh\nexit 0\n' >"$folder/10-site"
        chmod 755 "$folder/10-site"
        mount "$mnt"
        truncate -s 32M "$mnt/image"
        mkfs.ext4 -q -F "$mnt/image"
        umount "$mnt"
}

up_units() {
        wait_for '[ -b /dev/pmem0 ]' 10
        systemctl start mnt-pmem.mount app.service
        if [ ! -e /sys/block/loop7/loop/backing_file ]; then losetup /dev/loop7 "$mnt/image"; fi
        mount /dev/loop7 /mnt/loop
}

setup_busy() {
        make_ext4
}

up_busy() {
        mount_pmem
        start_app --on-term=ignore --idle "$mnt/data"
}

up_mapped() {
        mount_pmem
        start_app --on-term=ignore --idle "$mnt/data"
}
