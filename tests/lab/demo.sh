# SPDX-License-Identifier: LGPL-2.1-or-later
# The demonstration: what an operator sees. Runs in the guest; ./bootstrap.sh demo starts it.
# lab: kernel=new config=one timeout=300

show() {
        printf '\n# %s\n' "$*"
        "$@"
}

chapter() {
        printf '\n========== %s\n' "$*"
}

say() {
        printf '%s\n' "$*" | fold -s -w 100
}

# The service is started by the first call on D-Bus; here it is started before, so that its start is not in the way.
systemctl start pmemremoved

chapter "1. An application writes to persistent memory through a mapping (MAP_SYNC on XFS-DAX)"
mount_pmem
show findmnt -o TARGET,SOURCE,FSTYPE,OPTIONS "$mnt"
start_app --ack=/run/ack "$mnt/data"
say "Process $app stores records and acknowledges each, outside, once it is durable."
show pmemremovectl list

chapter "2. What would a removal do? A dry run changes nothing"
show pmemremovectl plan namespace0.0

chapter "3. One request on D-Bus takes the memory out under the application"
show busctl call org.pmemremoved1 /org/pmemremoved1 org.pmemremoved1.Manager \
        RequestRemove 'sa{sv}' namespace0.0 1 reason s demo
show pmemremovectl wait 1
printf '\n# journalctl PMEMREMOVED_REMOVAL=1\n'
journalctl -q --no-pager -o cat PMEMREMOVED_REMOVAL=1

chapter "4. It is gone"
wait_for '! is_alive $app' 10
assert_gone namespace0.0
show ls /dev/pmem0 || true
show ls /sys/bus/nd/drivers/nd_pmem/

chapter "5. Brought back: every acknowledged record is there"
bind_again namespace0.0
mount_pmem
show /lab/pmemapp --verify --ack=/run/ack "$mnt/data"

chapter "6. An application that refuses to leave, and the forced road"
rm "$mnt/data" /run/ack
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
conf '[Policy]' 'DrainSignals=SIGTERM:2s'
systemctl reload pmemremoved
say "Process $app ignores SIGTERM. On the forced road the filesystem is frozen and the driver unbound; inside that" \
        "unbind the kernel kills whoever still has its pages mapped."
dmesg -C
show pmemremovectl remove --mode=forced -y namespace0.0
wait_for '! is_alive $app' 10
assert_gone namespace0.0

chapter "7. What the kernel said"
kernel_said 'Device is about to be removed!|Sending SIGBUS' | head -n 6

chapter "8. Brought back again: nothing that was acknowledged is lost"
bind_again namespace0.0
mount_pmem
show /lab/pmemapp --verify --ack=/run/ack "$mnt/data"
printf '\nNobody is left frozen, nothing is lost. ./bootstrap.sh install puts it on this machine.\n'
