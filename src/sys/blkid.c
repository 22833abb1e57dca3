/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is written on a block device, from the device itself. udev's database is not asked: it may
 * be older than the last mkfs. Two signatures on one device are an error, for nobody can say which
 * is meant. */

#include "sys/blkid.h"

#include <blkid.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "sys/child.h"

DEFINE_CLEANUP(blkid_probe, blkid_free_probe);

/* What is on a disk that answers is known in milliseconds. */
#define ASK_USEC (10 * USEC_PER_SEC)

#define SAFEPROBE_NOTHING 1
#define SAFEPROBE_AMBIVALENT (-2)

static int open_device(const char *devnode)
{
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        fd = open(devnode, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
                return -ENOTBLK;
        return TAKE_FD(fd);
}

static int probe_setup(blkid_probe pr, int fd)
{
        if (blkid_probe_set_device(pr, fd, 0, 0) < 0 || blkid_probe_enable_superblocks(pr, 1) < 0 ||
                blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE |
                                                              BLKID_SUBLKS_UUID |
                                                              BLKID_SUBLKS_LABEL) < 0)
                return errno > 0 ? -errno : -ENOMEM;
        return 0;
}

static int probe_run(blkid_probe pr)
{
        int r;

        errno = 0;
        r = blkid_do_safeprobe(pr);
        if (r == 0)
                return 0;
        if (r == SAFEPROBE_NOTHING)
                return -ENODATA;
        if (r == SAFEPROBE_AMBIVALENT)
                return -ENOTUNIQ;
        return errno > 0 ? -errno : -EIO;
}

static void copy_value(blkid_probe pr, const char *name, char *buf, size_t size)
{
        const char *value = NULL;

        if (blkid_probe_lookup_value(pr, name, &value, NULL) < 0)
                value = NULL;
        (void)snprintf(buf, size, "%s", strempty(value));
}

int blkid_read(const char *devnode, BlkidInfo *ret)
{
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(blkid_free_probep) blkid_probe pr = NULL;
        int r;

        fd = open_device(devnode);
        if (fd < 0)
                return fd;
        pr = blkid_new_probe();
        if (!pr)
                return -ENOMEM;
        r = probe_setup(pr, fd);
        if (r < 0)
                return r;
        r = probe_run(pr);
        if (r < 0)
                return r;
        copy_value(pr, "TYPE", ret->type, sizeof(ret->type));
        copy_value(pr, "USAGE", ret->usage, sizeof(ret->usage));
        copy_value(pr, "UUID", ret->uuid, sizeof(ret->uuid));
        copy_value(pr, "LABEL", ret->label, sizeof(ret->label));
        return ret->type[0] ? 0 : -ENODATA;
}

typedef struct AskCall {
        const char *devnode;
        BlkidInfo *answer; /* shared with the child */
} AskCall;

static int ask_child(void *arg)
{
        const AskCall *call = arg;

        return blkid_read(call->devnode, call->answer);
}

int blkid_ask(const char *devnode, BlkidInfo *ret)
{
        AskCall call = { .devnode = devnode };
        int r;

        call.answer = mmap(NULL, sizeof(*call.answer), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (call.answer == MAP_FAILED)
                return -errno;
        r = child_call(ask_child, &call, ASK_USEC, -EBADF);
        if (r == 0)
                *ret = *call.answer;
        (void)munmap(call.answer, sizeof(*call.answer));
        return r;
}
