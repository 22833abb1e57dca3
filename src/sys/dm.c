/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device mapper devices, read, removed and made again. */

#include <inttypes.h>
#include <libdevmapper.h>
#include <sys/sysmacros.h>

#include "sys/dm-table.h"
#include "sys/dm.h"

/* udev's rules for a device; longer means that udev is stuck, and then the kernel's view has to do.
 */
#define UDEV_USEC (10 * USEC_PER_SEC)
#define PAUSE_USEC (20 * USEC_PER_MSEC)
#define PARAMETERS_MAX 32768

static void dm_task_destroyp(struct dm_task **t)
{
        if (*t)
                dm_task_destroy(*t);
}

/* The library prints to stderr otherwise, which is the journal. */
static void _printf_(5, 6)
        be_silent(int level, const char *file, int line, int dm_errno_or_class, const char *f, ...)
{
}

/* DM_SECURE_DATA: the library and the kernel wipe what they copied. No flush: a flush of a
 * suspended device would wait for its resume (dm_get_live_or_inactive_table(), table_status()). */
static struct dm_task *task_new(int type)
{
        struct dm_task *t;

        dm_log_with_errno_init(be_silent);
        t = dm_task_create(type);
        if (!t)
                return NULL;
        if (dm_task_secure_data(t) && dm_task_no_flush(t))
                return t;
        dm_task_destroy(t);
        return NULL;
}

static int task_run(struct dm_task *t)
{
        int e;

        if (dm_task_run(t))
                return 0;
        e = dm_task_get_errno(t);
        return e > 0 ? -e : -EIO;
}

/* --- reading --- */

void dm_device_done(DmDevice *d)
{
        wipe_and_free(d->table);
        d->table = NULL;
}

/* One target as text at out, or where that is NULL only the length. -1: holds what ends a line. */
static ssize_t target_text(char *out, size_t size, uint64_t start, uint64_t length,
        const char *type, const char *params)
{
        if (strchr(params, ';') || !*params || *params == ' ' || strstr(params, "  "))
                return -1;
        /* Some targets end their status with a blank. */
        return snprintf(out, size, "%s%" PRIu64 " %" PRIu64 " %s %.*s", start ? "; " : "", start,
                length, type, (int)(strlen(params) - (params[strlen(params) - 1] == ' ' ? 1 : 0)),
                params);
}

/* With out NULL only counts. */
static ssize_t table_text(struct dm_task *t, char *out, size_t size)
{
        void *next = NULL;
        size_t used = 0;

        do {
                uint64_t start, length;
                char *type, *params;
                ssize_t n;

                next = dm_get_next_target(t, next, &start, &length, &type, &params);
                if (!type)
                        return 0;
                n = target_text(out ? out + used : NULL, out ? size - used : 0, start, length, type,
                        strempty(params));
                if (n < 0)
                        return n;
                used += (size_t)n;
        } while (next);
        return (ssize_t)used;
}

/* Into a buffer of the right size at once: growing it would leave keys behind. */
static int read_table(struct dm_task *t, char **ret)
{
        ssize_t n = table_text(t, NULL, 0);

        if (n < 0)
                return -ENOTSUP;
        if (n == 0)
                return 0;
        *ret = malloc((size_t)n + 1);
        if (!*ret)
                return -ENOMEM;
        (void)table_text(t, *ret, (size_t)n + 1);
        return 0;
}

static int read_identity(struct dm_task *t, DmDevice *ret)
{
        struct dm_info info;

        if (!dm_task_get_info(t, &info))
                return -EIO;
        if (!info.exists)
                return -ENXIO;
        *ret = (DmDevice){
                .dev = makedev(info.major, info.minor),
                .open_count = info.open_count > 0 ? (unsigned)info.open_count : 0,
                .suspended = info.suspended,
                .read_only = info.read_only,
        };
        (void)snprintf(ret->name, sizeof(ret->name), "%s", strempty(dm_task_get_name(t)));
        (void)snprintf(ret->uuid, sizeof(ret->uuid), "%s", strempty(dm_task_get_uuid(t)));
        return 0;
}

