/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the kernel says about an array, and what is done to it. */

#include <fcntl.h>
#include <linux/major.h>
#include <linux/raid/md_u.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "sys/child.h"
#include "sys/md.h"
#include "sys/sysfs.h"

#define ARGS_MAX 64

static char *md_dir(const char *array)
{
        return string_printf("/sys/class/block/%s/md", array);
}

/* --- reading --- */

/* Copies of a raid10: near and far copies, drivers/md/raid10.c setup_geo(). */
static uint64_t raid10_copies(const char *dir)
{
        uint64_t layout;

        if (sysfs_read_u64(dir, "layout", &layout) < 0)
                return 1;
        return (layout & 0xff) * (layout >> 8 & 0xff);
}

static uint64_t redundancy_of(const char *dir, const char *level)
{
        uint64_t disks;

        if (streq(level, "raid4") || streq(level, "raid5"))
                return 1;
        if (streq(level, "raid6"))
                return 2;
        if (streq(level, "raid1") && sysfs_read_u64(dir, "raid_disks", &disks) == 0 && disks > 0)
                return disks - 1;
        if (streq(level, "raid10"))
                return MAX_OF(raid10_copies(dir), 1U) - 1;
        return 0;
}

/* What it does not say is missing as well: unknown counts as no. */
static void read_health(const char *dir, MdArray *ret)
{
        char text[32];

        if (sysfs_read(dir, "sync_action", ret->sync_action, sizeof(ret->sync_action)) < 0)
                *ret->sync_action = '\0';
        if (sysfs_read_u64(dir, "degraded", &ret->degraded) < 0)
                ret->degraded = UINT32_MAX;
        ret->in_sync =
                sysfs_read(dir, "resync_start", text, sizeof(text)) == 0 && streq(text, "none");
        ret->redundancy = redundancy_of(dir, ret->level);
}

int md_read(const char *array, MdArray *ret)
{
        _cleanup_(freep) char *dir = md_dir(array);
        int r;

        *ret = (MdArray){ 0 };
        if (!dir)
                return -ENOMEM;
        r = sysfs_read(dir, "array_state", ret->state, sizeof(ret->state));
        if (r < 0 || streq(ret->state, "clear"))
                return r < 0 ? r : -ENOENT;
        if (sysfs_read(dir, "level", ret->level, sizeof(ret->level)) < 0)
                *ret->level = '\0';
        r = sysfs_read(dir, "metadata_version", ret->metadata, sizeof(ret->metadata));
        if (r == 0)
                read_health(dir, ret);
        return r;
}

int md_read_leg(const char *array, const char *disk, MdLeg *ret)
{
        _cleanup_(freep) char *dir = string_printf("/sys/class/block/%s/md/dev-%s", array, disk);
        _cleanup_(freep) char *block = dir ? string_printf("%s/block", dir) : NULL;
        char slot[16];
        int r;

        if (!block)
                return -ENOMEM;
        r = sysfs_read(dir, "state", ret->state, sizeof(ret->state));
        if (r == 0)
                r = sysfs_read(dir, "slot", slot, sizeof(slot));
        if (r == 0)
                r = sysfs_devnum(block, &ret->dev);
        ret->has_slot = r == 0 && !streq(slot, "none");
        return r;
}

int md_legs(const char *array, char ***ret)
{
        _cleanup_(freep) char *dir = md_dir(array);
        _cleanup_(strv_freep) char **names = NULL, **legs = NULL;
        int r = dir ? sysfs_list(dir, &names) : -ENOMEM;

        for (char **name = names; name && *name && r == 0; name++)
                if (strncmp(*name, "dev-", 4) == 0)
                        r = strv_append(&legs, *name + 4);
        if (r == 0)
                *ret = TAKE_PTR(legs);
        return r;
}

/* --- changing --- */

int md_set_leg(const char *array, const char *disk, const char *word)
{
        _cleanup_(freep) char *path =
                string_printf("/sys/class/block/%s/md/dev-%s/state", array, disk);

        return path ? sysfs_write(path, word) : -ENOMEM;
}

int md_stop(const char *array, dev_t dev)
{
        _cleanup_(freep) char *devnode = string_printf("/dev/%s", array);
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        if (!devnode)
                return -ENOMEM;
        /* Opening the number of an array that is not there would make one: O_PATH does not. */
        fd = open(devnode, O_PATH | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISBLK(st.st_mode) || st.st_rdev != dev)
                return -ESTALE;
        fd = safe_close(fd);
        fd = open(devnode, O_RDONLY | O_EXCL | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return ioctl(fd, STOP_ARRAY, NULL) < 0 ? -errno : 0;
}

/* add_named_array(), drivers/md/md.c: "md4" since 4.13, "md_name" always. */
int md_make(const char *array)
{
        int r = sysfs_write("/sys/module/md_mod/parameters/new_array", array);

        return r == -EEXIST ? 0 : r;
}

/* --- mdadm --- */

static const char *tool_path(void)
{
        static const char *const paths[] = { "/usr/sbin/mdadm", "/sbin/mdadm" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (access(paths[i], X_OK) == 0)
                        return paths[i];
        return NULL;
}

bool md_has_tool(void)
{
        return tool_path();
}

/* Nothing of this process goes along, and what it prints goes nowhere: its exit status and the
 * kernel say what came of it. */
static int run_tool(void *arg)
{
        int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null_fd < 0)
                return -errno;
        for (int fd = 0; fd < 3; fd++)
                if (dup2(null_fd, fd) < 0)
                        return -errno;
        (void)syscall(SYS_close_range, 3, ~0U, 0);
        (void)execv(tool_path(), arg);
        return -errno;
}

int md_tool(const char *const *args, uint64_t timeout_usec)
{
        char *argv[ARGS_MAX] = { (char *)"mdadm" };
        size_t n = 1;

        if (!md_has_tool())
                return -ENOENT;
        for (; *args && n < ARGS_MAX - 1; args++)
                argv[n++] = (char *)*args;
        if (*args)
                return -E2BIG;
        return child_call(run_tool, argv, timeout_usec, -EBADF);
}
