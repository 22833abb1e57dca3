/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device mapper: LVM, dm-linear, dm-crypt and the rest. A device whose whole state is its table can
 * be taken down and put up again from the plan; THE TABLE below says of which targets that is true,
 * and what a person does with the others. */

#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/dm-table.h"
#include "sys/dm.h"
#include "sys/sysfs.h"
#include "util/shell.h"

#define IS_CACHE                                                                                   \
        "it is a cache in the memory itself, through bare pointers that an unbind would leave "    \
        "behind; write it back and detach it "

static const struct {
        const char *target;
        const char *lvm;   /* what a person does, in front of the device; NULL: as other */
        const char *other; /* %s: its name; NULL: nothing, it is given back by its table */
} targets[] = {
        { "linear", NULL, NULL },
        { "striped", NULL, NULL },
        { "crypt", NULL, NULL },
        /* persistent_memory_claim(), drivers/md/dm-writecache.c, 6.1 to 6.12; dm-pcache, 7.x:
         * dax_direct_access() once, under a lock that is let go at once. */
        { "writecache", IS_CACHE "(lvconvert --splitcache",
                IS_CACHE "(dmsetup message %s 0 flush, then dmsetup remove" },
        { "pcache", IS_CACHE "(lvchange --activate n", IS_CACHE "(dmsetup remove" },
        { "cache", "it is a cache; write it back and detach it (lvconvert --splitcache",
                "it is a cache; write it back and take it down (dmsetup remove" },
        { "raid", "it is a RAID volume; deactivate it (lvchange --activate n",
                "it is a RAID set; take it down (dmsetup remove" },
        { "multipath", NULL, "it is a multipath device; flush it (multipath -f" },
};

static void take_down(const char *word, const DmDevice *d, char *buf, size_t size)
{
        bool lvm = strncmp(d->uuid, "LVM-", 4) == 0;

        (void)snprintf(buf, size,
                "it has a %s target of the device mapper, whose state is not in its table; take it "
                "down (%s",
                word, lvm ? "lvchange --activate n" : "dmsetup remove");
}

static bool is_known(const char *word, size_t *ret)
{
        for (*ret = 0; *ret < ELEMENTSOF(targets); (*ret)++)
                if (streq(word, targets[*ret].target))
                        return true;
        return false;
}

/* Empty for a target that is given back by its table. */
static void target_blocker(const char *word, const DmDevice *d, char *buf, size_t size)
{
        char name[SHELL_WORD_MAX];
        const char *text;
        size_t i;

        *buf = '\0';
        if (!is_known(word, &i)) {
                take_down(word, d, buf, size);
                return;
        }
        text = strncmp(d->uuid, "LVM-", 4) == 0 && targets[i].lvm ? targets[i].lvm
                                                                  : targets[i].other;
        (void)snprintf(buf, size, strempty(text), shell_word(d->name, name, sizeof(name)));
}

/* --- what its table says --- */

typedef struct Look {
        const DmDevice *device;
        char **words;  /* each target once */
        char **slaves; /* MAJ:MIN */
        char blocker[512];
} Look;

static int look_at_target(Look *look, const DmWord *w)
{
        _cleanup_(freep) char *word = string_printf("%.*s", (int)w->length, w->text);

        if (!word)
                return -ENOMEM;
        if (strv_contains(look->words, word))
                return 0;
        if (!*look->blocker)
                target_blocker(word, look->device, look->blocker, sizeof(look->blocker));
        return strv_append(&look->words, word);
}

/* A device that no slaves entry names could not be found again under another number. */
static int look_at_device(Look *look, const DmWord *w)
{
        _cleanup_(freep) char *devnum = string_printf("%.*s", (int)w->length, w->text);

        if (!devnum)
                return -ENOMEM;
        if (!*look->blocker && !strv_contains(look->slaves, devnum))
                (void)snprintf(look->blocker, sizeof(look->blocker),
                        "its table names the device %s, which is not known by a name; take it down "
                        "(dmsetup remove",
                        devnum);
        return 0;
}

static int look_at_word(void *arg, const DmWord *w)
{
        Look *look = arg;
        dev_t dev;

        if (w->index == 2)
                return look_at_target(look, w);
        /* The kernel gives a key of its keyrings to nobody, and whoever put it there has usually
         * taken it away again (cryptsetup does, for LUKS2). */
        if (dm_word_is_key_of_others(w) && !*look->blocker)
                (void)snprintf(look->blocker, sizeof(look->blocker),
                        "its key lies in a keyring of the kernel, so it could not be opened again "
                        "without its passphrase; close it (cryptsetup close");
        return dm_word_is_device(w, &dev) ? look_at_device(look, w) : 0;
}

/* --- what it stands on --- */

