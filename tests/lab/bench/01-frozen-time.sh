# SPDX-License-Identifier: LGPL-2.1-or-later
# For how long nobody can use the filesystem: pmemremoved in auto beside a bare "echo >unbind", with little and with much
# mapped by somebody who does not leave. Ratios count; under emulation the times themselves mean nothing.
# lab: kernel=new config=two timeout=600

/lab/sleepers 900 /run/sleepers &
wait_for '[ -e /run/sleepers ]' 60
conf '[Policy]' 'DrainTimeout=100ms'
start_daemon

# A new filesystem with SIZE MiB mapped in it, page by page.
prepare() {
        make_xfs
        mount_pmem
        start_app --on-term=ignore --idle --size="$1" "$mnt/file"
}

# In milliseconds, from the first record that matches $1 to the last that matches $2.
between() {
        journalctl -q -o short-monotonic PMEMREMOVED_REMOVAL="${removal##*/}" | sed 's/^\[ *\([0-9.]*\)\]/\1/' |
                awk -v from="$1" -v to="$2" '!a && $0 ~ from { a = $1 } $0 ~ to { b = $1 } END { print int((b - a) * 1000) }'
}

printf '%8s %9s %-9s %14s %10s %12s %7s\n' mapped processes road 'pmemremoved ms' 'frozen ms' 'bare kernel' ratio >/run/table
for size in 4 512; do
        prepare "$size"
        number=$(processes)
        request namespace0.0
        wait_removal done
        ours=$(between '(unmounting|freezing) .* begins' 'unbinding .* is done')
        frozen=$(property FrozenUSec)
        road=$(property Road | tr -d 's" ')
        assert_gone namespace0.0

        bind_again namespace0.0
        prepare "$size"
        device=$(bound_device namespace0.0)
        begin=${EPOCHREALTIME/./}
        echo "$device" >/sys/bus/nd/drivers/nd_pmem/unbind
        bare=$(((${EPOCHREALTIME/./} - begin) / 1000))
        wait_for "! is_alive $app" 30
        umount "$mnt"
        bind_again namespace0.0
        printf '%4d MiB %9d %-9s %14d %10d %12d %7s\n' "$size" "$number" "$road" "$ours" $((${frozen#t } / 1000)) \
                "$bare" "$(awk -v a="$ours" -v b="$bare" 'BEGIN { printf "%.2f", a / b }')" >>/run/table
done
cat /run/table
