# SPDX-License-Identifier: LGPL-2.1-or-later
# The last thing on a stack turns out to be busy when all before it is torn down already: everything is put together
# again, in order, and who was in the way is named.
# lab: kernel=new config=two timeout=120
# story: stratisd #2949
# matrix: loop, swap and two filesystems, the last one busy | graceful | undone, all as before

second=/mnt/second

# What stands on the memory, as the kernel tells it.
stack() {
        world
        sed 1d /proc/swaps | awk '{ print $1, $2, $3, $5 }' | sort
        losetup -n -O NAME,BACK-FILE,SIZELIMIT,RO
}

parted -s /dev/pmem1 mklabel gpt mkpart one 2MiB 40% mkpart two 40% 100%
udevadm settle
mkswap -q /dev/pmem1p1
swapon -p 7 /dev/pmem1p1
mkfs.ext4 -q -b 4096 /dev/pmem1p2
mkdir -p "$second" /srv/copy
mount_pmem /dev/pmem1p2 "$second"
mount_pmem
mount --bind "$mnt" /srv/copy
truncate -s 16M "$mnt/image"
losetup /dev/loop5 "$mnt/image"
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
stack | tee /run/before.stack
world >/run/before

note "busy from the beginning"
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
request ndbus0 mode s graceful
wait_removal refused
property Error | grep -q "$app" || fail "who stayed is not named: $(property Error)"
stack | diff /run/before.stack -
as_before
clean_behind
kill -KILL "$app"
wait_for '! is_alive $app' 10
app=

note "busy at the last moment: somebody comes when the other filesystem and the swap are off already"
crash --stop 'begin.*step=loop ' worker
request ndbus0 mode s graceful
crashed
must_fail is_mounted "$second"
if grep pmem /proc/swaps; then fail "the swap is on: this case shows nothing"; fi
(exec 9<"$mnt/." && exec sleep 1000) &
late_pid=$!
kill -CONT "$(pgrep -of '^pmemremoved --run')"
result_of
[ "$result" = refused ]
property Error | grep -q "$late_pid" || fail "who came is not named: $(property Error)"
stack | diff /run/before.stack -
clean_behind
kill "$late_pid"
wait "$late_pid" || true

note "and then it goes"
request ndbus0 mode s graceful
wait_removal done
assert_gone namespace0.0
assert_gone namespace1.0
