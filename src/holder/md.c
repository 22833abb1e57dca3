/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Software RAID. A leg of an array with redundancy can go while the array stays: it is a node of
 * its own, and what stands on the array does not belong to the closure. An array without redundancy
 * is a device like others and goes whole. */

#include <inttypes.h>
#include <sys/sysmacros.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/blkid.h"
#include "sys/md.h"
#include "sys/sysfs.h"

static bool has_level(const MdArray *a, const char *const *levels)
{
        return strv_contains((char *const *)levels, a->level);
}

/* Array and legs are found again by the uuid in the superblock. */
static int set_uuid(Node *n, const Node *below)
{
        _cleanup_(freep) char *devnode = string_printf("/dev/%s", node_name(below));
        BlkidInfo info = { 0 };

        if (!devnode)
                return -ENOMEM;
        if (blkid_read(devnode, &info) < 0 || !streq(info.type, "linux_raid_member") || !*info.uuid)
                return 0;
        return node_set(n, "array-uuid", info.uuid);
}

/* What would keep it from being given back; NULL: nothing. */
static const char *not_again(const Node *n, const MdArray *a)
{
        if (!md_has_tool())
                return "mdadm is not installed, and only that could put it together again; install "
                       "it";
        if (streq(a->metadata, "none") || strncmp(a->metadata, "external", 8) == 0 ||
                !node_get(n, "array-uuid"))
                return "its legs have no superblock of the kernel's own, so it could not be put "
                       "together again; stop it (mdadm --stop)";
        return NULL;
}

/* --- one leg --- */

/* The kernel's words with those left out that do not matter here, like write_mostly. */
static const char *role_of(const MdLeg *leg)
{
        static const char *const roles[] = { "journal", "faulty", "in_sync", "spare" };

        for (size_t i = 0; i < ELEMENTSOF(roles); i++)
                if (strstr(leg->state, roles[i]))
                        return roles[i];
        return leg->state;
}

static int set_leg(
        Node *n, const Node *below, const char *array, const MdArray *a, const MdLeg *leg)
{
        _cleanup_(freep) char *sysfs = string_printf("/sys/class/block/%s", array);
        char devnum[DEVNUM_MAX];
        dev_t dev = 0;
        int r = sysfs ? sysfs_devnum(sysfs, &dev) : -ENOMEM;

        if (r == 0)
                r = node_setf(n, "what", "leg of %s (%s)", array, a->level);
        if (r == 0)
                r = node_set(n, "array", array);
        if (r == 0)
                r = node_set(n, "array-dev", format_devnum(devnum, dev));
        if (r == 0)
                r = node_set(n, "disk", node_name(below));
        if (r == 0)
                r = node_set(n, "dev", node_get(below, "dev"));
        if (r == 0)
                r = node_set(n, "level", a->level);
        if (r == 0)
                r = node_set(n, "role", role_of(leg));
        if (r == 0)
                r = node_setf(n, "redundancy", "%" PRIu64, a->redundancy);
        if (r == 0)
                r = node_setf(n, "degraded", "%" PRIu64, a->degraded);
        if (r == 0 && *a->sync_action)
                r = node_set(n, "sync-action", a->sync_action);
        if (r == 0)
                r = node_setf(n, "can-lose", "%" PRIu64,
                        a->redundancy > a->degraded ? a->redundancy - a->degraded : 0);
        return r < 0 ? r : set_uuid(n, below);
}

/* Words of md's array_state in which a leg can be taken out. */
static const char *const quiet_states[] = { "clean", "active", "active-idle", "write-pending",
        "read-auto", NULL };

