# SPDX-License-Identifier: LGPL-2.1-or-later
# Two namespaces in one removal: all or nothing.
# lab: kernel=new config=two timeout=120

make_xfs /dev/pmem1
mount_pmem
mount_pmem /dev/pmem1 /srv/two
mkdir /srv/bound
mount --bind -o ro /srv/two /srv/bound
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
world >/run/before
ctl_refused 5 remove --mode=graceful -y ndbus0
grep -q "$app" /run/out
is_alive "$app"
world | diff /run/before - || fail "the other namespace is not as it was"
echo intact >/srv/two/file
kill -KILL "$app"

note "nobody is left: both go, and their regions"
request ndbus0 mode s graceful
wait_removal done
assert_gone namespace0.0
assert_gone namespace1.0
[ -z "$(places)" ]
for region in region0 region1; do [ ! -e "/sys/bus/nd/devices/$region/driver" ]; done
ndctl enable-region all
wait_for 'is_bound namespace0.0 && is_bound namespace1.0' 10
udevadm settle
mount_pmem
mount_pmem /dev/pmem1 /srv/two
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
grep -qx intact /srv/two/file
