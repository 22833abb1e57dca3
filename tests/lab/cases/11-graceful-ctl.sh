# SPDX-License-Identifier: LGPL-2.1-or-later
# Graceful with pmemremovectl, which tells every step on plain lines when nobody watches.
# lab: kernel=new config=two timeout=90

mount_pmem
start_app --ack=/run/ack "$mnt/data"
start_daemon
pmemremovectl list
pmemremovectl plan --mode=graceful "$mnt" | tee /run/plan
grep -q "$app" /run/plan
pmemremovectl remove --mode=graceful -y "$mnt" | tee /run/steps
grep -q unmount /run/steps
assert_gone namespace0.0
pmemremovectl removals
bind_again namespace0.0
mount_pmem
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
