/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of mounts share: places, a child with a namespace of its own, a filesystem. What
 * cannot be had here is skipped, not passed. */

#include "fixture.h"

#include "sys/mounts.h"

#define PATIENCE (60 * USEC_PER_SEC)
#define TARGET SCRATCH "/with blank"

static bool have_scratch;

static inline void need_scratch(void)
{
        if (!have_scratch)
                skip();
}

static inline const Mount *find_target(const MountList *l, const char *target)
{
        const Mount *found = NULL;

        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].target, target))
                        found = l->items + i;
        return found;
}

static inline const Mount *find_in_ns(const MountList *l, ino_t ns, const char *target)
{
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].ns == ns && streq(l->items[i].target, target))
                        return l->items + i;
        return NULL;
}

static inline ino_t ns_of(pid_t pid)
{
        char path[48];
        struct stat st;

        (void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
        assert_int_equal(stat(path, &st), 0);
        return st.st_ino;
}

/* The mount at that place as the kernel shows it now; id 0 when there is none. */
static inline MountPlace place_of(pid_t pid, const char *target)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        MountPlace p = { .ns_pid = pid, .ns = ns_of(pid), .target = target };
        const Mount *m;

        assert_int_equal(mounts_read(pid, &l), 0);
        m = find_target(&l, target);
        if (m) {
                p.ns_id = m->ns_id;
                p.id = m->id;
                p.dev = m->dev;
        }
        return p;
}

static inline int make_dir(const char *path)
{
        return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static inline void mount_tmpfs(const char *target)
{
        assert_int_equal(make_dir(target), 0);
        assert_int_equal(mount("tmp", target, "tmpfs", 0, NULL), 0);
}

static inline int in_own_namespace(void *arg)
{
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                make_dir(SCRATCH "/theirs") < 0)
                return -errno;
        return mount("tmp", SCRATCH "/theirs", "tmpfs", 0, NULL) < 0 ? -errno : 0;
}

/* Not everybody may look into every process; who may not gets no list. */
static inline void read_all_or_skip(MountList *l)
{
        int r = mounts_read_all(l);

        if (r == -EACCES)
                skip();
        assert_int_equal(r, 0);
}

static char loop[32];

/* A loop device on an ext4 image, with a directory in it. Skips where that cannot be had. */
static inline int need_ext4(void)
{
        int fd;

        need_scratch();
        if (make_image(SCRATCH "/image", "mkfs.ext4", 16) < 0)
                skip();
        fd = loop_attach(SCRATCH "/image", loop);
        if (fd < 0 || mkdir(SCRATCH "/first", 0700) < 0)
                skip();
        if (mount(loop, SCRATCH "/first", "ext4", 0, NULL) < 0)
                skip();
        assert_int_equal(mkdir(SCRATCH "/first/sub dir", 0700), 0);
        write_file(SCRATCH "/first/sub dir/file", "content");
        return fd;
}

static inline void done_ext4(int fd)
{
        (void)close(fd);
        (void)rmdir(SCRATCH "/first");
        (void)unlink(SCRATCH "/image");
}

static inline void clean_theirs(void)
{
        (void)rmdir(SCRATCH "/theirs");
        (void)rmdir(SCRATCH "/jail");
}

static inline int group_setup(void **state)
{
        have_scratch = private_scratch() >= 0;
        return 0;
}
