# SPDX-License-Identifier: LGPL-2.1-or-later
# Somebody without rights asks for everything there is, too often, too long and wrongly, while somebody else asks honestly: against
# the installed service on the system's bus. Then he mounts the memory's filesystem three thousand times in a namespace of his
# own and starts five hundred processes on it. HOSTILE_COUNT makes more of it.
# lab: kernel=new timeout=400 ci=no
# matrix: a user without rights storms the daemon, or mounts and holds the memory thousands of times | - | others are served, memory and descriptors bounded

mount_pmem
echo data >"$mnt/file"
chmod 755 "$mnt"
conf '[Policy]' 'Mode=graceful'
start_daemon
daemon=$(systemctl show -P MainPID pmemremoved)

# storm ATTACK...: figures of each; the attacker is uid 65534, the honest caller uid 1.
storm() {
        /lab/hostile --pid="$daemon" --count="${HOSTILE_COUNT:-100}" "$@" || fail "see above"
        [ "$(systemctl show -P MainPID pmemremoved)" = "$daemon" ] || fail "it is another daemon"
}

note "storms"
storm list objects unknown long many types deaf nowhere heap

note "a crowd of mounts and processes"
cat >/run/crowd <<'END'
cd "$2"
for i in $(seq 3000); do mkdir "m$i"; done
for i in $(seq 3000); do echo "$1 $2/m$i none bind 0 0"; done >fstab
mount --all --fstab fstab
for i in $(seq 500); do (exec 5<"$1/file"; exec sleep 100000) & done
touch ready
wait
END
mkdir -m 777 /tmp/crowd
setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Urm --propagation private \
        bash /run/crowd "$mnt" /tmp/crowd &
victims+=($!)
wait_for '[ -e /tmp/crowd/ready ]' 120
storm objects
start=$EPOCHSECONDS
busctl --timeout=120 call "$bus_name" "$bus_path" "$bus_name.Manager" PlanRemove 'sa{sv}' namespace0.0 0 >/run/plan
echo "the plan took $((EPOCHSECONDS - start)) s and has $(wc -c </run/plan) bytes"
grep -q '"ok"\|"refused"' /run/plan
[ "$(systemctl show -P MainPID pmemremoved)" = "$daemon" ] || fail "it is another daemon"
