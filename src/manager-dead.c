/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After its memory vanished a filesystem answers EIO to everybody, and as long as it is mounted the
 * memory cannot be mounted again when it is back (EEXIST). With CleanDeadMounts=yes its mounts are
 * unmounted, never lazily, and nobody is killed for it: who still uses them is named, and it is
 * tried again.
 *
 * When: where no page of it can have been mapped by DAX, at once. Else not before the same memory
 * is bound again, because an umount that meets DAX entries without page structures oopses
 * (dax_disassociate_entry(), fs/dax.c, 6.1 and 6.12, on XFS with pre-remove too where a mapped file
 * had not been synced; tests/lab/README.md).
 *
 * The list is lost with the daemon, and nothing else is: the mounts stay, as without the key. An
 * umount happens or does not, so there is nothing to undo and no ledger. */

#include "manager-dead.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "reap.h"
#include "step/holds.h"
#include "sys/mounts.h"
#include "sys/privileges.h"
#include "util/log.h"
#include "util/text.h"

#define UMOUNT_USEC (60 * USEC_PER_SEC)
#define AGAIN_FIRST_USEC (5 * USEC_PER_SEC)
#define AGAIN_MAX_USEC (5 * 60 * USEC_PER_SEC)
#define REPORT_MAX 2048

struct Dead {
        Manager *manager;
        char *name;
        char *uuid; /* NULL: the memory cannot be known again */
        char *devs;
        bool dax;
        pid_t pid; /* 0: nobody is at work */
        int report_fd;
        uint64_t pause_usec;
        int said_err;
        char said[REPORT_MAX]; /* by whom it is in use */
        sd_event_source *exit;
        sd_event_source *timer;
};

static void dead_free(Dead *d)
{
        if (!d)
                return;
        if (d->pid > 0) {
                (void)kill(d->pid, SIGKILL);
                reap_later(d->exit);
        } else
                (void)sd_event_source_disable_unref(d->exit);
        (void)sd_event_source_disable_unref(d->timer);
        (void)safe_close(d->report_fd);
        free(d->name);
        free(d->uuid);
        free(d->devs);
        free(d);
}

DEFINE_CLEANUP(Dead *, dead_free);

static void dead_drop(Dead *d)
{
        Manager *m = d->manager;

        for (size_t i = 0; i < m->n_dead; i++)
                if (m->dead[i] == d) {
                        m->dead[i] = m->dead[--m->n_dead];
                        break;
                }
        dead_free(d);
}

void dead_free_all(Manager *m)
{
        while (m->n_dead > 0)
                dead_drop(m->dead[0]);
        free(m->dead);
        m->dead = NULL;
}

static void read_report(int fd, char buf[static REPORT_MAX])
{
        ssize_t n = pread(fd, buf, REPORT_MAX - 1, 0);

        buf[n < 0 ? 0 : n] = '\0';
}

/* --- child --- */

/* The number belongs to the dead disk as long as the filesystem holds it; one that has a disk is
 * not dead. An anonymous number (get_anon_bdev(), fs/super.c: major 0; overlay, and btrfs) never
 * has a disk, and after an umount it is given to whatever is mounted next. */
static bool is_dead(dev_t dev)
{
        char path[64], devnum[DEVNUM_MAX];

        if (major(dev) == 0)
                return false;
        (void)snprintf(path, sizeof(path), "/sys/dev/block/%s", format_devnum(devnum, dev));
        return access(path, F_OK) < 0 && errno == ENOENT;
}

/* Each mount namespace has its copy of a mount. */
static void note_unmounted(const char *target, int report_fd)
{
        char report[REPORT_MAX];

        read_report(report_fd, report);
        if (!list_contains(report, target))
                (void)dprintf(report_fd, "%s%s", *report ? ", " : "", target);
}

static int unmount(const Mount *m, int report_fd)
{
        const MountPlace place = mount_place(m);
        int r = mounts_umount(&place, false, UMOUNT_USEC, -EBADF);

        if (r == 0)
                note_unmounted(m->target, report_fd);
        return r == -ENOENT ? 0 : r;
}

/* The last mounted first, which may be on top of the others. */
static int unmount_all(const Devs *devs, int report_fd)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        int r = mounts_read_all(&l), first = 0;

        for (size_t i = l.n; r == 0 && i > 0; i--)
                for (size_t k = 0; k < devs->n; k++) {
                        int e = 0;

                        if (l.items[i - 1].dev == devs->items[k] && is_dead(devs->items[k]))
                                e = unmount(&l.items[i - 1], report_fd);
                        first = first < 0 ? first : e;
                }
        return r < 0 ? r : first;
}

static void name_users(const char *devs, int report_fd)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };

        if (holds_scan(devs, NULL, &l) < 0)
                return;
        for (size_t i = 0; i < l.n; i++)
                (void)dprintf(
                        report_fd, "%s%d (%s)", i ? ", " : "", l.items[i].pid, l.items[i].comm);
}

