# SPDX-License-Identifier: LGPL-2.1-or-later
# What no list of mounts shows: a lazily detached mount. The exclusive claim finds it; graceful is undone and names its user,
# auto kills that one.
# lab: kernel=new,old config=two timeout=150

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon

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