static int set_leg_blocker(Node *n, const char *array, const MdArray *a, const MdLeg *leg)
{
        const char *no = not_again(n, a);

        if (no)
                return node_setf(n, "blocker", "it is a leg of %s, and %s", array, no);
        if (strstr(leg->state, "journal"))
                return node_setf(n, "blocker",
                        "it is the write journal of %s; stop the array (mdadm --stop /dev/%s) and "
                        "ask again",
                        array, array);
        if (!strv_contains((char *const *)quiet_states, a->state))
                return node_setf(n, "blocker",
                        "it is a leg of %s, whose state is %s; mend the array or stop it (mdadm "
                        "--stop /dev/%s) and ask again",
                        array, a->state, array);
        if (!leg->has_slot && strstr(leg->state, "spare"))
                return 0;
        if (!streq(a->sync_action, "idle") || !a->in_sync)
                return node_setf(n, "blocker",
                        "it is a leg of %s, which is not synchronised (%s); wait until it is "
                        "(mdadm --wait /dev/%s) and ask again",
                        array, a->in_sync ? strna(a->sync_action) : "resync", array);
        if (a->degraded > 0)
                return node_setf(n, "blocker",
                        "it is a leg of %s, which is degraded (%" PRIu64 " missing); add the "
                        "missing disk (mdadm --manage /dev/%s --add) and ask again",
                        array, a->degraded, array);
        if (!strstr(leg->state, "in_sync"))
                return node_setf(n, "blocker",
                        "it is a leg of %s in the state %s; remove it (mdadm --manage /dev/%s "
                        "--remove) and ask again",
                        array, leg->state, array);
        return 0;
}

static int add_leg(HolderScan *scan, Node *below, const char *array, const MdArray *a)
{
        _cleanup_(freep) char *name = string_printf("%s:%s", array, node_name(below));
        MdLeg leg;
        Node *n = NULL;
        int r = name ? md_read_leg(array, node_name(below), &leg) : -ENOMEM;

        if (r == 0)
                r = graph_add(scan->graph, KIND_LEG, name, &n);
        if (r == 0)
                r = graph_link(n, below);
        if (r == 0)
                r = set_leg(n, below, array, a, &leg);
        return r < 0 ? r : set_leg_blocker(n, array, a, &leg);
}

/* --- a whole array --- */

static int set_members(Node *n, const char *array)
{
        _cleanup_(strv_freep) char **legs = NULL;
        _cleanup_(freep) char *text = NULL;
        int r = md_legs(array, &legs);

        for (char **leg = legs; leg && *leg && r == 0; leg++) {
                char *longer = string_printf("%s%s%s", strempty(text), text ? " " : "", *leg);

                if (!longer)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        return r < 0 ? r : node_set(n, "members", text);
}

static int add_array(HolderScan *scan, Node *below, const char *array, const MdArray *a)
{
        static const char *const striped[] = { "raid0", "linear", NULL };
        const char *no;
        Node *n;
        int r = holder_add_stacked(scan, below, array, "md", "md array", &n);

        if (r < 0 || node_get(n, "members"))
                return r;
        r = set_members(n, array);
        if (r == 0)
                r = node_set(n, "level", *a->level ? a->level : a->state);
        if (r == 0)
                r = set_uuid(n, below);
        if (r < 0)
                return r;
        no = not_again(n, a);
        if (no)
                return node_setf(n, "blocker", "it is an array, and %s; then ask again", no);
        if (has_level(a, striped) && !streq(a->state, "inactive") && !streq(a->state, "broken"))
                return 0;
        return node_setf(n, "blocker",
                "it is an array of the level %s in the state %s; stop it (mdadm --stop /dev/%s) "
                "and ask again",
                *a->level ? a->level : "unknown", a->state, array);
}

static int md_discover(HolderScan *scan, Node *below, const char *name, Failure *f)
{
        static const char *const redundant[] = { "raid1", "raid4", "raid5", "raid6", "raid10",
                NULL };
        MdArray a;
        int r = md_read(name, &a);

        if (r < 0)
                return r;
        /* One that is not running yet, or not any more, has nobody above. */
        if (has_level(&a, redundant) && !streq(a.state, "inactive"))
                return add_leg(scan, below, name, &a);
        return add_array(scan, below, name, &a);
}

const HolderOps holder_md = {
        .kind = KIND_STACKED,
        .prefix = "md",
        .discover_stacked = md_discover,
};
