# SPDX-License-Identifier: LGPL-2.1-or-later
# The memory goes away while a planner looks at it: an answer comes, and nothing hangs. Then somebody else's unbind waits
# for a stuck writer inside the kernel, with the device locked, and every scan that looks at the device sleeps behind it.
# Callers get an answer with the stack of who sleeps, the sleepers do not pile up, and the daemon goes on answering.
# lab: kernel=new config=two timeout=400 ci=no
# matrix: scans that sleep in the kernel | - | answered with the stack after a minute, and bounded in number

planners() {
        local pid n=0
        for pid in $(cat /sys/fs/cgroup/system.slice/pmemremoved.service/cgroup.procs); do
                [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != pmr-planner ] || n=$((n + 1))
        done
        echo $n
}

ask() {
        busctl --timeout=100 call "$bus_name" "$bus_path" "$bus_name.Manager" PlanRemove 'sa{sv}' namespace0.0 0
}

start_daemon
daemon=$(systemctl show -P MainPID pmemremoved)
note "it goes while it is looked at"
for delay in 0 0.02 0.05 0.1 0.2 0.4; do
        wait_for '[ "$(busctl get-property $bus_name $bus_path/device/namespace0_2e0 $bus_name.Device CanRemove)" = "s \"yes\"" ]' 90
        timeout 60 pmemremovectl plan namespace0.0 >/run/plan 2>&1 &
        asker=$!
        sleep "$delay"
        ndctl disable-namespace namespace0.0 >/dev/null
        code=0
        wait "$asker" || code=$?
        echo "after $delay s: exit status $code: $(tail -n 1 /run/plan | cut -c -150)"
        # A plan; not there any more; or already removed.
        [[ $code =~ ^[03]$ ]] || fail "$(cat /run/plan)"
        bind_again namespace0.0 >/dev/null
done
[ "$(systemctl show -P MainPID pmemremoved)" = "$daemon" ] || fail "the daemon died"

# They sleep on purpose.
echo 0 >/proc/sys/kernel/hung_task_timeout_secs
mount_pmem
rm -f /run/go
/lab/stuckwriter "$mnt/stuck" /run/go >/run/stuck </dev/null &
stuck=$!
wait_for 'grep -q stuck /run/stuck' 10
bound_device namespace0.0 >/sys/bus/nd/drivers/nd_pmem/unbind &
unbinder=$!
wait_for 'grep -qs freeze_super /proc/[0-9]*/stack' 10

note "more questions than there are places"
for n in {1..20}; do
        ask >"/run/answer.$n" 2>&1 &
        asked[n]=$!
done
/lab/caller /run/counts </dev/null &
caller=$!
for n in {1..20}; do
        wait "${asked[n]}" || true
done
cat /run/answer.* | sort | uniq -c | cut -c1-300
grep -q 'sleeps in the kernel' /run/answer.*
kill "$caller"
wait "$caller"
cat /run/counts
read -r _ _ _ longest _ </run/counts
[ "$longest" -lt 1500 ] || fail "the daemon did not answer for $longest ms"
echo "$(planners) planners sleep"
[ "$(planners)" -le 16 ]

note "no place is given while they sleep"
before=$(planners)
must_fail ask
[ "$(planners)" -le "$before" ]

note "they are gone when the kernel lets them"
touch /run/go
wait "$stuck"
wait "$unbinder"
wait_for '[ "$(planners)" -eq 0 ]' 20
bind_again namespace0.0
umount "$mnt"
wait_for 'ask' 20
