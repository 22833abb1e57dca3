/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The only user of libmount: reads mountinfo of any mount namespace, unmounts and mounts in it. */

#include <sys/types.h>

#include "sys/child.h"
#include "util/text.h"

typedef struct Mount {
        uint64_t id; /* mount id in its namespace */
        uint64_t parent_id;
        dev_t dev;    /* st_dev of the filesystem */
        char *root;   /* what of the filesystem is mounted: "/" or a bind's subdirectory */
        char *target; /* mount point as seen in its namespace */
        char *fstype;
        char *source;
        char *vfs_options;       /* of the mount: rw,relatime */
        char *fs_options;        /* of the superblock: rw,attr2,dax=always */
        const char *propagation; /* shared, private (a slave counts as one), unbindable */
        ino_t ns;                /* inode of the mount namespace */
        uint64_t ns_id;          /* its number that is never given again, 0: unknown */
        pid_t ns_pid; /* a process that lives in it; 1 for ours where possible; 0: it has none */
} Mount;

typedef struct MountList {
        Mount *items;
        size_t n;
} MountList;

void mount_list_done(MountList *l);

/* Appends the mounts of the namespace that pid lives in, in mountinfo's order (a mount comes after
 * what it is mounted on). pid 0 is the caller's own. -ESRCH when the process is gone. */
int mounts_read(pid_t pid, MountList *l) _must_check_;
/* Appends the mounts of every namespace, PID 1's first, each namespace once; those without a
 * process come last. Before 6.12 a namespace that nothing but a descriptor in flight or a hidden
 * mount keeps is not found. */
int mounts_read_all(MountList *l) _must_check_;

typedef struct MountPlace {
        pid_t ns_pid; /* enter the mount namespace of this process ... */
        ino_t ns;     /* ... if it is still this one, else search for this one; 0: stay in ours */
        /* 0: not checked. The kernel gives the inode to the next new namespace, and what is mounted
         * again must not end up in somebody else's. */
        uint64_t ns_id;
        uint64_t id; /* mount id, 0: not checked */
        dev_t dev;   /* 0: not checked */
        const char *target;
        const char *propagation; /* for mounts_place(), as in Mount; NULL: as it comes */
        /* For mounts_place(): wait so long for a moment in which nobody has the device. */
        uint64_t alone_usec;
} MountPlace;

/* Where a mount of a list is; valid as long as the list. */
MountPlace mount_place(const Mount *m);

/* umount2(UMOUNT_NOFOLLOW) in a child that entered the namespace; never lazy unless detach is set.
 * Before it acts it checks that target is still that mount id and device: -ESTALE if the name now
 * means something else or is hidden by another mount; -ENOENT if nothing is mounted there any more,
 * or that namespace does not exist any more (which callers treat as done). -EBUSY also for what has
 * mounts below it, and for the root of a namespace, which goes with it only.
 * EBUSY is retried for 10 ms (a dying process is briefly a holder, performance-facts 7). Waits
 * until timeout_usec has passed or cancel_fd (-1: none) becomes readable: -ETIMEDOUT, -ECANCELED;
 * the child may then still sleep in the kernel. */
int mounts_umount(
        const MountPlace *place, bool detach, uint64_t timeout_usec, int cancel_fd) _must_check_;

/* The same without the wait, never lazy. */
int mounts_umount_start(const MountPlace *place, Child *ret) _must_check_;

/* Mounts source so that root of it appears at target in the given namespace. source is a device
 * node, or the name of an overlay. 0 also when exactly that (same device number and root) is
 * mounted there already; -ESTALE when source is not place->dev any more; -ESRCH when the namespace
 * does not exist any more; -EOPNOTSUPP for what cannot be given back: see mounts_can_place(). Works
 * in a child as above: a staging mount, open_tree(2) of root and move_mount(2) into the namespace,
 * so that binds and foreign namespaces are one case. Lost are the mount id, an overlay's device
 * number, and the groups of propagation: what was shared is shared again, but with its parent's
 * peers and not with its own, and what received from a master is private. */
int mounts_place(const MountPlace *place, const char *source, const char *root, const char *fstype,
        const char *vfs_options, const char *fs_options, uint64_t timeout_usec) _must_check_;

/* Would mounts_place() give it back as it is? -EOPNOTSUPP for an attribute or a filesystem that it
 * does not know, and for an overlay that lies in a foreign namespace, whose layers have relative
 * paths or cannot be found by their paths, that is volatile, or for which we have not the power of
 * its mounter. Asked before the plan is made; -ETIMEDOUT if a layer does not answer. */
int mounts_can_place(const Mount *m) _must_check_;

/* Is some mount of this device left in any namespace? 1, 0, negative errno. */
int mounts_any(dev_t dev) _must_check_;

/* Does anything keep this mount in use? Asks umount2(MNT_EXPIRE), which on its first call only
 * marks (fs/namespace.c do_umount, 6.12): 1 busy, 0 unused or not mounted, negative errno. Same
 * checks of identity as mounts_umount(). */
int mounts_busy(const MountPlace *place) _must_check_;

/* Is this very mount (id, device, mount point) still there? 1, 0, negative errno. */
int mounts_present(const MountPlace *place) _must_check_;

/* Opens the root of this mount, also where no process leads to it. -ENOENT, -ESTALE as above. */
int mounts_open(const MountPlace *place) _must_check_;
