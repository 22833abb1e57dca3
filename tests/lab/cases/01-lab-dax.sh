# SPDX-License-Identifier: LGPL-2.1-or-later
# The victim is a real one: what it acknowledged survives, and a bare unbind kills it where the kernel can.
# lab: kernel=new config=two

mount_pmem
findmnt -no OPTIONS "$mnt" | grep -q dax=always
# Without --fsync the kernel leaves entries behind that make the umount oops: see 03-lab-map-sync.
start_app --fsync --ack=/run/ack "$mnt/data"
grep -q "$mnt/data" "/proc/$app/maps"
wait_for '[ $(stat -c %s /run/ack) -gt 800 ]' 10

device=$(bound_device namespace0.0)
note "unbinding $device below $(state_of "$app") $app"
echo "$device" >/sys/bus/nd/drivers/nd_pmem/unbind
assert_gone namespace0.0
wait_for '! is_alive $app' 10
kernel_said 'Device is about to be removed!'
kernel_said 'Sending SIGBUS to pmemapp' | head -n 2
must_fail ls "$mnt"
umount "$mnt"

note "bringing it back"
bind_again namespace0.0
mount_pmem
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
