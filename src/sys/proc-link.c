/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The device behind a magic link of /proc when its filesystem does not answer. After pre-remove
 * every stat gives EIO, also through a descriptor that is open already (lab-facts 4); mount ids and
 * mountinfo are the kernel's own and go on working. */

#include <fcntl.h>

#include "sys/proc-internal.h"

#define FDINFO_MAX 4096

/* O_PATH through a magic link neither looks anything up nor opens the file. */
static int link_mount_id(int dir_fd, const char *name, uint64_t *ret)
{
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        char path[48];
        char *id;
        int r;

        fd = openat(dir_fd, name, O_PATH | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        r = read_full_file(path, FDINFO_MAX, &text, NULL);
        if (r < 0)
                return r;
        id = strstr(text, "mnt_id:\t");
        if (!id)
                return -EBADMSG;
        id += strlen("mnt_id:\t");
        id[strcspn(id, "\n")] = '\0';
        return parse_u64(id, ret);
}

/* "42 25 259:0 / /mnt ...": true when this line is that mount. */
static bool line_dev(char *line, uint64_t id, dev_t *ret)
{
        char *save = NULL, *words[3];
        uint64_t found;

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                words[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
                if (!words[i])
                        return false;
        }
        return parse_u64(words[0], &found) >= 0 && found == id && parse_devnum(words[2], ret) >= 0;
}

/* Read as text, not through libmount: three words of each line are all that is needed here. */
int proc_link_dev(int process_fd, int dir_fd, const char *name, dev_t *ret)
{
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;
        uint64_t id;
        int fd, r;

        r = link_mount_id(dir_fd, name, &id);
        if (r < 0)
                return r;
        fd = openat(process_fd, "mountinfo", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        f = fdopen(fd, "re");
        if (!f) {
                r = -errno;
                (void)safe_close(fd);
                return r;
        }
        while (getline(&line, &size, f) >= 0)
                if (line_dev(line, id, ret))
                        return 0;
        return -ENODATA;
}
