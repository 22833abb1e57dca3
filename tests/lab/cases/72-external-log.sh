# SPDX-License-Identifier: LGPL-2.1-or-later
# An XFS elsewhere that keeps only its log, or its realtime data, on the memory: it is the holder, unmounted and mounted
# again with the same options. No notification reaches such a device, so forced is refused.
# lab: kernel=new,old config=two timeout=180
# matrix: XFS external log | graceful | XFS above unmounted, mounted again with its log on rollback
# matrix: XFS external log | forced | refused with the reason
# matrix: XFS realtime device | graceful | XFS above unmounted, mounted again on rollback
# matrix: XFS realtime device | forced | refused with the reason

mounted() {
        sed -n 's|^[0-9]* [0-9]* \([0-9:]*\) \(.* /mnt/data .*\)|\1 \2|p' /proc/self/mountinfo | sed 's/ shared:[0-9]*/ shared/'
}

# stands OPTION ROLE: $app uses an XFS on /dev/ram0 with its OPTION on pmem1.
stands() {
        mkdir -p /mnt/data
        mount -o "$1=/dev/pmem1" /dev/ram0 /mnt/data
        mounted | tee /run/mounted
        grep -q "$1=/dev/pmem1" /run/mounted
        world >/run/before
        note "$2: the plan names the filesystem above, and who uses it"
        start_app --on-term=ignore --fd-only /mnt/data/file
        pmemremovectl plan namespace1.0 >/run/out || fail "$(cat /run/out)"
        grep -q 'unmount  */mnt/data' /run/out
        grep -q "$app" /run/out
        refused 'its log or realtime data' -- namespace1.0 mode s forced
        is_alive "$app"
        request namespace1.0 mode s graceful
        wait_removal refused
        property Error | grep -q "$app"
        kill -KILL "$app"
        wait_for '! is_alive $app' 10
        note "$2: undone"
        request namespace1.0 mode s graceful hold-before-commit b true
        reaches waiting
        [ -z "$(mounted)" ]
        tell Cancel
        result_of
        [ "$result" = cancelled ]
        mounted | diff /run/mounted -
        world | diff /run/before -
}

modprobe brd rd_nr=1 rd_size=524288
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
mkfs.xfs -q -f -l logdev=/dev/pmem1,size=64m /dev/ram0
stands logdev log
umount /mnt/data

note "data on memory, too: one filesystem on two devices"
mkfs.xfs -q -f -m rmapbt=1,reflink=0 -l logdev=/dev/pmem1,size=64m /dev/pmem0
mkdir -p "$mnt"
mount -o logdev=/dev/pmem1 /dev/pmem0 "$mnt"
world >/run/before
refused 'its log or realtime data' -- namespace0.0 mode s forced
refused 'its log or realtime data' -- namespace1.0 mode s forced
request namespace1.0 mode s graceful hold-before-commit b true
reaches waiting
must_fail is_mounted
tell Cancel
result_of
world | diff /run/before -
umount "$mnt"

mkfs.xfs -q -f -m rmapbt=0,reflink=0 -r rtdev=/dev/pmem1,size=256m /dev/ram0
stands rtdev realtime
echo kept >/mnt/data/kept
request namespace1.0
wait_removal done
assert_gone namespace1.0
must_fail is_mounted /mnt/data
