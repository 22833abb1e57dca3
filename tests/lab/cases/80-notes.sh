# SPDX-License-Identifier: LGPL-2.1-or-later
# What an unmount ends without a word and a rollback does not bring back: quota that was turned on by hand and marks of
# fanotify are notes of the plan. Quota that lives in the filesystem comes back, and process accounting is shown by nothing.
# lab: kernel=new,old config=two timeout=120
# matrix: quota, turned on by hand | graceful | done, a note: off after a rollback
# matrix: quota of the filesystem itself | graceful | done, on after a rollback
# matrix: process accounting file | graceful | done; the umount ends it and nothing shows it
# matrix: fanotify mark | graceful | done, a note: lost with the unmount

# noted WORD...: the plan has a note with each word.
noted() {
        local word
        timeout 60 pmemremovectl plan namespace0.0 >/run/out </dev/null
        for word in "$@"; do grep -qF -- "$word" /run/out || fail "no $word in: $(cat /run/out)"; done
}

there_and_back() {
        request namespace0.0 mode s graceful hold-before-commit b true
        reaches waiting
        must_fail is_mounted
        tell Cancel
        wait_removal cancelled
        is_mounted
}

start_daemon
note "quota of XFS comes back as it was, also without being enforced"
mkdir -p "$mnt"
mount -o dax=always,usrquota /dev/pmem0 "$mnt"
xfs_quota -x -c 'disable -u' "$mnt"
world >/run/before
noted unmount
if grep -q quotaon /run/out; then fail "a note without a loss"; fi
there_and_back
world | diff /run/before -
umount "$mnt"

note "that of visible files does not, and process accounting goes silently"
make_ext4
mount -o usrquota /dev/pmem0 "$mnt"
quotacheck -cum "$mnt"
quotaon "$mnt" 2>/dev/null
: >"$mnt/account"
accton "$mnt/account"
noted 'quotaon turned quotas on (user)' 'quotaon has to be run again'
there_and_back
quotaon -p "$mnt" | grep -q 'user quota .* is off'
size=$(stat -c %s "$mnt/account")
/bin/true
sleep 0.1
[ "$(stat -c %s "$mnt/account")" = "$size" ]

note "fanotify"
command -v python3 >/dev/null || skip "there is no python3 to watch with"
cat >/run/watch <<'END'
import ctypes
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)
for flag in 0x100, 0x10:  # FAN_MARK_FILESYSTEM, FAN_MARK_MOUNT, each with FAN_MODIFY of a group of its own
    group = libc.fanotify_init(0, 0)
    if libc.fanotify_mark(group, 1 | flag, ctypes.c_uint64(2), -100, sys.argv[1].encode()) < 0:
        sys.exit(1)
open('/run/watching', 'w').close()
signal.pause()
END
python3 /run/watch "$mnt" &
watcher=$!
wait_for '[ -e /run/watching ]' 20
noted "process $watcher (python3) watches it by fanotify"
[ "$(grep -c 'watches it by fanotify' /run/out)" -eq 2 ] || fail "not both: $(cat /run/out)"
request namespace0.0
wait_removal done
assert_gone namespace0.0
