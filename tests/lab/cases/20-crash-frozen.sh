# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGKILL while the filesystem is frozen: whoever it hits, it is thawed, and all is as before or removed.
# lab: kernel=new config=two timeout=300
# story: qemu-ga fsfreeze

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms'
start_daemon
for who in daemon worker 'daemon worker' 'guardian worker daemon'; do
        note "$who"
        start_app --on-term=ignore --ack=/run/ack "$mnt/data"
        world >/run/before
        # shellcheck disable=SC2086 # several roles
        crash 'frozen ' $who
        request namespace0.0 mode s forced
        crashed
        ended_well
        wait_for '[ -n "$(records "$removal" aaea75e2ee8f4ff694e58d4246f1bbc6)" ]' 5
        bring_back
done
