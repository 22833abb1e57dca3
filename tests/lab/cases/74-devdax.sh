# SPDX-License-Identifier: LGPL-2.1-or-later
# Device-dax: no filesystem, no exclusive open, only processes that have its node open or mapped, wherever that lies.
# lab: kernel=new,old config=two timeout=180
# matrix: devdax without users | any | done; bound again after a crash in the unbind
# matrix: devdax with users | graceful | drained; undone if one stays, killed by mode=auto
# matrix: devdax with users | forced | unbound under the mappers; SIGBUS on access, idle ones killed
# matrix: devdax users that pin (io_uring fixed buffers) | any | 6.12: refused; the process is named; noticed also when it came after the plan

ndctl create-namespace -f -e namespace1.0 -m devdax >/dev/null
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
world >/run/before

note "nobody uses it"
crash 'begin.* step=unbind ' worker
request /dev/dax1.0
crashed
result_of
[ "$result" = failed ] || fail "$result"
world | diff /run/before -
[ -c /dev/dax1.0 ]

note "who goes when asked: by another node of the same device, the descriptor closed"
mknod /srv/dax c $((0x$(stat -c %t /dev/dax1.0))) $((0x$(stat -c %T /dev/dax1.0)))
start_app --idle --mmap-only /srv/dax
pmemremovectl plan namespace1.0 | tee /run/plan
grep -q "$app" /run/plan
request namespace1.0 mode s graceful
wait_removal done
must_fail is_alive "$app"
assert_gone namespace1.0
[ ! -e /dev/dax1.0 ]
bind_again namespace1.0

note "who stays"
start_app --on-term=ignore /dev/dax1.0
world >/run/before
ctl_refused 5 remove --mode=graceful -y namespace1.0
grep -q "$app" /run/out
world | diff /run/before -
is_alive "$app"
request namespace1.0
wait_removal done
[ "$(property Road)" = 's "kill"' ]
property Killed | grep -q "$app"
must_fail is_alive "$app"
assert_gone namespace1.0
bind_again namespace1.0

note "forced: one writes, one only has it mapped"
start_app --on-term=ignore /dev/dax1.0
writer=$app
start_app --on-term=ignore --idle --mmap-only /dev/dax1.0
request region1 mode s forced
wait_removal done
[ "$(property Road)" = 's "forced"' ]
must_fail is_alive "$writer"
must_fail is_alive "$app"
property Killed
assert_gone namespace1.0
[ ! -e /sys/bus/nd/devices/region1/driver ]
ndctl enable-region region1
wait_for '[ -c /dev/dax1.0 ]' 10

# 6.1 registers no buffers that lie in files of any kind (io_pin_pages(), io_uring/rsrc.c).
[ "$(uname -r | cut -d. -f1,2)" != 6.1 ] || exit 0

note "who has it pinned: the kernel would not wait, and crash when the ring is closed"
bind_again namespace1.0
start_app --idle --pin /dev/dax1.0
world >/run/before
for mode in graceful auto forced; do
        refused_as Busy namespace1.0 mode s "$mode"
        grep -q VmPin <<<"$sentence"
        grep -q "$app" <<<"$sentence"
done
world | diff /run/before -
kill "$app"
wait_for '! is_alive $app' 10

note "who came after the plan and has it pinned"
start_app --on-term=ignore --idle /dev/dax1.0
first=$app
request namespace1.0 mode s forced hold-before-commit b true
reaches waiting
start_app --idle --pin /dev/dax1.0
tell Confirm
result_of
[ "$result" = refused ] || fail "$result"
property Error | grep -q "$app"
world | diff /run/before -
is_alive "$app"
is_alive "$first"
kill -KILL "$app" "$first"
