# SPDX-License-Identifier: LGPL-2.1-or-later
# Binding the memory again before a dead mount is unmounted saves the data, and the kernel from an oops that follows in
# two of three such removals otherwise (README.md, Surprises).
# lab: kernel=new config=two

mount_pmem
start_app --ack=/run/ack "$mnt/data"
wait_for '[ $(stat -c %s /run/ack) -gt 800 ]' 10
bound_device namespace0.0 >/sys/bus/nd/drivers/nd_pmem/unbind
wait_for '! is_alive $app' 10
bind_again namespace0.0
umount "$mnt"
mount_pmem
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
