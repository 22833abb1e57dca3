# SPDX-License-Identifier: LGPL-2.1-or-later
# A kernel without pre-remove, XFS without the reverse map, or smaller than its disk (for which the kernel's pre-remove has a
# NULL pointer): forced is refused with the reason, nothing changes.
# lab: kernel=new,old config=two timeout=90
# matrix: fsdax without proof of pre-remove | forced | refused with the reason

# is_refused REGEX
is_refused() {
        local code=0
        mount_pmem
        start_app --on-term=ignore "$mnt/data"
        world >/run/before
        pmemremovectl remove --mode=forced -y namespace0.0 >/run/out 2>&1 || code=$?
        cat /run/out
        [ "$code" -eq 8 ] || fail "exit status $code"
        grep -qE "$1" /run/out
        [ "$(error_name namespace0.0 mode s forced)" = "$bus_name.Error.NotSupported" ]
        is_alive "$app"
        world | diff /run/before -
        kill -KILL "$app"
        wait_for '! is_alive $app' 10
        umount "$mnt"
}

start_daemon
if [ "$(uname -r | cut -d. -f1,2)" = 6.1 ]; then
        is_refused 'this kernel'
        exit 0
fi
make_xfs /dev/pmem0 0
is_refused 'reverse map'
mkfs.xfs -q -f -m rmapbt=1,reflink=0 -d size=320m /dev/pmem0
is_refused 'beyond the last allocation group'
