/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The exclusive claim of a whole disk. It rules over names: what is opened is the very inode whose
 * device number was checked, whatever udev does to the name meanwhile. */

#include <fcntl.h>
#include <sys/stat.h>

#include "sys/claim.h"
#include "util/text.h"

#define RETRY_USEC (10 * USEC_PER_MSEC)
#define PAUSE_USEC 500

int claim_open(const char *devnode, dev_t dev)
{
        uint64_t deadline = usec_add(now_usec(), RETRY_USEC);
        _cleanup_(closep) int path_fd = -EBADF;
        char link[64];
        struct stat st;

        path_fd = open(devnode, O_PATH | O_CLOEXEC);
        if (path_fd < 0)
                return -errno;
        if (fstat(path_fd, &st) < 0)
                return -errno;
        if (!S_ISBLK(st.st_mode) || st.st_rdev != dev)
                return -ESTALE;
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
        for (;;) {
                int fd = open(link, O_RDONLY | O_EXCL | O_CLOEXEC);

                if (fd >= 0)
                        return fd;
                if (errno != EBUSY && errno != EINTR)
                        return -errno;
                /* A superblock on its way out, or a dying process, is briefly a holder still. */
                if (now_usec() >= deadline)
                        return -EBUSY;
                pause_usec(PAUSE_USEC);
        }
}
