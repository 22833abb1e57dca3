/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sys/proc-fdinfo.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

/* A ring lists each of its files with its path; what does not fit is cut. */
#define FDINFO_MAX ((size_t)64 * 1024)

/* The text is cut at size - 1. */
static int read_text(int dir_fd, const char *name, char *buf, size_t size)
{
        _cleanup_(closep) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
        size_t used = 0;
        ssize_t n;

        if (fd < 0)
                return -errno;
        do {
                n = read(fd, buf + used, size - 1 - used);
                if (n < 0)
                        return -errno;
                used += (size_t)n;
        } while (n > 0 && used < size - 1);
        buf[used] = '\0';
        return 0;
}

typedef struct Walk {
        int fd_dir, info_dir;
        char *text;
        FdNameFn wanted;
        FdInfoFn info;
        void *arg;
} Walk;

/* A descriptor that is closed meanwhile is passed over. */
static int look_at(const Walk *w, const char *number)
{
        char name[256];
        ssize_t n = readlinkat(w->fd_dir, number, name, sizeof(name) - 1);

        if (n < 0)
                return 0;
        name[n] = '\0';
        if (!w->wanted(name, w->arg))
                return 0;
        *w->text = '\0';
        if (read_text(w->info_dir, number, w->text, FDINFO_MAX) < 0)
                return 0;
        return w->info(name, w->text, w->arg);
}

int fdinfo_for_each(int process_fd, FdNameFn wanted, FdInfoFn info, void *arg)
{
        _cleanup_(closep) int info_dir = -EBADF;
        _cleanup_(closedirp) DIR *dir = NULL;
        _cleanup_(freep) char *text = malloc(FDINFO_MAX);
        Walk w = { .text = text, .wanted = wanted, .info = info, .arg = arg };
        int fd, r = 0;

        if (!text)
                return -ENOMEM;
        info_dir = openat(process_fd, "fdinfo", O_PATH | O_DIRECTORY | O_CLOEXEC);
        fd = openat(process_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir || info_dir < 0) {
                r = -errno;
                if (!dir)
                        (void)safe_close(fd);
                return r;
        }
        w.fd_dir = fd;
        w.info_dir = info_dir;
        for (const struct dirent *de; r == 0 && (de = readdir(dir));)
                if (*de->d_name != '.')
                        r = look_at(&w, de->d_name);
        return r;
}

static const char *next_line(const char *line)
{
        line = strchrnul(line, '\n');
        return *line ? line + 1 : line;
}

uint64_t fdinfo_number(const char *text, const char *word)
{
        for (; *text; text = next_line(text))
                if (strncmp(text, word, strlen(word)) == 0)
                        return strtoull(text + strlen(word), NULL, 10);
        return 0;
}

/* "fanotify sdev:10300000 mflags:0 mask:20 ..." of a mark on a filesystem, "fanotify ino:63
 * sdev:..." of one on a file: fs/notify/fdinfo.c. The number is the kernel's own, twenty bits of
 * minor, in hex. A mark on a mount shows its id only, and goes with the mount. */
bool fdinfo_fanotify_has(const char *text, dev_t dev)
{
        for (; *text; text = next_line(text)) {
                const char *sdev = strstr(text, "sdev:");
                unsigned long found;

                if (strncmp(text, "fanotify ", 9) != 0 || !sdev || sdev > strchrnul(text, '\n'))
                        continue;
                found = strtoul(sdev + 5, NULL, 16);
                if (makedev((unsigned)(found >> 20), (unsigned)(found & 0xfffff)) == dev)
                        return true;
        }
        return false;
}

/* "    0: /path" below "UserFiles:", up to the next word; "    0: name" on older kernels, 6.12
 * among them: io_uring/fdinfo.c. A slot that is empty is "<none>", or not there. */
const char *fdinfo_uring_file(char **text)
{
        while (**text) {
                char *line = *text, *end = strchrnul(line, '\n'), *colon;

                *text = *end ? end + 1 : end;
                *end = '\0';
                line += strspn(line, " ");
                colon = line + strspn(line, "0123456789");
                if (colon > line && colon[0] == ':' && colon[1] == ' ' && colon[2] != '<')
                        return colon + 2;
        }
        return NULL;
}
