# SPDX-License-Identifier: LGPL-2.1-or-later
# One region, a namespace of each mode on it: all of them go in one removal, or none.
# lab: kernel=new,old config=two timeout=200
# matrix: several namespaces per region | graceful | all or none; disabled and seed namespaces are ignored
# matrix: several namespaces per region | forced | 6.12: each by what its mode allows

make_all() {
        local mode
        ndctl destroy-namespace -f namespace1.0 >/dev/null
        for mode in fsdax:400M sector:160M devdax:160M raw:128M raw:64M; do
                ndctl create-namespace -r region1 -m "${mode%:*}" -s "${mode#*:}" | jq -r .dev
        done >/run/names
        udevadm settle
        mapfile -t names </run/names
        ndctl disable-namespace "${names[4]}" >/dev/null
        fsdax=$(disk_of "${names[0]}") sector=$(disk_of "${names[1]}") raw=$(disk_of "${names[3]}")
        make_xfs "/dev/$fsdax"
        make_ext4 "/dev/$sector"
        make_ext4 "/dev/$raw"
}

disk_of() {
        ndctl list -n "$1" | jq -r '.[0].blockdev'
}

chardev_of() {
        ndctl list -n "$1" -X | jq -r '.[0].daxregion.devices[0].chardev'
}

mount_all() {
        mkdir -p /srv/sector /srv/raw
        mount_pmem "/dev/$fsdax"
        mount "/dev/$sector" /srv/sector
        mount "/dev/$raw" /srv/raw
}

all_gone() {
        local name
        for name in "${names[@]}"; do assert_gone "$name"; done
        [ -z "$(places)" ]
        [ ! -e /sys/bus/nd/devices/region1/driver ]
        [ -z "$(ls /sys/bus/dax/devices)" ]
        [ -b /dev/pmem0 ]
}

make_all
mount_all
echo intact | tee /srv/sector/file >/srv/raw/file
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
start_app --on-term=ignore "/dev/$(chardev_of "${names[2]}")"
world >/run/before

note "one has a user who stays, and the others come back"
ctl_refused 5 remove --mode=graceful -y region1
grep -q "$app" /run/out
world | diff /run/before - || fail "not as before"
is_alive "$app"

note "a crash in the last unbind"
kill -KILL "$app"
wait_for '! is_alive $app' 10
crash 'begin.* step=unbind node=namespace1.3' worker
request region1 mode s graceful
crashed
result_of
[ "$result" = failed ] || fail "$result"
world | diff /run/before - || fail "not as before"

note "all at once"
road='kill'
[ "$(uname -r | cut -d. -f1,2)" = 6.1 ] || road=forced
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
start_app --on-term=ignore "/dev/$(chardev_of "${names[2]}")"
request region1
wait_removal done
[ "$(property Road)" = "s \"$road\"" ]
all_gone
ndctl enable-region region1
for name in "${names[@]:0:4}"; do wait_for "is_bound $name" 10; done
udevadm settle
fsdax=$(disk_of "${names[0]}") sector=$(disk_of "${names[1]}") raw=$(disk_of "${names[3]}")
mount_all
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
grep -qx intact /srv/sector/file
grep -qx intact /srv/raw/file
