# SPDX-License-Identifier: LGPL-2.1-or-later
# For how long nobody can use the filesystem: pmemremoved in auto, from the first attempt to unmount to the end of the
# unbind, beside a bare "echo >unbind", which freezes for all of its time. Somebody has it mapped and does not leave.
# Ratios count; times under emulation mean nothing.
# lab: kernel=new config=two timeout=600

/lab/sleepers 900 /run/sleepers &
wait_for '[ -e /run/sleepers ]' 60
conf '[Policy]' 'DrainSignals=SIGTERM:100ms'
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

row='%7s  %9s  %-8s  %14s  %9s  %11s  %10s  %11s\n'
# shellcheck disable=SC2059 # a format on purpose
printf "$row" mapped processes road 'pmemremoved ms' 'frozen ms' 'bare ms' whole/bare frozen/bare >/run/table
for size in 4 4 512; do
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
        # shellcheck disable=SC2059
        printf "$row" "$size MiB" "$number" "$road" "$ours" $((${frozen#t } / 1000)) "$bare" \
                "$(awk -v a="$ours" -v b="$bare" 'BEGIN { printf "%.2f", a / b }')" \
                "$(awk -v a="${frozen#t }" -v b="$bare" 'BEGIN { printf "%.2f", a / 1000 / b }')" >>/run/table
done
cat /run/table
