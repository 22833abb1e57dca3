# SPDX-License-Identifier: LGPL-2.1-or-later
# How long a complete list of who uses the filesystem takes: a plan of the daemon beside fuser and lsof. Best of three.
# The ratios leave out what a call by busctl costs that does nothing; times under emulation mean little. The new kernel
# is asked by PROCMAP_QUERY, the old one by the text of maps.
# lab: kernel=new,old config=two timeout=1200

# 4000 processes are more than a user's slice may have.
for group in /sys/fs/cgroup/user.slice{,/user-0.slice,/user-0.slice/session-*.scope}; do
        echo max >"$group/pids.max"
done
mount_pmem
start_daemon
for how in --idle --fd-only --mmap-only; do start_app --idle "$how" --size=1 "$mnt/file$how"; done
cd /

# best COMMAND...: milliseconds; what it printed is in /run/found.
best() {
        local n begin took least=999999
        for n in 1 2 3; do
                begin=${EPOCHREALTIME/./}
                "$@" >/run/found 2>/dev/null || true
                took=$(((${EPOCHREALTIME/./} - begin) / 1000))
                [ "$took" -ge "$least" ] || least=$took
        done
        echo "$least"
}

found_all() {
        local pid
        for pid in "${victims[@]}"; do grep -qw "$pid" /run/found || fail "$1 does not find $pid"; done
}

call() {
        busctl --timeout=120 call "$bus_name" "$bus_path" "$bus_name.Manager" "$@"
}

columns='%9s %7s %7s %8s %7s %10s %9s %15s\n'
# shellcheck disable=SC2059 # a format on purpose
printf "$columns" processes 'call ms' 'plan ms' 'fuser ms' 'lsof ms' plan/fuser plan/lsof 'us per process' >/run/table
for number in 300 1000 4000; do
        spawn_idle $((number - $(processes)))
        nothing=$(best call ListRemovals)
        ours=$(best call PlanRemove 'sa{sv}' namespace0.0 0)
        found_all plan
        fuser=$(best fuser -m "$mnt")
        lsof=$(best lsof +f -- "$mnt")
        awk -v n="$(processes)" -v z="$nothing" -v a="$ours" -v b="$fuser" -v c="$lsof" 'BEGIN {
                printf "%9d %7d %7d %8d %7d %10.2f %9.2f %15d\n",
                        n, z, a, b, c, (a - z) / b, (a - z) / c, (a - z) * 1000 / n
        }' >>/run/table
done
cat /run/table
