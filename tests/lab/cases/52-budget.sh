# SPDX-License-Identifier: LGPL-2.1-or-later
# The kernel's own way costs pages times processes, frozen. Above FreezeBudget= it is not taken unless somebody insists.
# lab: kernel=new config=two timeout=150

mount_pmem
start_app --on-term=ignore --idle --size=64 --on-sigbus=die "$mnt/big"
conf '[Policy]' 'DrainSignals=SIGTERM:300ms' 'FreezeBudget=10ms'
start_daemon
world >/run/before
estimate=$(pmemremovectl plan --json=short namespace0.0 | jq '."estimate-usec"')
[ "$estimate" -gt 10000 ] || fail "the estimate is $estimate us"
refused_as NotSupported namespace0.0 mode s forced
grep -q 'FreezeBudget=10ms' <<<"$sentence"
grep -qE 'about [0-9.]+(ms|s)' <<<"$sentence"
is_alive "$app"
world | diff /run/before -

note "somebody insists: estimate and measured time are told"
pmemremovectl remove -y --mode=forced --override=freeze-budget namespace0.0 | tee /run/out
removal=$bus_path/removal/1
frozen=$(property FrozenUSec)
note "estimated $estimate us, frozen ${frozen#t } us"
[ "${frozen#t }" -gt 0 ]
tail -n 1 /run/out | grep -q frozen
records "$removal" | grep 'removed, frozen for .*estimated'
assert_gone namespace0.0

note "auto keeps within it by another road"
bind_again namespace0.0
mount_pmem
start_app --on-term=ignore --idle --size=64 "$mnt/big"
request namespace0.0
wait_removal done
[ "$(property Road)" = 's "kill"' ]
[ "$(property FrozenUSec)" = 't 0' ]
assert_gone namespace0.0
