/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One device mapper device whose table is all that it is. It is given back from the plan, under the
 * numbers that the devices below have by then: memory that was unbound and bound again has another
 * one. Keys are not in the plan but in the kernel's keyring, from before the device goes until the
 * run ends; or, where the device could not be given back, until a person has done that. */

#include <ctype.h>

#include "step/common.h"
#include "sys/child.h"
#include "sys/dm-table.h"
#include "sys/dm.h"
#include "sys/keyring.h"
#include "sys/sysfs.h"
#include "util/shell.h"

/* udev's rules open a device for a moment whenever somebody who could write has closed it. */
#define BUSY_USEC (5 * USEC_PER_SEC)
/* A device without a table is one that somebody is just making (LVM activates what comes back), or
 * the remains of one who died over it. */
#define MAKING_USEC (3 * USEC_PER_SEC)

/* --- is it the one? --- */

static bool same_names(const Step *s, const DmDevice *d)
{
        return streq(d->name, step_node(s)) && streq(d->uuid, strempty(step_get(s, "dm-uuid")));
}

/* -ENXIO: it is gone, -ESTALE: another one by now. */
static int read_it(const Step *s, DmDevice *ret)
{
        int r = dm_read(NULL, step_get_dev(s, "dev"), ret);

        if (r < 0)
                return r;
        return same_names(s, ret) && ret->table &&
                               dm_table_same(ret->table, strempty(step_get(s, "table"))) == 1
                       ? 0
                       : -ESTALE;
}

static int changed(const Step *s, int r, Failure *f)
{
        return failure_set(f, FAILURE_VANISHED, r, step_node(s),
                "the device of this name is another one by now, or has another table; look at it "
                "and ask again");
}

static int deactivate_check(const Step *s, Run *run, Failure *f)
{
        DmDevice d = { 0 };
        int r = read_it(s, &d);

        dm_device_done(&d);
        return r == -ESTALE ? changed(s, r, f) : r == -ENXIO ? 0 : r;
}

/* --- keys --- */

