# SPDX-License-Identifier: LGPL-2.1-or-later
# The two kernels differ where the product needs them to: only "new" warns a filesystem before its memory goes.
# lab: kernel=new,old config=none timeout=30

uname -r
ls /sys/class/block
case $(uname -r) in
6.1.* | 5.*)
        must_fail grep -q MF_MEM_PRE_REMOVE /sys/kernel/btf/vmlinux
        ;;
*)
        grep -q MF_MEM_PRE_REMOVE /sys/kernel/btf/vmlinux
        grep -qw mf_dax_kill_procs /proc/kallsyms
        ;;
esac
must_fail ls /dev/pmem0 2>/dev/null

note "what a case may rely on"
systemctl is-system-running
busctl status org.freedesktop.PolicyKit1 >/dev/null
logger -t case hello
wait_for 'journalctl -q -t case | grep hello' 5
[ "$(sed 's/.*://' /proc/self/cgroup)" = /user.slice/user-0.slice/session-1.scope ]
