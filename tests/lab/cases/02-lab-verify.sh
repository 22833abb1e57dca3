# SPDX-License-Identifier: LGPL-2.1-or-later
# The verifier of the lab notices damage, else no case that relies on it means anything.
# lab: kernel=new,old

mount_pmem
start_app --size=1 --ack=/run/ack --interval=0 "$mnt/data"
# 1 MiB is 4096 records of 256 bytes, and 4096 acknowledgements 32 KiB: beyond, the file has been written round.
wait_for '[ $(stat -c %s /run/ack) -gt 40000 ]' 30
kill "$app"
wait_for '! is_alive $app' 10
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"

note "a flipped byte, a lost tail, a lost file"
cp "$mnt/data" /run/copy
printf X | dd of=/run/copy bs=1 seek=300000 conv=notrunc status=none
must_fail /lab/pmemapp --verify --ack=/run/ack /run/copy
cp "$mnt/data" /run/copy
truncate -s 1000000 /run/copy
must_fail /lab/pmemapp --verify --ack=/run/ack /run/copy
: >/run/copy
must_fail /lab/pmemapp --verify --ack=/run/ack /run/copy
