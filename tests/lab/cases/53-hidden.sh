# SPDX-License-Identifier: LGPL-2.1-or-later
# What no list of mounts shows: a mount namespace without processes, a lazily detached mount, an NFS export. The exclusive
# claim finds them; graceful is undone and says where to look.
# lab: kernel=new,old config=two timeout=150

mount_pmem
conf '[Policy]' 'DrainTimeout=300ms'
start_daemon
world >/run/before

note "a mount namespace that only a file keeps"
mkdir -p /run/ns
mount -t tmpfs none /run/ns
mount --make-private /run/ns
touch /run/ns/mnt
unshare --mount=/run/ns/mnt --propagation private true
world >/run/before
for mode in graceful auto; do
        request namespace0.0 mode s "$mode"
        result=$(busctl --timeout=120 call "$bus_name" "$removal" "$bus_name.Removal" Wait)
        note "$mode: $result $(property Error)"
        [ "$result" = 's "refused"' ] || fail "$mode: $result"
        world | diff /run/before - || fail "$mode: not as before"
        must_fail is_frozen
done
property Error | grep -q 'mount namespace'
umount /run/ns/mnt

note "a lazily detached mount with a user"
start_app --on-term=ignore --fd-only "$mnt/file"
umount -l "$mnt"
request namespace0.0 mode s graceful
wait_removal refused
property Error | grep -q "$app"
is_alive "$app"
is_bound namespace0.0
request namespace0.0
wait_removal done
must_fail is_alive "$app"
assert_gone namespace0.0
