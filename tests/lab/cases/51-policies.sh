# SPDX-License-Identifier: LGPL-2.1-or-later
# Which policy applies: named sections by mount point, drop-ins, and the old one when the new one is wrong.
# lab: kernel=new config=two timeout=120

make_ext4 /dev/pmem1
mount_pmem
mount_pmem /dev/pmem1 /srv/two
start_app --on-term=ignore "$mnt/data"

# plan_of TARGET FILTER: what jq makes of its plan.
plan_of() {
        pmemremovectl plan --json=short "$1" | jq -r "$2" || true
}

conf '[Policy]' 'DrainSignals=SIGTERM:5s' '[Policy "gentle"]' "MatchMountPoint=/mnt/*" Mode=graceful 'DrainSignals=SIGTERM:7s'
mkdir -p /etc/pmemremoved.conf.d /run/pmemremoved.conf.d
printf '[Policy]\nDisableRegion=yes\n' >/run/pmemremoved.conf.d/50-region.conf
start_daemon
[ "$(plan_of namespace0.0 .mode)" = graceful ]
[ "$(plan_of namespace1.0 .mode)" = auto ]
plan_of namespace0.0 .plan | grep 'op=signal' | grep wait=7000000
plan_of namespace0.0 .plan | grep 'op=region'
[ "$(pmemremovectl plan --mode=auto --json=short namespace0.0 | jq -r .mode)" = auto ]

note "a drop-in of the same name in /etc wins; /dev/null switches it off"
ln -s /dev/null /etc/pmemremoved.conf.d/50-region.conf
printf '[Policy "gentle"]\nProtectProcess=pmemapp\n' >/etc/pmemremoved.conf.d/60-protect.conf
systemctl reload pmemremoved
plan_of "$mnt" .plan | grep -c op=region && fail "the region would still go"
refused_as Protected namespace0.0

note "a bad file: the old policy stays"
printf '[Policy "gentle"]\nProtectProces=pmemapp\n' >/etc/pmemremoved.conf.d/60-protect.conf
systemctl reload pmemremoved || true
refused_as Protected namespace0.0
journalctl -q -o cat -u pmemremoved | grep 'old configuration.*60-protect.conf:2:.*ProtectProces'
is_alive "$app"
is_mounted

note "a removal in flight keeps the policy it began with"
rm /etc/pmemremoved.conf.d/60-protect.conf
conf '[Policy]' 'DrainSignals=SIGTERM:4s' Mode=graceful
systemctl reload pmemremoved
request namespace0.0
conf '[Policy]' 'DrainSignals=SIGTERM:1h' ProtectProcess=pmemapp
systemctl reload pmemremoved
kill -KILL "$app"
wait_removal done

note "ended removals are remembered over a restart"
systemctl restart pmemremoved
wait_removal done
pmemremovectl removals | grep -q 'done'
pmemremovectl wait 1
conf
systemctl restart pmemremoved
request namespace1.0
[ "${removal##*/}" -gt 1 ] || fail "an id was given twice"
wait_removal done
