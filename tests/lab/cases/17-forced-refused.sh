# SPDX-License-Identifier: LGPL-2.1-or-later
# A kernel without pre-remove, or XFS without the reverse map: forced is refused with the reason, nothing changes.
# lab: kernel=new,old config=two timeout=90
# matrix: fsdax without proof of pre-remove | forced | refused with the reason

if [ "$(uname -r | cut -d. -f1,2)" != 6.1 ]; then make_xfs /dev/pmem0 0; fi
mount_pmem
start_app --on-term=ignore "$mnt/data"
start_daemon
world >/run/before
code=0
pmemremovectl remove --mode=forced -y namespace0.0 >/run/out 2>&1 || code=$?
cat /run/out
[ "$code" -eq 8 ] || fail "exit status $code"
grep -qE 'reverse map|this kernel' /run/out
[ "$(error_name namespace0.0 mode s forced)" = "$bus_name.Error.NotSupported" ]
is_alive "$app"
world | diff /run/before -
