/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What sysfs alone knows about a device of the nd bus: which device claims a namespace, what is
 * bound to it and which disk it carries. Nothing is taken from a mode string that a driver link can
 * tell. */

#include <inttypes.h>
#include <limits.h>

#include "kinds.h"
#include "sys/nd-internal.h"
#include "sys/sysfs.h"

#define SECTOR_BYTES 512

int nd_set_path(Node *n, char ret_path[static PATH_MAX])
{
        char link[128];

        (void)snprintf(link, sizeof(link), "/sys/bus/nd/devices/%s", node_name(n));
        if (!realpath(link, ret_path))
                return -errno;
        return node_set(n, "sysfs", ret_path);
}

/* The kernel says -1 where it does not know, which is no number here. */
int nd_set_numa(Node *n, const char *path)
{
        uint64_t node;

        if (sysfs_read_u64(path, "numa_node", &node) < 0)
                return 0;
        return node_setf(n, "numa", "%" PRIu64, node);
}

int nd_set_driver(Node *n, const char *path)
{
        char driver[64];
        int r;

        r = sysfs_link_name(path, "driver", driver, sizeof(driver));
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : node_set(n, "driver", driver);
}

static int set_dax(Node *block, const char *path)
{
        uint64_t dax;

        if (sysfs_read_u64(path, "queue/dax", &dax) < 0)
                return node_set(block, "dax", "unknown");
        return node_set(block, "dax", dax ? "yes" : "no");
}

static int fill_block(Node *block, const char *path)
{
        char dev[DEVNUM_MAX];
        uint64_t sectors;
        dev_t devnum;
        int r;

        r = sysfs_devnum(path, &devnum);
        if (r < 0)
                return r;
        r = node_set(block, "dev", format_devnum(dev, devnum));
        if (r < 0)
                return r;
        r = node_set(block, "sysfs", path);
        if (r < 0)
                return r;
        r = sysfs_read_u64(path, "size", &sectors);
        if (r < 0)
                return r;
        r = node_setf(block, "size", "%" PRIu64, sectors * SECTOR_BYTES);
        return r < 0 ? r : set_dax(block, path);
}

/* Of a namespace that has no driver, or whose disk is just going, there is nothing to add. */
int nd_add_blocks(Graph *g, Node *ns, const char *device_path)
{
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(freep) char *dir = NULL;
        int r;

        dir = string_printf("%s/block", device_path);
        if (!dir)
                return -ENOMEM;
        r = sysfs_list(dir, &names);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (char **name = names; name && *name; name++) {
                _cleanup_(freep) char *path = string_printf("%s/%s", dir, *name);
                Node *block;

                if (!path)
                        return -ENOMEM;
                r = graph_add(g, KIND_BLOCK, *name, &block);
                if (r < 0)
                        return r;
                r = fill_block(block, path);
                if (r < 0)
                        return r;
                r = graph_link(block, ns);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const struct {
        const char *prefix;
        const char *mode;
} claimers[] = {
        { "pfn", "fsdax" },
        { "btt", "sector" },
        { "dax", "devdax" },
};

const char *nd_claimer_mode(const char *device)
{
        for (size_t i = 0; i < ELEMENTSOF(claimers); i++)
                if (strncmp(device, claimers[i].prefix, strlen(claimers[i].prefix)) == 0)
                        return claimers[i].mode;
        return NULL;
}

static bool claims(const char *region_path, const char *device, const char *ns)
{
        _cleanup_(freep) char *path = NULL;
        char claimed[64];

        path = string_printf("%s/%s", region_path, device);
        return path && nd_claimer_mode(device) &&
               sysfs_read(path, "namespace", claimed, sizeof(claimed)) >= 0 && streq(claimed, ns);
}

static bool has_driver(const char *region_path, const char *device)
{
        _cleanup_(freep) char *path = NULL;
        char driver[64];

        path = string_printf("%s/%s", region_path, device);
        return path && sysfs_link_name(path, "driver", driver, sizeof(driver)) >= 0;
}

/* A claim outlives an unbind: pfn0.0 without a driver is still what has to be bound again. Seeds
 * have an empty namespace attribute and claim nothing. */
int nd_find_device(const char *region_path, const char *ns, char *ret, size_t size)
{
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        (void)snprintf(ret, size, "%s", ns);
        r = sysfs_list(region_path, &names);
        if (r < 0)
                return r;
        for (char **name = names; name && *name; name++) {
                if (!claims(region_path, *name, ns))
                        continue;
                (void)snprintf(ret, size, "%s", *name);
                if (has_driver(region_path, *name))
                        break;
        }
        return 0;
}

/* A namespace without a label has no UUID of its own; the info block of its claimer has one. */
int nd_set_uuid(Node *n, const char *ns_path, const char *device_path)
{
        char uuid[64];

        if ((sysfs_read(ns_path, "uuid", uuid, sizeof(uuid)) < 0 || !uuid[0]) &&
                (sysfs_read(device_path, "uuid", uuid, sizeof(uuid)) < 0 || !uuid[0]))
                return 0;
        return node_set(n, "uuid", uuid);
}

static bool is_numbered(const char *name, const char *prefix)
{
        size_t n = strlen(prefix);

        return strncmp(name, prefix, n) == 0 && name[n] >= '0' && name[n] <= '9';
}

/* libndctl drops what it cannot read without a word, but disabling a region takes all its
 * namespaces: one that is there and not in the graph must not be overlooked. Seeds have size 0. */
int nd_check_complete(Graph *g, const char *dir, const char *kind, const char *prefix)
{
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = sysfs_list(dir, &names);
        if (r < 0)
                return r;
        for (char **name = names; name && *name; name++) {
                _cleanup_(freep) char *path = NULL;
                uint64_t size;

                if (!is_numbered(*name, prefix) || graph_find(g, kind, *name))
                        continue;
                path = string_printf("%s/%s", dir, *name);
                if (!path)
                        return -ENOMEM;
                if (sysfs_read_u64(path, "size", &size) >= 0 && size > 0)
                        return -EIO;
        }
        return 0;
}
