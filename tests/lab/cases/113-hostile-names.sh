# SPDX-License-Identifier: LGPL-2.1-or-later
# A user whose process and whose mount point have names that are no UTF-8, move the cursor and begin a line of their own. He
# needs no rights for that. Everybody else still gets answers, and neither a terminal nor the journal gets any of it.
# lab: kernel=new timeout=240
# matrix: the memory is held under names that no message may hold | auto | removed; told with \xHH in their place

# tame COMMAND...: it succeeds, and prints nothing but lines of printable characters.
tame() {
        timeout 100 "$@" >/run/out 2>&1 || fail "exit status $?: $* $(cat -v /run/out)"
        [ -z "$(LC_ALL=C tr -d '[:print:]\n' </run/out)" ] || fail "not printable, from $*: $(cat -v /run/out)"
}
export LC_ALL=C

odd_comm=$'\xff\n<0>\033[2J'
odd_mount=$'/tmp/odd/\xff\033]0;x\007\n<0>all is lost\xef\xbf\xbe'
mount_pmem
echo data >"$mnt/file"
chmod 755 "$mnt"
start_daemon

note "somebody without rights holds the memory in a namespace of his own"
mkdir -m 777 /tmp/odd
mkfifo -m 666 /run/gate
cat >/run/holder <<'END'
mkdir -p "$2"
mount --bind "$1" "$2"
exec 5<"$2/file" 6<>/run/gate
printf %s "$3" >/proc/$$/comm
touch /tmp/odd/ready
read -r _ <&6
END
setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Urm --propagation private \
        bash /run/holder "$mnt" "$odd_mount" "$odd_comm" &
holder=$!
victims+=("$holder")
wait_for '[ -e /tmp/odd/ready ]' 30
grep -q '^Name:.\\n<0>' "/proc/$holder/status" || cat -v "/proc/$holder/status" | head -n 1

note "what is asked is answered"
resolves namespace0.0 namespace0.0
tame pmemremovectl --no-pager list
tame pmemremovectl --no-pager status namespace0.0
tame pmemremovectl --no-pager --json=short status namespace0.0
tame pmemremovectl --no-pager plan namespace0.0
grep -q "$holder" /run/out || fail "the holder is not named: $(cat /run/out)"
# What is mounted in another namespace tells nobody: something here has to, for a new snapshot.
mount -t tmpfs none /media
umount /media
wait_for 'busctl call "$bus_name" "$bus_path" org.freedesktop.DBus.ObjectManager GetManagedObjects | grep -q xff' 90
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" PlanRemove 'sa{sv}' namespace0.0 0 >/run/plan
grep -q '"ok"' /run/plan

note "and so is a removal, and what is told about it"
listen
tame pmemremovectl -y --no-pager remove --mode=graceful namespace0.0
must_fail is_alive "$holder"
assert_gone namespace0.0
wait_for 'grep -q RemovalFinished /run/signals' 20
tame pmemremovectl --no-pager removals
journalctl -q --no-pager -o cat -u pmemremoved >/run/told
tame cat /run/told
grep -q "$holder" /run/told || fail "the journal does not name him: $(cat /run/told)"
must_fail grep '^<0>' /run/told
[ -z "$(LC_ALL=C tr -d '[:print:]\n\t' </run/pmemremoved/1.ledger)" ] || fail "the ledger: $(cat -v /run/pmemremoved/1.ledger)"
