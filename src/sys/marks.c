/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who watches by fanotify, and what: show_fdinfo() of the group's descriptor (fs/notify/fdinfo.c,
 * 6.1 and 6.12), numbers in hexadecimal digits. */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/marks.h"
#include "util/text.h"

#define LINK "anon_inode:[fanotify]"
#define FDINFO_MAX (4 * 1024 * 1024)

/* The number behind "KEY:". */
static bool read_hex(const char *line, const char *key, uint64_t *ret)
{
        const char *at = strstr(line, key);
        char *end;

        if (!at)
                return false;
        at += strlen(key);
        *ret = strtoull(at, &end, 16);
        return end > at;
}

bool fanotify_parse(const char *line, FanotifyMark *mark)
{
        uint64_t sdev;

        mark->dev = 0;
        mark->mount_id = 0;
        if (strncmp(line, "fanotify ", strlen("fanotify ")) != 0)
                return false;
        if (read_hex(line, " mnt_id:", &mark->mount_id))
                return true;
        if (!read_hex(line, " sdev:", &sdev))
                return false;
        /* The kernel's own form of a device number: 12 bits, 20 bits. */
        mark->dev = makedev((unsigned)(sdev >> 20), (unsigned)(sdev & 0xfffff));
        return true;
}

static int tell_marks(pid_t pid, const char *fd, FanotifyFn fn, void *arg)
{
        _cleanup_(freep) char *text = NULL;
        char path[64], *save = NULL;
        int r = 0;

        (void)snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.20s", pid, fd);
        if (read_full_file(path, FDINFO_MAX, &text, NULL) < 0)
                return 0;
        for (char *line = strtok_r(text, "\n", &save); line && r == 0;
                line = strtok_r(NULL, "\n", &save)) {
                FanotifyMark mark = { .pid = pid };

                if (fanotify_parse(line, &mark))
                        r = fn(&mark, arg);
        }
        return r;
}

static int scan_process(int proc_fd, const char *name, FanotifyFn fn, void *arg)
{
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        char path[32], link[sizeof(LINK) + 1];
        struct stat st;
        pid_t pid;
        int r = 0;

        if (parse_pid(name, &pid) < 0 || fstatat(proc_fd, name, &st, 0) < 0 || st.st_uid != 0)
                return 0;
        (void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        d = opendir(path);
        while (d && r == 0 && (entry = readdir(d))) {
                ssize_t n = readlinkat(dirfd(d), entry->d_name, link, sizeof(link));

                if (n == sizeof(LINK) - 1 && memcmp(link, LINK, sizeof(LINK) - 1) == 0)
                        r = tell_marks(pid, entry->d_name, fn, arg);
        }
        return r;
}

int fanotify_find(uint64_t deadline_usec, FanotifyFn fn, void *arg)
{
        _cleanup_(closedirp) DIR *d = opendir("/proc");
        const struct dirent *entry;
        int r = 0;

        if (!d)
                return -errno;
        while (r == 0 && (entry = readdir(d)))
                r = now_usec() >= deadline_usec ? -ETIMEDOUT
                                                : scan_process(dirfd(d), entry->d_name, fn, arg);
        return r;
}
