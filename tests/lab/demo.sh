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

chapter "An application writes to persistent memory through a mapping (MAP_SYNC on XFS-DAX)"
mount_pmem
show findmnt -o TARGET,SOURCE,FSTYPE,OPTIONS "$mnt"
start_app --ack=/run/ack "$mnt/data"
show grep -m 1 "$mnt/data" "/proc/$app/maps"
systemctl start pmemremoved

chapter "What would a removal do?"
show pmemremovectl plan namespace0.0

chapter "Removing the memory under it, over D-Bus"
show busctl call org.pmemremoved1 /org/pmemremoved1 org.pmemremoved1.Manager \
        RequestRemove 'sa{sv}' namespace0.0 1 reason s demo
show pmemremovectl wait 1
show journalctl -q --no-pager -o short-precise PMEMREMOVED_REMOVAL=1

chapter "It is gone"
wait_for '! is_alive $app' 10
assert_gone namespace0.0
show ls /dev/pmem0 || true
show ls -l /sys/bus/nd/drivers/nd_pmem/

chapter "Brought back, every acknowledged record is there"
show ndctl enable-region region0 || true
bind_again namespace0.0
mount_pmem
show /lab/pmemapp --verify --ack=/run/ack "$mnt/data"

chapter "An application that refuses to leave, and the forced road"
rm "$mnt/data" /run/ack
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
dmesg -C
show pmemremovectl remove --mode=forced -y namespace0.0
wait_for '! is_alive $app' 10
assert_gone namespace0.0
show kernel_said 'Device is about to be removed!|Sending SIGBUS' | head -n 8
echo