/* "259:0=pmem0", "253:1=dm:vg-lv": by which name the device is found again. */
static int add_slave(const char *dir, const char *name, Look *look, char **devs)
{
        _cleanup_(freep) char *sysfs = string_printf("%s/%s", dir, name);
        char devnum[DEVNUM_MAX], mapped[256] = "";
        _cleanup_(freep) char *old = *devs;
        dev_t dev;
        int r;

        *devs = NULL;
        if (!sysfs)
                return -ENOMEM;
        r = sysfs_devnum(sysfs, &dev);
        if (r < 0)
                return r;
        r = sysfs_read(sysfs, "dm/name", mapped, sizeof(mapped));
        if (r < 0 && r != -ENOENT)
                return r;
        (void)format_devnum(devnum, dev);
        *devs = string_printf("%s%s%s=%s%s", strempty(old), old ? " " : "", devnum,
                *mapped ? "dm:" : "", *mapped ? mapped : name);
        return *devs ? strv_append(&look->slaves, devnum) : -ENOMEM;
}

static int set_slaves(Node *n, const char *name, Look *look)
{
        _cleanup_(freep) char *dir = string_printf("/sys/class/block/%s/slaves", name);
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(freep) char *devs = NULL;
        int r;

        if (!dir)
                return -ENOMEM;
        r = sysfs_list(dir, &names);
        for (char **s = names; s && *s && r == 0; s++)
                r = add_slave(dir, *s, look, &devs);
        return r < 0 ? r : node_set(n, "devs", devs);
}

/* --- the node --- */

static int set_targets(Node *n, const Look *look)
{
        _cleanup_(freep) char *text = NULL;

        for (char **word = look->words; word && *word; word++) {
                char *longer = string_printf("%s%s%s", strempty(text), text ? " " : "", *word);

                if (!longer)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        return node_set(n, "targets", text);
}

static int set_table(Node *n, const DmDevice *d, Look *look)
{
        _cleanup_(freep) char *hidden = NULL;
        int r = dm_table_walk(d->table, look_at_word, look);

        if (r == 0)
                r = set_targets(n, look);
        if (r == 0 && !*look->blocker)
                r = dm_table_hide_keys(d->table, d->name, &hidden);
        return r < 0 ? r : node_set(n, "table", hidden);
}

static int set_names(Node *n, const DmDevice *d)
{
        int r = node_set(n, "dm-name", d->name);

        if (r == 0 && *d->uuid)
                r = node_set(n, "dm-uuid", d->uuid);
        if (r == 0 && d->read_only)
                r = node_set(n, "read-only", "yes");
        /* Who reads it now waits for its resume. */
        if (r == 0 && d->suspended)
                r = node_set(n, "suspended", "yes");
        return r;
}

static int set_blocker(Node *n, const DmDevice *d, const Look *look)
{
        char path[sizeof(d->name) + 16], word[SHELL_WORD_MAX];

        if (d->suspended)
                return node_setf(n, "blocker",
                        "it is suspended, and whatever reads it waits; resume it (dmsetup resume "
                        "%s) and ask again",
                        shell_word(d->name, word, sizeof(word)));
        if (!*look->blocker)
                return 0;
        (void)snprintf(path, sizeof(path), "/dev/mapper/%s", d->name);
        return node_setf(n, "blocker", "%s %s) and ask again", look->blocker,
                shell_word(path, word, sizeof(word)));
}

static int set_device(Node *n, const char *name, const DmDevice *d)
{
        Look look = { .device = d };
        int r = set_names(n, d);

        if (r == 0)
                r = set_slaves(n, name, &look);
        if (r == 0 && d->table)
                r = set_table(n, d, &look);
        else if (r == 0)
                (void)snprintf(look.blocker, sizeof(look.blocker),
                        "it has no table yet; remove it (dmsetup remove");
        if (r == 0)
                r = set_blocker(n, d, &look);
        look.words = strv_free(look.words);
        look.slaves = strv_free(look.slaves);
        return r;
}

static int dm_discover(HolderScan *scan, Node *below, const char *name, Failure *f)
{
        DmDevice d = { 0 };
        dev_t dev;
        Node *n;
        int r = holder_add_stacked(scan, below, name, "dm", "device mapper", &n);

        if (r < 0 || node_get(n, "dm-name"))
                return r;
        if (parse_devnum(strempty(node_get(n, "dev")), &dev) < 0)
                return -ENODEV;
        r = dm_read(NULL, dev, &d);
        if (r == 0)
                r = set_device(n, name, &d);
        dm_device_done(&d);
        if (r == -ENOTSUP || r == -EBADMSG)
                r = node_setf(n, "blocker",
                        "its table cannot be written down; take it down (dmsetup remove /dev/%s) "
                        "and ask again",
                        name);
        return r;
}

const HolderOps holder_dm = {
        .kind = KIND_STACKED,
        .prefix = "dm-",
        .discover_stacked = dm_discover,
};