static _Noreturn void dead_child(const Dead *d, pid_t parent)
{
        _cleanup_(devs_done) Devs devs = { 0 };
        sigset_t none;
        int fd, r;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_NAME, "pmr-cleaner");
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        fd = dup2(d->report_fd, STDERR_FILENO + 1);
        if (fd < 0 || getppid() != parent)
                _exit(EIO);
        (void)close_range(STDERR_FILENO + 2, ~0U, 0);
        (void)privileges_lower(PRIVILEGES_CLEANER, 0);
        r = devs_parse(d->devs, &devs);
        if (r == 0)
                r = unmount_all(&devs, fd);
        /* What did go is said when all has gone; until then the report is for users. */
        if (r < 0 && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 && r == -EBUSY)
                name_users(d->devs, fd);
        _exit(MIN_OF(-r, 255));
}

/* --- parent --- */

static int on_again(sd_event_source *s, uint64_t usec, void *userdata)
{
        Dead *d = userdata;

        d->timer = sd_event_source_disable_unref(d->timer);
        dead_look(d->manager);
        return 0;
}

static void again_later(Dead *d)
{
        d->pause_usec =
                d->pause_usec == 0 ? AGAIN_FIRST_USEC : MIN_OF(d->pause_usec * 2, AGAIN_MAX_USEC);
        (void)sd_event_add_time_relative(d->manager->event, &d->timer, CLOCK_MONOTONIC,
                d->pause_usec, USEC_PER_SEC, on_again, d);
}

static void tell_failed(Dead *d, int err, const char *users)
{
        if (d->said_err == err && streq(d->said, users))
                return;
        d->said_err = err;
        (void)snprintf(d->said, sizeof(d->said), "%s", users);
        log_warning("The dead mounts of %s could not be unmounted (%s)%s%s; it is tried again.",
                d->name, strerror(err), *users ? ", they are in use by " : "", users);
}

static int on_exit_of_cleaner(sd_event_source *s, const siginfo_t *si, void *userdata)
{
        char report[REPORT_MAX];
        Dead *d = userdata;

        if (!d)
                return reap_done(s);
        d->pid = 0;
        read_report(d->report_fd, report);
        d->exit = sd_event_source_disable_unref(d->exit);
        d->report_fd = safe_close(d->report_fd);
        if (si->si_code != CLD_EXITED || si->si_status != 0) {
                tell_failed(d, si->si_code == CLD_EXITED ? si->si_status : EOWNERDEAD, report);
                again_later(d);
                return 0;
        }
        if (*report)
                log_message(LOG_NOTICE,
                        "The dead mounts of %s, which had vanished, were unmounted: %s.", d->name,
                        report);
        dead_drop(d);
        return 0;
}

static int dead_start(Dead *d)
{
        pid_t parent = getpid();
        int r;

        d->report_fd = memfd_create("pmemremoved-dead", MFD_CLOEXEC);
        if (d->report_fd < 0)
                return -errno;
        d->pid = fork();
        if (d->pid < 0) {
                d->pid = 0;
                d->report_fd = safe_close(d->report_fd);
                return -errno;
        }
        if (d->pid == 0)
                dead_child(d, parent);
        r = sd_event_add_child(d->manager->event, &d->exit, d->pid, WEXITED, on_exit_of_cleaner, d);
        if (r >= 0)
                return 0;
        /* Nobody would hear of its end, and it would count as at work for ever. */
        reap_unwatched(d->pid);
        d->pid = 0;
        d->report_fd = safe_close(d->report_fd);
        return r;
}

static bool is_back(const Dead *dead)
{
        const DeviceTable *t = dead->manager->devices;

        for (size_t i = 0; dead->uuid && t && i < t->n; i++) {
                const Device *d = t->items[i];

                if (d->uuid && streq(d->uuid, dead->uuid) && d->bound &&
                        !manager_device_lost_driver(d))
                        return true;
        }
        return false;
}

static bool may_start(const Dead *d)
{
        return d->pid == 0 && !d->timer && !d->manager->stopping &&
               !manager_removal_of(d->manager, d->name) && (!d->dax || is_back(d));
}

void dead_look(Manager *m)
{
        for (size_t i = 0; i < m->n_dead; i++)
                if (may_start(m->dead[i]) && dead_start(m->dead[i]) < 0)
                        again_later(m->dead[i]);
}

static int dead_add(Manager *m, const Device *from)
{
        _cleanup_(dead_freep) Dead *d = calloc(1, sizeof(*d));
        Dead **grown;
        int r;

        if (!d)
                return -ENOMEM;
        *d = (Dead){ .manager = m, .dax = from->dax, .report_fd = -EBADF };
        r = free_and_strdup(&d->name, from->name);
        if (r == 0)
                r = free_and_strdup(&d->uuid, from->uuid);
        if (r == 0)
                r = free_and_strdup(&d->devs, from->filesystems);
        grown = r < 0 ? NULL : reallocarray(m->dead, m->n_dead + 1, sizeof(Dead *));
        if (!grown)
                return r < 0 ? r : -ENOMEM;
        m->dead = grown;
        m->dead[m->n_dead++] = TAKE_PTR(d);
        return 0;
}

void dead_note(Manager *m, const Device *d)
{
        if (!m->config->policies[0]->clean_dead_mounts || !d->filesystems)
                return;
        if (dead_add(m, d) < 0)
                log_warning("The dead mounts of %s are left: no memory", d->name);
        dead_look(m);
}
