# SPDX-License-Identifier: LGPL-2.1-or-later
# What is asked wrongly is refused by its own name with one sentence, and nothing changes.
# lab: kernel=new config=two timeout=120
# story: powerpc-utils #60

mount_pmem
start_app --on-term=ignore "$mnt/data"
start_daemon
world >/run/before
long=$(printf 'x%.0s' {1..5000})
refused_as NoSuchTarget namespace7.0
refused_as NoSuchTarget region9
refused_as NoSuchTarget pmem7
refused_as NoSuchTarget /usr
refused_as NoSuchTarget /no/such/place
refused_as NoSuchTarget UUID=12345678-1234-1234-1234-123456789abc
refused_as NoSuchTarget LABEL=
refused_as AmbiguousTarget '*'
refused_as AmbiguousTarget 'namespace*'
refused_as AmbiguousTarget 'pmem[0-9]'
for word in namespace0 namespace region nmem0x region-1 region0x namespace0.0.0 namespace0. 'ndbus 0' namespace٠.0; do
        refused_as InvalidTarget "$word"
done
refused_as InvalidTarget ''
refused_as InvalidTarget "$long"
refused_as InvalidTarget $'namespace0.0\n'
refused_as InvalidOption namespace0.0 dryrun b true
refused_as InvalidOption namespace0.0 dry-run s true
refused_as InvalidOption namespace0.0 mode s fast
refused_as InvalidOption namespace0.0 mode u 1
refused_as InvalidOption namespace0.0 timeout-usec u 1
refused_as InvalidOption namespace0.0 override as 1 everything
refused_as InvalidOption namespace0.0 dry-run b true dry-run b false
refused_as InvalidOption namespace0.0 reason s "$long"
refused_as PlanChanged namespace0.0 plan-id s 0123456789abcdef
refused_as NotSupported namespace0.0 eject b true

note "the client: its exit status"
ctl_refused 3 remove -y namespace7.0
ctl_refused 3 remove -y /usr
ctl_refused 3 plan 'pmem*'
ctl_refused 2 remove -y namespace0
ctl_refused 2 remove -y ''
ctl_refused 2 remove -y "$long"
ctl_refused 2 remove -y
ctl_refused 2 remove --dry-rum namespace0.0
ctl_refused 2 remove --mode=fast namespace0.0
ctl_refused 11 remove -y --plan-id=0123456789abcdef namespace0.0
note "JSON also when the answer is no"
ctl_refused 3 remove -y --json=short nmem7
pmemremovectl remove -y --json=short nmem7 >/run/out 2>/dev/null || true
jq -e '.removals[0]."exit-status" == 3 and (.removals[0].error.error | test("NoSuchTarget"))' /run/out
ctl_refused 2 remove namespace0.0
grep -q -- --yes /run/out
world | diff /run/before -
is_alive "$app"
[ "$(busctl call "$bus_name" "$bus_path" "$bus_name.Manager" ListRemovals)" = 'a(tosss) 0' ]
