# SPDX-License-Identifier: LGPL-2.1-or-later
# A dry run tells everything and changes nothing; only what was reviewed is done; who is protected is not touched.
# lab: kernel=new config=two timeout=120

mount_pmem
start_app --ack=/run/ack "$mnt/data"
first=$app
start_daemon
world >/run/before
pmemremovectl plan --json=short namespace0.0 >/run/plan
jq -e --argjson pid "$first" '.kills | length == 1 and .[0].pid == $pid and (.[0].why | test("dax"))' /run/plan ||
        jq .kills /run/plan
id=$(jq -r '."plan-id"' /run/plan)
pmemremovectl remove --dry-run namespace0.0
request namespace0.0 dry-run b true
wait_removal done
ls /run/pmemremoved
world | diff /run/before -
is_alive "$first" || fail "the dry run signalled it"

note "somebody came since the review"
start_app --on-term=ignore --fd-only "$mnt/other"
ctl_refused 11 remove -y --plan-id="$id" namespace0.0
is_alive "$first"
kill -KILL "$app"
wait_for "! is_alive $app" 5

note "protected by name, then by unit"
conf '[Policy]' 'ProtectProcess=pmem*p'
systemctl reload pmemremoved
refused_as Protected namespace0.0
conf '[Policy]' 'ProtectUnit=db*.service'
systemctl reload pmemremoved
systemd-run -q --unit=db1 --property=Type=exec sleep 1000 # holds nothing yet
systemd-run -q --unit=db2 --property=Type=exec sh -c "exec sleep 1000 <$mnt/data"
refused_as Protected namespace0.0
grep -q db2.service <<<"$sentence"
systemctl is-active db1 db2
systemctl stop db1 db2
is_alive "$first"
world | diff /run/before -

note "as it was reviewed: done; a second time there is nothing to do"
conf
systemctl reload pmemremoved
[ "$(pmemremovectl plan --json=short namespace0.0 | jq -r '."plan-id"')" = "$id" ] || fail "the plan is another one now"
pmemremovectl remove -y --plan-id="$id" namespace0.0
assert_gone namespace0.0
must_fail is_alive "$first"
pmemremovectl remove -y namespace0.0
pmemremovectl remove namespace0.0
