# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGKILL on the graceful road: mounted again at the same place with the same options, bound again, the data whole.
# lab: kernel=new config=two timeout=300

# One read-only, although the filesystem is not; the other one a folder of it.
mount_both() {
        mount -o dax=always,noatime,nosuid /dev/pmem0 "$mnt"
        mount --bind "$mnt/folder" "/srv/a b"
        mount -o remount,bind,ro,noatime,nosuid "$mnt"
}

restore() {
        systemctl reset-failed pmemremoved
        if is_bound namespace0.0; then return; fi
        bind_again namespace0.0
        mount_both
}

mount_pmem
dd if=/dev/urandom of="$mnt/data" bs=1M count=2 status=none
sum=$(md5sum <"$mnt/data")
mkdir "$mnt/folder"
umount "$mnt"
mkdir -p "/srv/a b"
mount_both
world >/run/before
start_daemon
while IFS=: read -r step who; do
        note "$who, at the $step"
        # shellcheck disable=SC2086 # several roles
        crash "begin.* step=$step " $who
        request namespace0.0 mode s graceful
        crashed
        result_of
        if [ "$result" = done ] && [[ $who == daemon ]]; then
                note "the worker was faster than the news of the daemon's end"
                removed
        else
                [[ $result == failed || $result == cancelled ]] || fail "$result"
                world | diff /run/before -
                echo x >"/srv/a b/probe"
                [ "$(md5sum <"$mnt/data")" = "$sum" ]
        fi
        clean_behind
        restore
done <<'END'
claim:worker
unbind:daemon
unbind:worker daemon
flush:worker daemon
END
