# SPDX-License-Identifier: LGPL-2.1-or-later
# Graceful over D-Bus with busctl: the application leaves when asked, nothing is lost, the device comes back.
# lab: kernel=new,old config=two timeout=90
# matrix: fsdax with pfn device, XFS | graceful | drained, unmounted, unbound; back with its data

mount_pmem
start_app --ack=/run/ack "$mnt/data"
wait_for '[ $(stat -c %s /run/ack) -gt 800 ]' 10
start_daemon
request namespace0.0 mode s graceful reason s "swap the module" transaction-id s lab-10
wait_removal done
must_fail is_alive "$app"
must_fail is_mounted
assert_gone namespace0.0
[ "$(property Reason)" = 's "swap the module"' ]

note "the journal tells it"
records "$removal" | tee /run/story
for word in "$app" "$mnt" namespace0.0; do grep -q -- "$word" /run/story || fail "the journal does not mention $word"; done
[ -n "$(journalctl -q -o cat PMEMREMOVED_TRANSACTION=lab-10)" ]

note "a second time there is nothing to do"
[ "$(error_name namespace0.0)" = "$bus_name.Error.AlreadyRemoved" ]
pmemremovectl remove -y namespace0.0

bind_again namespace0.0
mount_pmem
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
