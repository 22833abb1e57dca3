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
#include "util/text.h"

#define FDNAME_PREFIX "inhibitor-"

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

static char *file_path(const char *dir, uint64_t id)
{
        return string_printf("%s/%" PRIu64, dir, id);
}

static int write_line(const char *path, const char *line)
{
        _cleanup_(closep) int fd =
                open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
        size_t n = strlen(line);
        ssize_t written;

        if (fd < 0)
                return -errno;
        written = write(fd, line, n);
        if (written < 0)
                return -errno;
        return (size_t)written == n ? 0 : -ENOSPC;
}

/* Complete under its name, or not there at all. No sync: /run does not outlive the kernel, nor does
 * any descriptor. */
static int file_write(const char *dir, const Inhibitor *i)
{
        _cleanup_(record_freep) Record *rec = NULL;
        _cleanup_(freep) char *line = NULL, *path = file_path(dir, i->id), *draft = NULL;
        int r;

        r = inhibitor_to_record(i, &rec);
        if (r < 0)
                return r;
        line = record_print(rec);
        draft = path ? string_printf("%s.new", path) : NULL;
        if (!line || !draft)
                return -ENOMEM;
        (void)unlink(draft);
        r = write_line(draft, line);
        if (r == 0 && rename(draft, path) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(draft);
        return r;
}

static int file_read(const char *dir, uint64_t id, Inhibitor **ret)
{
        _cleanup_(freep) char *path = file_path(dir, id), *line = NULL;
        _cleanup_(record_freep) Record *rec = NULL;
        _cleanup_(inhibitor_freep) Inhibitor *i = NULL;
        int r;

        if (!path)
                return -ENOMEM;
        r = read_full_file(path, RECORD_LINE_MAX, &line, NULL);
        if (r == 0)
                r = record_parse(line, &rec);
        if (r == 0)
                r = inhibitor_from_record(rec, &i);
        if (r < 0)
                return r;
        if (i->id != id)
                return -EBADMSG;
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
        _cleanup_(freep) char *path = file_path(dir, id);

        (void)sd_notifyf(false, "FDSTOREREMOVE=1\nFDNAME=%s", fdname);
        if (path)
                (void)unlink(path);
}

static int restore_one(const char *dir, int fd, const char *fdname, Restored *ret)
{
        uint64_t id = 0;
        int r;

        *ret = (Restored){ .fd = fd };
        r = parse_fdname(fdname, &id);
        if (r == 0)
                r = file_read(dir, id, &ret->inhibitor);
        if (r < 0) {
                log_error("What the stored descriptor %s stands for cannot be read (%s); it "
                          "forbids every removal until its holder lets go.",
                        fdname, strerror(-r));
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

static int forget_files(const char *dir, const Restored *all, size_t n)
{
        _cleanup_(closedirp) DIR *d = opendir(dir);

        if (!d)
                return -errno;
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
        int n = sd_listen_fds_with_names(true, &names), r = 0;

        if (n < 0)
                return n;
        if (mkdir(dir, S_IRWXU) < 0 && errno != EEXIST)
                return -errno;
        all = calloc((size_t)n + 1, sizeof(*all));
        if (!all)
                return -ENOMEM;
        /* A failure ends the daemon, and with it what is half done here. */
        for (int i = 0; i < n && r == 0; i++)
                r = restore_one(dir, SD_LISTEN_FDS_START + i, names[i], &all[i]);
        if (r == 0)
                r = forget_files(dir, all, (size_t)n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(all);
        *ret_n = (size_t)n;
        return 0;
}