static int nibble(char c)
{
        return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The table has been compared with the plan's, so it holds hex digits wherever that has a name. */
static int put_key(void *arg, const DmWord *w)
{
        const Step *s = arg;
        uint8_t key[DM_KEY_MAX];
        char name[512];
        size_t n = w->length / 2;
        int r;

        if (!dm_word_is_key(w) || *w->text == '-')
                return 0;
        if (n > sizeof(key))
                return -E2BIG;
        for (size_t i = 0; i < n; i++)
                key[i] = (uint8_t)(nibble(w->text[2 * i]) << 4 | nibble(w->text[2 * i + 1]));
        (void)snprintf(name, sizeof(name), DM_KEY_PREFIX "%s:%u", step_node(s), w->line);
        r = keyring_put(name, key, n);
        explicit_bzero(key, sizeof(key));
        return r;
}

static ssize_t fetch_key(const char *name, uint8_t buf[static DM_KEY_MAX])
{
        return keyring_get(name, buf, DM_KEY_MAX);
}

static int forget_key(void *arg, const DmWord *w)
{
        char name[512];

        if (dm_word_is_hidden_key(w) && w->length < sizeof(name)) {
                (void)snprintf(name, sizeof(name), "%.*s", (int)w->length, w->text);
                (void)keyring_forget(name);
        }
        return 0;
}

typedef struct Keys {
        char *table;
        bool needed; /* by a person: nothing else makes the device again */
} Keys;

static void drop_keys(void *object)
{
        Keys *keys = object;

        if (!keys->needed)
                (void)dm_table_walk(keys->table, forget_key, NULL);
        free(keys->table);
        free(keys);
}

static bool has_keys(const Step *s)
{
        return strstr(strempty(step_get(s, "table")), DM_KEY_PREFIX);
}

/* Until the run ends. A worker that is killed leaves the key to whoever recovers. */
static int hold_keys(const Step *s, Run *run)
{
        Keys *keys = has_keys(s) ? calloc(1, sizeof(*keys)) : NULL;
        char number[16];
        int r;

        if (!keys)
                return has_keys(s) ? -ENOMEM : 0;
        r = free_and_strdup(&keys->table, step_get(s, "table"));
        (void)snprintf(number, sizeof(number), "%u", s->number);
        if (r == 0)
                r = run_hold_object(run, "key", number, keys, drop_keys);
        if (r < 0) {
                free(keys->table);
                free(keys);
        }
        return r;
}

static void leave_keys(const Step *s, const Run *run)
{
        const Held *held;
        char number[16];

        (void)snprintf(number, sizeof(number), "%u", s->number);
        held = run_held(run, "key", number);
        if (held)
                ((Keys *)held->object)->needed = true;
}

/* --- the removal --- */

static int remove_in_child(void *arg)
{
        uint64_t deadline = usec_add(now_usec(), BUSY_USEC);
        const Step *s = arg;
        DmDevice d = { 0 };
        int r = read_it(s, &d);

        if (r == 0)
                r = dm_table_walk(d.table, put_key, arg);
        dm_device_done(&d);
        if (r < 0)
                return r == -ENXIO ? 0 : r;
        while ((r = dm_remove(step_node(s))) == -EBUSY && now_usec() < deadline)
                pause_usec(50 * USEC_PER_MSEC);
        return r == -ENXIO ? 0 : r;
}

static int deactivate_apply(const Step *s, Run *run, Failure *f)
{
        int r = hold_keys(s, run);

        if (r < 0)
                return r;
        r = step_call(s, run, remove_in_child, f);
        if (r == -EBUSY)
                return step_still_open(s, run, f);
        if (r == -ESTALE)
                return changed(s, r, f);
        if (r == -ETIMEDOUT)
                return failure_set(f, FAILURE_TIMED_OUT, r, step_node(s),
                        "its removal did not come back; it waits for I/O that does not end");
        return r;
}

/* --- the way back --- */

/* "259:0=pmem0 253:1=dm:vg-lv" knows the names of the numbers that the table was made with. */
static int find_lower(void *arg, dev_t dev, dev_t *ret)
{
        _cleanup_(freep) char *sysfs = NULL;
        _cleanup_(strv_freep) char **devs = NULL;
        char devnum[DEVNUM_MAX];
        const char *name = NULL;
        DmDevice d = { 0 };
        int r = strv_split(strempty(step_get(arg, "devs")), &devs);

        (void)format_devnum(devnum, dev);
        for (char **pair = devs; pair && *pair && r == 0; pair++)
                if (strncmp(*pair, devnum, strlen(devnum)) == 0 && (*pair)[strlen(devnum)] == '=')
                        name = *pair + strlen(devnum) + 1;
        if (r < 0 || !name)
                return r < 0 ? r : -EBADMSG;
        if (strncmp(name, "dm:", 3) == 0) {
                r = dm_read(name + 3, 0, &d);
                *ret = d.dev;
                dm_device_done(&d);
                return r;
        }
        sysfs = string_printf("/sys/class/block/%s", name);
        return sysfs ? sysfs_devnum(sysfs, ret) : -ENOMEM;
}

/* 1: it is there. -EAGAIN: it has no table yet. */
static int is_there(const Step *s, const char *table)
{
        DmDevice d = { 0 };
        int r = dm_read(step_node(s), 0, &d);

        if (r == 0)
                r = !same_names(s, &d) ? -ESTALE
                    : !d.table         ? -EAGAIN
                                       : dm_table_same(d.table, table);
        else if (r == -ENXIO)
                return 0;
        dm_device_done(&d);
        return r == 0 ? -ESTALE : r;
}

static int create(const Step *s, const char *table)
{
        DmDevice d = {
                .dev = step_get_dev(s, "dev"),
                .read_only = step_get(s, "read-only"),
        };
        int r = dm_table_fill_keys(table, fetch_key, &d.table);

        (void)snprintf(d.name, sizeof(d.name), "%s", step_node(s));
        (void)snprintf(d.uuid, sizeof(d.uuid), "%s", strempty(step_get(s, "dm-uuid")));
        if (r == 0)
                r = dm_create(&d);
        dm_device_done(&d);
        return r;
}

static int give_back(const Step *s)
{
        _cleanup_(freep) char *table = NULL;
        int r = dm_table_translate(strempty(step_get(s, "table")), find_lower, (void *)s, &table);

        if (r == 0)
                r = is_there(s, table);
        return r == 0 ? create(s, table) : r;
}

/* Others are at it, too: udev, LVM, the device below that is not there yet. */
static bool may_pass(int r)
{
        return r == -EAGAIN || r == -EBUSY || r == -ENOENT || r == -ENODEV || r == -ENXIO;
}

static int create_in_child(void *arg)
{
        const Step *s = arg;
        uint64_t start = now_usec();
        int r;

        while ((r = give_back(s)) < 0 && may_pass(r) &&
                now_usec() < usec_add(start, step_get_u64(s, "wait") / 2)) {
                if (r == -EAGAIN && now_usec() > usec_add(start, MAKING_USEC))
                        (void)dm_remove(step_node(s));
                pause_usec(50 * USEC_PER_MSEC);
        }
        return r < 0 ? r : 0;
}

static int deactivate_revert(const Step *s, Run *run, Failure *f)
{
        char word[SHELL_WORD_MAX];
        int r = child_call(create_in_child, (void *)s, step_get_u64(s, "wait"), -EBADF);

        if (r < 0)
                leave_keys(s, run);
        if (r == -ENOKEY)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "its key is no longer in the kernel; open it with its passphrase "
                        "(cryptsetup open)");
        if (r == -ESTALE)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "another device of this name is there, or it has another table; compare "
                        "it with the plan (dmsetup table %s)",
                        shell_word(step_node(s), word, sizeof(word)));
        if (r < 0)
                return failure_set(f, FAILURE_ROLLBACK_FAILED, r, step_node(s),
                        "could not be put up again: %s; by hand: lvchange --activate y, or dmsetup "
                        "create with the table of the plan%s",
                        strerror(-r),
                        has_keys(s) ? ", whose key waits under the name that stands there in "
                                      "root's keyring (keyctl list @u)"
                                    : "");
        (void)dm_table_walk(strempty(step_get(s, "table")), forget_key, NULL);
        return 0;
}

const StepOps step_deactivate = {
        .name = "deactivate",
        .title = "deactivating",
        .check = deactivate_check,
        .apply = deactivate_apply,
        .revert = deactivate_revert,
};
