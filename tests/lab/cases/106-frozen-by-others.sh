# SPDX-License-Identifier: LGPL-2.1-or-later
# A freeze that is somebody else's (a backup has the filesystem frozen) is not ours to thaw: the removal is refused with a
# sentence, on each road, whoever dies meanwhile, and the filesystem is as frozen as before.
# lab: kernel=new,old config=two timeout=180

# Frozen as the kernel tells it: a second freeze is refused. Asked only at the end, because it freezes where nobody has.
thawed_by_us() {
        ! fsfreeze -f "$mnt" 2>/dev/null || fail "it had been thawed"
        fsfreeze -u "$mnt"
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms'
start_daemon
start_app --idle --on-term=ignore "$mnt/data"
cat /proc/sys/kernel/printk >/run/before
for who in '' worker; do
        note "forced, ${who:-nobody} killed"
        fsfreeze -f "$mnt"
        [ -z "$who" ] || crash 'fail ' "$who"
        request namespace0.0 mode s forced
        [ -z "$who" ] || crashed
        result_of
        [ "$result" = refused ] || fail "$result"
        property Error | grep -q 'somebody else has frozen it'
        clean_behind
        thawed_by_us
        is_mounted
        is_alive "$app"
done

# A frozen filesystem can be unmounted and lives on without a mount (README.md): back with it, as frozen as it was.
kill -KILL "$app"
wait_for '! is_alive $app' 10
for mode in graceful auto; do
        note "$mode"
        fsfreeze -f "$mnt"
        request namespace0.0 mode s "$mode"
        result_of
        [ "$result" = refused ] || fail "$result"
        clean_behind
        is_mounted
        thawed_by_us
done
