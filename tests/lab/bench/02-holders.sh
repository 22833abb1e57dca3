# SPDX-License-Identifier: LGPL-2.1-or-later
# How long a complete list of who uses the filesystem takes: a plan of the daemon beside fuser and lsof. Best of five.
# The ratios leave out what a call by busctl costs that does nothing; times under emulation mean little.
# lab: kernel=new config=two timeout=600

mount_pmem
start_daemon
for how in --idle --fd-only --mmap-only; do start_app --idle "$how" --size=1 "$mnt/file$how"; done
cd /

# best COMMAND...: milliseconds; what it printed is in /run/found.
best() {
        local n begin took least=999999
        for n in 1 2 3 4 5; do
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
        busctl call "$bus_name" "$bus_path" "$bus_name.Manager" "$@"
}

printf '%9s %7s %7s %8s %7s %10s %9s\n' processes 'call ms' 'plan ms' 'fuser ms' 'lsof ms' plan/fuser plan/lsof >/run/table
for number in 300 1000; do
        spawn_idle $((number - $(processes)))
        nothing=$(best call ListRemovals)
        ours=$(best call PlanRemove 'sa{sv}' namespace0.0 0)
        found_all plan
        fuser=$(best fuser -m "$mnt")
        lsof=$(best lsof +f -- "$mnt")
        awk -v n="$(processes)" -v z="$nothing" -v a="$ours" -v b="$fuser" -v c="$lsof" 'BEGIN {
                printf "%9d %7d %7d %8d %7d %10.2f %9.2f\n", n, z, a, b, c, (a - z) / b, (a - z) / c
        }' >>/run/table
done
cat /run/table
