# SPDX-License-Identifier: LGPL-2.1-or-later
# A freeze does not stop writing through a MAP_SYNC mapping of preallocated blocks, also not after syncfs. An fsync of
# the file is what helps: it takes the write permission that the freeze does not see.
# lab: kernel=new config=two

# Records the application writes in a second.
progress() {
        local before
        before=$(stat -c %s /run/ack)
        sleep 1
        echo $((($(stat -c %s /run/ack) - before) / 8))
}

mount_pmem
start_app --ack=/run/ack "$mnt/data"
sync -f "$mnt"
fsfreeze -f "$mnt"
written=$(progress)
note "written in a second while frozen: $written"
[ "$written" -gt 0 ]
fsfreeze -u "$mnt"

note "after fsync of the file"
sync "$mnt/data"
fsfreeze -f "$mnt"
[ "$(progress)" -eq 0 ]
[ "$(state_of "$app")" = D ]
fsfreeze -u "$mnt"
