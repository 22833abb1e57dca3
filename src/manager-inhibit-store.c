/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* systemd keeps stored descriptors while the service restarts, whether it was asked to or died, and
 * drops one by itself when its pipe hangs up (src/core/service.c, on_fd_store_io(): EPOLLHUP, all
 * writers are gone). When the unit is stopped it drops them all; the holders see that as POLLERR.
 *
 * Without systemd sd_notify() does nothing, and locks end with the daemon. */

#include "manager-inhibit-store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "util/log.h"
#include "util/own-file.h"
#include "util/text.h"

#define FDNAME_PREFIX "inhibitor-"
#define FILE_NAME_MAX 24
/* Of a file that is being written; one at a time is. */
#define DRAFT "new"

const char *inhibit_fdname(uint64_t id, char buf[static INHIBIT_FDNAME_MAX])
{
        (void)snprintf(buf, INHIBIT_FDNAME_MAX, FDNAME_PREFIX "%" PRIu64, id);
        return buf;
}

static int parse_fdname(const char *name, uint64_t *ret)
{
        if (strncmp(name, FDNAME_PREFIX, strlen(FDNAME_PREFIX)) != 0)
                return -EINVAL;
        return parse_u64(name + strlen(FDNAME_PREFIX), ret);
}

/* --- the files --- */

static void file_name(uint64_t id, char buf[static FILE_NAME_MAX])
{
        (void)snprintf(buf, FILE_NAME_MAX, "%" PRIu64, id);
}

static int write_line(int dir_fd, const char *name, const char *line)
{
        _cleanup_(closep) int fd = own_file_open(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL);
        size_t n = strlen(line);
        ssize_t written;

        if (fd < 0)
                return fd;
        written = write(fd, line, n);
        if (written < 0)
                return -errno;
        return (size_t)written == n ? 0 : -ENOSPC;
}

/* Complete under its name, or not there at all. No sync: /run does not outlive the kernel, nor does
 * any descriptor. */
static int file_write(const char *dir, const Inhibitor *i)
{
        _cleanup_(closep) int dir_fd = own_folder_open(dir);
        _cleanup_(record_freep) Record *rec = NULL;
        _cleanup_(freep) char *line = NULL;
        char name[FILE_NAME_MAX];
        int r;

        if (dir_fd < 0)
                return dir_fd;
        r = inhibitor_to_record(i, &rec);
        if (r < 0)
                return r;
        line = record_print(rec);
        if (!line)
                return -ENOMEM;
        file_name(i->id, name);
        (void)unlinkat(dir_fd, DRAFT, 0);
        r = write_line(dir_fd, DRAFT, line);
        if (r == 0 && renameat(dir_fd, DRAFT, dir_fd, name) < 0)
                r = -errno;
        if (r < 0)
                (void)unlinkat(dir_fd, DRAFT, 0);
        return r;
}