int dm_read(const char *name, dev_t dev, DmDevice *ret)
{
        _cleanup_(dm_task_destroyp) struct dm_task *t = task_new(DM_DEVICE_TABLE);
        int r;

        if (!t)
                return -ENOMEM;
        if (name ? !dm_task_set_name(t, name)
                 : !dm_task_set_major(t, (int)major(dev)) || !dm_task_set_minor(t, (int)minor(dev)))
                return -EINVAL;
        r = task_run(t);
        if (r == 0)
                r = read_identity(t, ret);
        return r < 0 ? r : read_table(t, &ret->table);
}

/* --- changing --- */

/* The cookie is a semaphore that udev's rules release. Whoever waits for it without an end hangs
 * where udev hangs. */
static void wait_for_udev(uint32_t cookie)
{
        uint64_t deadline = usec_add(now_usec(), UDEV_USEC);
        int ready = 0;

        while (cookie && dm_udev_wait_immediate(cookie, &ready) && !ready) {
                if (now_usec() >= deadline)
                        (void)dm_udev_complete(cookie);
                pause_usec(PAUSE_USEC);
        }
}

static int run_and_settle(struct dm_task *t)
{
        uint32_t cookie = 0;
        int r;

        if (!dm_task_set_cookie(t, &cookie, 0))
                return -EIO;
        r = task_run(t);
        wait_for_udev(cookie);
        return r;
}

int dm_remove(const char *name)
{
        _cleanup_(dm_task_destroyp) struct dm_task *t = task_new(DM_DEVICE_REMOVE);

        if (!t)
                return -ENOMEM;
        if (!dm_task_set_name(t, name))
                return -EINVAL;
        return run_and_settle(t);
}

static int add_line(struct dm_task *t, const char *line, size_t length)
{
        char params[PARAMETERS_MAX], *rest = params;
        const char *start, *size, *type;
        uint64_t from, sectors;
        int r = -EBADMSG;

        if (length >= sizeof(params))
                return -E2BIG;
        (void)snprintf(params, sizeof(params), "%.*s", (int)length, line);
        start = strsep(&rest, " ");
        size = strsep(&rest, " ");
        type = strsep(&rest, " ");
        if (type && parse_u64(start, &from) == 0 && parse_u64(size, &sectors) == 0)
                r = dm_task_add_target(t, from, sectors, type, strempty(rest)) ? 0 : -ENOMEM;
        explicit_bzero(params, sizeof(params));
        return r;
}

static int add_lines(struct dm_task *t, const char *table)
{
        int r = 0;

        while (*table && r == 0) {
                size_t n = strcspn(table, ";");

                r = add_line(t, table, n);
                table += n;
                table += table[0] == ';' ? 2 : 0;
        }
        return r;
}

static int create_as(const DmDevice *d, bool number)
{
        _cleanup_(dm_task_destroyp) struct dm_task *t = task_new(DM_DEVICE_CREATE);
        int r;

        if (!t)
                return -ENOMEM;
        if (!dm_task_set_name(t, d->name) || (*d->uuid && !dm_task_set_uuid(t, d->uuid)) ||
                (d->read_only && !dm_task_set_ro(t)))
                return -EINVAL;
        if (number && !dm_task_set_major_minor(t, (int)major(d->dev), (int)minor(d->dev), 1))
                return -EINVAL;
        r = add_lines(t, d->table);
        return r < 0 ? r : run_and_settle(t);
}

/* A number that is taken answers EBUSY as a taken name does (specific_minor() and
 * __hash_insert(), drivers/md/dm*.c). */
int dm_create(const DmDevice *d)
{
        int r = create_as(d, true);

        return r == -EBUSY ? create_as(d, false) : r;
}
