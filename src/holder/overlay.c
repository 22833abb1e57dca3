/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Overlays with a layer on the memory. An overlay keeps a private mount of each layer
 * (fs/overlayfs, clone_private_mount()): the mount point below is free to be unmounted, no process
 * shows the layer, and the superblock lives on. Only the text of the mount options names the
 * layers; they are compared by the mount points that they lie below, and by where their paths lead
 * to, because there may be links on the way. */

#include <sys/stat.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/path.h"
#include "util/shell.h"

/* The kernel's own limit is 500 layers. */
#define LAYERS_MAX 600

typedef struct Layers {
        char **paths; /* absolute ones */
        PathAnswer *answers;
        size_t n;
        bool relative; /* some path tells nothing without the mounter's working directory */
} Layers;

static void layers_done(Layers *l)
{
        strv_free(l->paths);
        free(l->answers);
}

static int add_path(Layers *l, const char *path, size_t n)
{
        _cleanup_(freep) char *copy = strndup(path, n);
        char *out = copy;

        if (!copy)
                return -ENOMEM;
        for (const char *in = copy; *in; in++)
                if (*in != '\\' || !in[1])
                        *out++ = *in;
                else
                        *out++ = *++in;
        *out = '\0';
        if (*copy != '/')
                l->relative = l->relative || *copy;
        else if (l->n < LAYERS_MAX)
                l->n++;
        else
                return -E2BIG;
        return *copy == '/' ? strv_append(&l->paths, copy) : 0;
}

/* PATH:PATH::PATH, a colon of a name behind a backslash. */
static int add_paths(Layers *l, const char *text)
{
        int r = 0;

        for (size_t n; *text && r == 0; text += n + (text[n] == ':')) {
                for (n = 0; text[n] && text[n] != ':';)
                        n += text[n] == '\\' && text[n + 1] ? 2 : 1;
                r = add_path(l, text, n);
        }
        return r;
}

/* Since 6.8 each layer may be an option of its own (fs/overlayfs/params.c). */
static int parse_layers(const char *options, Layers *l)
{
        static const char *const keys[] = { "lowerdir", "lowerdir+", "datadir+", "upperdir",
                "workdir" };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(keys) && r == 0; i++)
                for (size_t k = 0; r == 0; k++) {
                        _cleanup_(freep) char *text = NULL;

                        r = option_get(options, keys[i], k, &text);
                        if (r == -ENOENT) {
                                r = 0;
                                break;
                        }
                        if (r == 0)
                                r = add_paths(l, text);
                }
        return r;
}

static int read_layers(const Mount *m, Layers *l)
{
        int r = parse_layers(m->fs_options, l);

        if (r < 0)
                return r;
        l->answers = calloc(l->n + 1, sizeof(PathAnswer));
        if (!l->answers)
                return -ENOMEM;
        r = paths_ask((const char *const *)l->paths, l->n, m->ns_pid, l->answers);
        /* Its namespace went meanwhile: nothing is known about its paths but their text. */
        for (size_t i = 0; i < l->n && r < 0; i++)
                l->answers[i].err = r;
        return r == -ENOMEM ? r : 0;
}

static bool is_of(const Node *fs, dev_t dev)
{
        char devnum[DEVNUM_MAX];

        (void)format_devnum(devnum, dev);
        for (size_t i = 0; i < fs->n_upper; i++)
                if (node_is(fs->upper[i], KIND_MOUNT) && node_has(fs->upper[i], "dev", devnum))
                        return true;
        return node_has(fs, "dev", devnum);
}

/* Container engines write short paths below their own folder, where the absolute ones of the same
 * overlay lie as well; where there is none of those, it may lie on anything. Absolute ones that
 * lead nowhere are those of the root filesystem, written before the root was switched; should one
 * of them be ours, then the exclusive claim of the disk fails. */
static bool may_lie_on(const Node *fs, const Layers *l)
{
        bool known = false;

        for (size_t i = 0; i < l->n; i++) {
                if (holder_lies_on(fs, l->paths[i]) ||
                        (l->answers[i].err == 0 && is_of(fs, l->answers[i].dev)))
                        return true;
                known = known || l->answers[i].err == 0;
        }
        return l->relative && !known;
}

/* Would mounting it again find the very same layers? */
static int set_blocker(Node *n, const Mount *m, const Layers *l)
{
        bool lost = l->relative || mounts_can_place(m) < 0;
        char word[SHELL_WORD_MAX];

        for (size_t i = 0; i < l->n; i++)
                lost = lost || l->answers[i].err < 0;
        return !lost ? 0
                     : node_setf(n, "blocker",
                               "an overlay (%s) has layers on it or may have, and could not be "
                               "mounted again as it is; stop what uses it, run umount %s and ask "
                               "again",
                               m->target, shell_word(m->target, word, sizeof(word)));
}

/* A path by which two overlays would stand on each other is older than one of them. */
static bool stands_above(const Node *n, Node *below)
{
        bool above;

        graph_mark_above(below);
        above = n->marked;
        graph_unmark(n->graph);
        return above;
}

static int add_overlay(HolderScan *scan, Node *fs, const Mount *m, const Layers *l)
{
        char devnum[DEVNUM_MAX], name[DEVNUM_MAX + 16];
        Node *n;
        int r;

        (void)snprintf(name, sizeof(name), "overlay:%s", format_devnum(devnum, m->dev));
        n = graph_find(scan->graph, KIND_FILESYSTEM, name);
        if (n && stands_above(fs, n))
                return 0;
        r = holder_add_filesystem(scan, fs, name, "overlay", devnum, &n);
        return r < 0 ? r : set_blocker(n, m, l);
}

/* One superblock, seen in many namespaces: the first one, PID 1's where that is possible. */
static bool is_first(const MountList *mounts, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (mounts->items[k].dev == mounts->items[i].dev)
                        return false;
        return true;
}

static int overlay_discover(HolderScan *scan, Node *fs, Failure *f)
{
        const MountList *mounts;
        int r = holder_mounts(scan, &mounts);

        for (size_t i = 0; i < mounts->n && r == 0; i++) {
                _cleanup_(layers_done) Layers l = { 0 };
                const Mount *m = mounts->items + i;

                if (!streq(m->fstype, "overlay") || !is_first(mounts, i) || is_of(fs, m->dev))
                        continue;
                r = read_layers(m, &l);
                if (r == 0 && may_lie_on(fs, &l))
                        r = add_overlay(scan, fs, m, &l);
        }
        return r;
}

static const char *const on_filesystems[] = { KIND_FILESYSTEM, NULL };

const HolderOps holder_overlay = {
        .kind = KIND_FILESYSTEM,
        .on = on_filesystems,
        .discover = overlay_discover,
};
