# SPDX-License-Identifier: LGPL-2.1-or-later
# Somebody without rights asks for everything there is, too often, too long and wrongly, while somebody else asks honestly: against
# the installed service on the system's bus. Then he mounts the memory's filesystem three thousand times in a namespace of his
# own and starts five hundred processes on it. A number in PMEMREMOVED_LAB_ARGS makes more of it.
# lab: kernel=new timeout=400 ci=no
# matrix: a user without rights storms the daemon, or mounts and holds the memory thousands of times | - | others are served, memory and descriptors bounded

count=${1:-100}
mount_pmem
echo data >"$mnt/file"
chmod 755 "$mnt"
conf '[Policy]' 'Mode=graceful'
start_daemon
daemon=$(systemctl show -P MainPID pmemremoved)

# storm ATTACK...: figures of each; the attacker is uid 65534, the honest caller uid 1.
storm() {
        /lab/hostile --pid="$daemon" --count="$count" "$@" || fail "see above"
        [ "$(systemctl show -P MainPID pmemremoved)" = "$daemon" ] || fail "it is another daemon"
}

note "storms"
storm list objects unknown long many types deaf nowhere heap

note "a crowd of mounts and processes"
mkdir -m 777 /tmp/crowd
/lab/crowd "$mnt/file" /tmp/crowd 3000 500 ready &
victims+=($!)
wait_for '[ -e /tmp/crowd/ready ]' 120
storm objects
start=$EPOCHSECONDS
busctl --timeout=120 call "$bus_name" "$bus_path" "$bus_name.Manager" PlanRemove 'sa{sv}' namespace0.0 0 >/run/plan
echo "the plan took $((EPOCHSECONDS - start)) s and has $(wc -c </run/plan) bytes"
grep -q '"ok"\|"refused"' /run/plan
[ "$(systemctl show -P MainPID pmemremoved)" = "$daemon" ] || fail "it is another daemon"
