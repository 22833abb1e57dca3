# SPDX-License-Identifier: LGPL-2.1-or-later
# Memory that no process can map: sector and raw mode. Graceful with its way back; forced where the kernel shuts the
# filesystem down with its disk, and nobody is left asleep.
# lab: kernel=new,old config=two timeout=180
# matrix: raw and sector (btt) | graceful | done; bound and mounted again after a crash in the unbind
# matrix: raw and sector (btt) | forced | 6.12: frozen, unbound, thawed, writers killed; 6.1: refused, nothing done

# A process that writes, and stays when it is asked to go.
start_writer() {
        setsid bash -c 'trap "" TERM; exec 3>>"$0/log" 2>/dev/null; while :; do echo x >&3; sleep 0.01; done' "$mnt" &
        app=$!
        wait_for '[ -s "$mnt/log" ]' 10
}

conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
for mode in sector:ext4:128M raw:xfs:320M; do
        size=${mode##*:} mode=${mode%:*} disk=pmem1
        fs=${mode#*:} mode=${mode%:*}
        note "$fs in mode $mode"
        [ "$mode" = raw ] || disk=pmem1s
        ndctl destroy-namespace -f namespace1.0 2>/dev/null
        ndctl create-namespace -r region1 -m "$mode" -s "$size" >/dev/null
        udevadm settle
        "make_$fs" "/dev/$disk"
        mkdir -p "$mnt"
        mount "/dev/$disk" "$mnt"
        echo intact >"$mnt/file"
        world >/run/before
        crash 'begin.* step=unbind ' worker
        request namespace1.0
        crashed
        result_of
        [ "$result" = failed ] || fail "$result"
        world | diff /run/before -
        grep -qx intact "$mnt/file"

        start_writer
        if [ "$(uname -r | cut -d. -f1,2)" = 6.1 ]; then
                world >/run/before
                refused_as NotSupported namespace1.0 mode s forced
                grep -q 'would not shut' <<<"$sentence"
                world | diff /run/before -
                request namespace1.0
                wait_removal done
                [ "$(property Road)" = 's "kill"' ]
        else
                request namespace1.0 mode s forced
                wait_removal done
                [ "$(property Road)" = 's "forced"' ]
                property FrozenUSec
        fi
        must_fail is_alive "$app"
        must_fail is_mounted
        assert_gone namespace1.0
        must_fail pgrep -x pmr-guardian
        bind_again namespace1.0
        mount "/dev/$disk" "$mnt"
        grep -qx intact "$mnt/file"
        request namespace1.0 mode s graceful
        wait_removal done
        must_fail is_mounted
        assert_gone namespace1.0
done
