# SPDX-License-Identifier: LGPL-2.1-or-later
# The shipped default: graceful first; somebody stays, so the road that is proven and cheap is taken.
# lab: kernel=new,old config=two timeout=90

mount_pmem
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
conf '[Policy]' 'DrainSignals=SIGTERM:500ms'
start_daemon
request namespace0.0
wait_removal done
road=$(property Road)
note "road $road"
if [ "$(uname -r | cut -d. -f1,2)" = 6.1 ]; then
        [ "$road" = 's "kill"' ]
else
        [ "$road" = 's "forced"' ]
fi
must_fail is_alive "$app"
assert_gone namespace0.0
bind_again namespace0.0
mount_pmem
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
