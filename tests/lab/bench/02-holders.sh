# SPDX-License-Identifier: LGPL-2.1-or-later
# How long a complete list of who uses the filesystem takes: a plan of the daemon beside fuser and lsof. Best of three,
# with the client and the bus on the daemon's side. Ratios count.
# lab: kernel=new config=two timeout=600

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

plan() {
        busctl call "$bus_name" "$bus_path" "$bus_name.Manager" PlanRemove 'sa{sv}' namespace0.0 0
}

printf '%9s %8s %8s %8s %10s %10s\n' processes 'plan ms' 'fuser ms' 'lsof ms' plan/fuser plan/lsof >/run/table
for number in 300 1000; do
        spawn_idle $((number - $(processes)))
        ours=$(best plan)
        found_all plan
        fuser=$(best fuser -m "$mnt")
        lsof=$(best lsof +f -- "$mnt")
        awk -v n="$(processes)" -v a="$ours" -v b="$fuser" -v c="$lsof" \
                'BEGIN { printf "%9d %8d %8d %8d %10.2f %10.2f\n", n, a, b, c, a / b, a / c }' >>/run/table
done
cat /run/table
