# SPDX-License-Identifier: LGPL-2.1-or-later
# A filesystem in many places: bind mounts, a subtree, another mount namespace. All go, or all come back as they were.
# lab: kernel=new,old config=two timeout=120
# matrix: bind mounts, other mount namespaces | graceful | unmounted everywhere; back in the same places

mount_pmem
mkdir -p "$mnt/sub" /srv/{bound,sub,read}
mount --bind "$mnt" /srv/bound
mount --bind "$mnt/sub" /srv/sub
mount --bind -o ro,noatime "$mnt" /srv/read
mount --make-private /srv/sub
unshare -m --propagation private sh -c 'umount /srv/bound && mkdir -p /run/own && mount --bind /mnt/pmem /run/own &&
        cd / && touch /run/unshared && exec sleep 100000' &
other=$!
wait_for '[ -e /run/unshared ]' 10
# Holds nothing but a mount namespace: it is not in the way and must live.
start_app --on-term=ignore --fd-only "$mnt/sub/data"
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
world >/run/before
places "$other" >/run/other
cat /run/before /run/other
[ "$(wc -l </run/other)" -eq 4 ] || fail "$(wc -l </run/other) places there, not 4"

note "undone: the same places"
ctl_refused 5 remove --mode=graceful -y "$mnt"
grep -q "$app" /run/out
world | diff /run/before -
places "$other" | diff /run/other -
must_fail sh -c 'echo x >/srv/read/file'
echo y >/srv/sub/file
[ -e "$mnt/sub/file" ]

note "done: none is left"
kill -KILL "$app"
request "$mnt"
wait_removal done
[ "$(property Road)" = 's "graceful"' ]
[ -z "$(places)" ]
[ -z "$(places "$other")" ]
is_alive "$other"
assert_gone namespace0.0
