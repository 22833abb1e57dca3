# SPDX-License-Identifier: LGPL-2.1-or-later
# Somebody opens, maps, mounts and swaps on in a loop during the whole removal. Whatever gets in is noticed: the removal
# ends with the memory gone and nothing on it, or with everything as it was. Nothing in between, on any road.
# lab: kernel=new,old config=two timeout=300 ci=no
# matrix: newcomers that open, map, mount, swapon in a loop | any | done or undone, never half

mount_pmem
dd if=/dev/zero of="$mnt/intruder" bs=4096 count=1 status=none
fallocate -l 4M "$mnt/swapfile"
chmod 600 "$mnt/swapfile"
mkswap "$mnt/swapfile" >/dev/null
conf '[Policy]' 'DrainSignals=SIGTERM:200ms' 'KillTimeout=5s'
start_daemon
world >/run/before

modes=(graceful auto)
[ "$(uname -r | cut -d. -f1,2)" = 6.1 ] || modes+=(forced)
ends=()
for mode in "${modes[@]}"; do
        for round in 1 2; do
                note "$mode, round $round"
                if ! is_bound namespace0.0; then bind_again namespace0.0; fi
                if ! is_mounted; then mount_pmem; fi
                setsid /lab/intruder "$mnt" /dev/pmem0 /run/counts </dev/null >/dev/null 2>&1 &
                intruder=$!
                wait_for 'grep -q "write [1-9]" /run/counts && grep -q "mount [1-9]" /run/counts' 20
                # Refused at once is an end as well: it was swapped on or mounted elsewhere at the moment of the plan.
                if request namespace0.0 mode s "$mode"; then result_of; else result=refused; fi
                kill -KILL "$intruder" 2>/dev/null || true
                wait "$intruder" 2>/dev/null || true
                cat /run/counts
                ends+=("$mode:$result")
                # What was in its hands when it was killed.
                umount /run/intruder 2>/dev/null || true
                swapoff "$mnt/swapfile" 2>/dev/null || true
                case $result in
                done) removed ;;
                stuck | partial) fail "that is neither done nor undone: $(property Error)" ;;
                *) world | diff /run/before - || fail "it is not as before" ;;
                esac
                clean_behind
                rm -f /run/counts
        done
done
echo "${ends[*]}"

note "nothing was damaged"
if ! is_bound namespace0.0; then bind_again namespace0.0; fi
if is_mounted; then umount "$mnt"; fi
mount_pmem
umount "$mnt"
xfs_repair -n /dev/pmem0 >/run/repair 2>&1 || fail "$(tail -n 5 /run/repair)"