static int read_line(int dir_fd, uint64_t id, char **ret)
{
        char name[FILE_NAME_MAX], proc[64];
        _cleanup_(closep) int fd = -EBADF;

        file_name(id, name);
        fd = own_file_open(dir_fd, name, O_RDONLY);
        if (fd < 0)
                return fd;
        (void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
        return read_full_file(proc, RECORD_LINE_MAX, ret, NULL);
}

static int file_read(int dir_fd, uint64_t id, Inhibitor **ret)
{
        _cleanup_(freep) char *line = NULL;
        _cleanup_(record_freep) Record *rec = NULL;
        _cleanup_(inhibitor_freep) Inhibitor *i = NULL;
        int r;

        r = dir_fd < 0 ? dir_fd : read_line(dir_fd, id, &line);
        if (r == 0)
                r = record_parse(line, &rec);
        if (r == 0)
                r = inhibitor_from_record(rec, &i);
        if (r < 0)
                return r;
        if (i->id != id)
                return -ESTALE;
        *ret = TAKE_PTR(i);
        return 0;
}

/* --- both together --- */

int inhibit_store_put(const char *dir, const Inhibitor *i, int fd)
{
        char name[INHIBIT_FDNAME_MAX], state[INHIBIT_FDNAME_MAX + 32];
        int r;

        r = file_write(dir, i);
        if (r < 0)
                return r;
        (void)snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", inhibit_fdname(i->id, name));
        r = sd_pid_notify_with_fds(0, false, state, &fd, 1);
        if (r < 0)
                inhibit_store_drop(dir, i->id, name);
        return r < 0 ? r : 0;
}

void inhibit_store_drop(const char *dir, uint64_t id, const char *fdname)
{
        _cleanup_(closep) int dir_fd = own_folder_open(dir);
        char name[FILE_NAME_MAX];

        (void)sd_notifyf(false, "FDSTOREREMOVE=1\nFDNAME=%s", fdname);
        file_name(id, name);
        if (dir_fd >= 0)
                (void)unlinkat(dir_fd, name, 0);
}

static int restore_one(int dir_fd, int fd, const char *fdname, Restored *ret)
{
        uint64_t id = 0;
        int r;

        *ret = (Restored){ .fd = fd };
        r = parse_fdname(fdname, &id);
        if (r == 0)
                r = file_read(dir_fd, id, &ret->inhibitor);
        if (r < 0) {
                log_error("What the stored descriptor %s stands for cannot be read (%s); it "
                          "forbids every removal until its holder lets go.",
                        fdname, own_file_cause(r));
                r = inhibitor_new_unknown(id, &ret->inhibitor);
        }
        return r < 0 ? r : free_and_strdup(&ret->fdname, fdname);
}

static bool is_held(const Restored *all, size_t n, const char *file)
{
        char name[INHIBIT_FDNAME_MAX + NAME_MAX];

        (void)snprintf(name, sizeof(name), FDNAME_PREFIX "%s", file);
        for (size_t i = 0; i < n; i++)
                if (streq(all[i].fdname, name))
                        return true;
        return false;
}

/* Takes dir_fd over. */
static int forget_files(int dir_fd, const Restored *all, size_t n)
{
        _cleanup_(closedirp) DIR *d = fdopendir(dir_fd);

        if (!d) {
                (void)safe_close(dir_fd);
                return -errno;
        }
        for (struct dirent *e; (e = readdir(d));) {
                if (*e->d_name == '.' || is_held(all, n, e->d_name))
                        continue;
                log_info("Inhibitor %s is gone: its holder let go, or the service was stopped in "
                         "between.",
                        e->d_name);
                (void)unlinkat(dirfd(d), e->d_name, 0);
        }
        return 0;
}

int inhibit_store_get(const char *dir, Restored **ret, size_t *ret_n)
{
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(freep) Restored *all = NULL;
        _cleanup_(closep) int dir_fd = -EBADF;
        int n = sd_listen_fds_with_names(true, &names), r = 0;

        if (n < 0)
                return n;
        if (mkdir(dir, S_IRWXU) < 0 && errno != EEXIST)
                return -errno;
        dir_fd = own_folder_open(dir);
        /* Nothing in it is believed or deleted, and no inhibitor can be taken. */
        if (dir_fd < 0)
                log_error("%s: what is in it is not believed, because %s; delete it and restart "
                          "pmemremoved",
                        dir, own_file_cause(dir_fd));
        all = calloc((size_t)n + 1, sizeof(*all));
        if (!all)
                return -ENOMEM;
        /* A failure ends the daemon, and with it what is half done here. */
        for (int i = 0; i < n && r == 0; i++)
                r = restore_one(dir_fd, SD_LISTEN_FDS_START + i, names[i], &all[i]);
        if (r == 0 && dir_fd >= 0)
                r = forget_files(TAKE_FD(dir_fd), all, (size_t)n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(all);
        *ret_n = (size_t)n;
        return 0;
}
