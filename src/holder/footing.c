/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What of the machine's own footing stands on the memory: freezing or removing it would hang the
 * rescuer. By device number, of the filesystem and of each of its mounts, because btrfs and overlay
 * show numbers of their own there; after everything else was found, so that it is recognised
 * through every layer. */

#include <sys/stat.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/self.h"
#include "util/text.h"

/* What this program, or what could save it, needs. PID 1's root is another one than ours when this
 * runs in a container. The journal's storage and the bus's socket are folders that may be mounts of
 * their own. */
static const char *const footings[] = { "/", "/usr", "/etc", CONFDIR "/pmemremoved.conf",
        CONFDIR "/pmemremoved.conf.d", "/var", "/var/log", "/var/log/journal", "/run", "/run/dbus",
        "/run/pmemremoved", "/run/log/journal", "/run/systemd", "/run/udev", "/dev", "/dev/shm",
        "/proc/1/root", "/proc/self/exe" };

/* More would not help anybody to understand. */
#define TEXT_MAX 512

static int set_footing(Node *n, const char *what)
{
        const char *known = node_get(n, "footing");

        if (!known)
                return node_set(n, "footing", what);
        return strlen(known) > TEXT_MAX ? 0 : node_setf(n, "footing", "%s, %s", known, what);
}

/* The layers of an overlay, by the text it was mounted with: every path in it counts. */
static bool has_layer_on(const Mount *m, const Node *fs)
{
        _cleanup_(freep) char *options = strdup(strempty(m->fs_options));
        char *save = NULL;

        for (char *word = options ? strtok_r(options, ",:=", &save) : NULL; word;
                word = strtok_r(NULL, ",:=", &save))
                if (*word == '/' && holder_lies_on(fs, word))
                        return true;
        return !options;
}

static int add_below_overlay(HolderScan *scan, dev_t dev, const char *what)
{
        const MountList *mounts;
        int r = holder_mounts(scan, &mounts);

        for (size_t i = 0; r == 0 && i < mounts->n; i++) {
                const Mount *m = mounts->items + i;

                if (m->dev != dev || !streq(m->fstype, "overlay"))
                        continue;
                for (size_t k = 0; k < scan->graph->n_nodes && r == 0; k++)
                        if (node_is(scan->graph->nodes[k], KIND_FILESYSTEM) &&
                                has_layer_on(m, scan->graph->nodes[k]))
                                r = set_footing(scan->graph->nodes[k], what);
                break;
        }
        return r;
}

/* The filesystem, if it has this number, else its mount that has, else what an overlay of this
 * number lies on. */
static int add_footing(HolderScan *scan, dev_t dev, const char *what)
{
        Node *n = holder_by_dev(scan->graph, KIND_FILESYSTEM, dev);

        if (!n)
                n = holder_by_dev(scan->graph, KIND_MOUNT, dev);
        return n ? set_footing(n, what) : add_below_overlay(scan, dev, what);
}

static int add_mapped(dev_t dev, const char *path, void *arg)
{
        HolderScan *scan = arg;
        struct stat st;
        int r = add_footing(scan, dev, path);

        /* A file of an overlay shows the number of its layer on 6.1 and that of the overlay on 6.12
         * (file_user_inode(), include/linux/fs.h, from 6.8 on); its path leads to the overlay. */
        if (r == 0 && stat(path, &st) == 0 && st.st_dev != dev)
                r = add_footing(scan, st.st_dev, path);
        return r;
}

static int footing_discover(HolderScan *scan, Failure *f)
{
        struct stat st;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(footings) && r == 0; i++)
                if (stat(footings[i], &st) == 0)
                        r = add_footing(scan, st.st_dev, footings[i]);
        return r < 0 ? r : self_mapped_files(add_mapped, scan);
}

const HolderOps holder_footing = {
        .kind = KIND_FILESYSTEM,
        .discover_all = footing_discover,
};
