# SPDX-License-Identifier: LGPL-2.1-or-later
# Who ignores the kernel's SIGBUS, only has a descriptor or only a working directory gets SIGKILL after the unbind.
# lab: kernel=new config=two timeout=120
# matrix: processes that outlive SIGBUS, only a descriptor, only a cwd | forced | SIGKILL, detached

mount_pmem
apps=()
for how in --on-sigbus=ignore --on-sigbus=stay --fd-only --cwd-only; do
        place=$mnt/$how
        if [ "$how" = --cwd-only ]; then mkdir -- "$place"; fi
        start_app --on-term=ignore --idle "$how" --size=1 "$place"
        apps+=("$app")
done
conf '[Policy]' 'DrainSignals=SIGTERM:500ms'
start_daemon
request namespace0.0 mode s forced
wait_removal done
property Killed
for app in "${apps[@]}"; do
        must_fail is_alive "$app"
        property Killed | grep -q "$app" || fail "$app was not reported"
done
assert_gone namespace0.0
must_fail is_mounted
