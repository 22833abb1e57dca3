/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is mounted below a mount of ours. umount would answer EBUSY for it, a reason that no process
 * shows. A mount of a filesystem that stands on the memory itself is linked and goes first. One of
 * another disk goes first, too, and comes back, if nobody uses it: who does is a stranger here, to
 * be named and never signalled. Anything else could not be mounted again and blocks. Done last,
 * when every mount of every filesystem of ours is known. */

#include <inttypes.h>
#include <sys/stat.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/blkid.h"
#include "sys/proc.h"
#include "util/shell.h"

#define NAMES_MAX 5

/* Stacked on it in turn, the answer of the kernel would be about those mounts. */
static bool has_nested(const MountList *mounts, uint64_t id)
{
        for (size_t i = 0; i < mounts->n; i++)
                if (mounts->items[i].parent_id == id && mounts->items[i].id != id)
                        return true;
        return false;
}

/* What cannot be asked is taken for busy: it would be found out in the middle of the removal. */
static bool is_busy(const Mount *m)
{
        const MountPlace place = mount_place(m);

        return mounts_busy(&place) != 0;
}

/* "812 (db), 977 (shell)", or that nobody shows. */
static void name_users(HolderScan *scan, const Mount *m, char *buf, size_t size)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        size_t used = 0;

        (void)snprintf(buf, size, "something that no process shows");
        if (proc_find_holders(&m->dev, 1, NULL, 0, scan->deadline_usec, &l) < 0)
                return;
        for (size_t i = 0; i < l.n && i < NAMES_MAX && used < size; i++)
                used += (size_t)snprintf(buf + used, size - used, "%s%d (%s)", used ? ", " : "",
                        l.items[i].pid, l.items[i].comm);
        if (l.n > NAMES_MAX && used < size)
                (void)snprintf(buf + used, size - used, " and others");
}

static int add_blocker(HolderScan *scan, Node *parent, const Mount *m)
{
        _cleanup_(freep) char *what = string_printf("%s of %s", m->fstype, strna(m->source));
        bool automount = streq(m->fstype, "autofs");
        char word[SHELL_WORD_MAX];

        return !what ? -ENOMEM
                     : holder_add_blocker(scan, parent, m->target, what,
                               "%s is mounted below %s and could not be mounted again; %s%s and "
                               "ask again",
                               what, strna(node_get(parent, "target")),
                               automount ? "stop its automount unit, or the automounter of "
                                         : "run umount ",
                               automount ? m->target : shell_word(m->target, word, sizeof(word)));
}

static int add_foreign(HolderScan *scan, Node *parent, const Mount *m, bool leaf)
{
        char names[256], word[SHELL_WORD_MAX];
        BlkidInfo info;
        Node *n;
        int r = holder_add_mount(scan, parent, m, &n);

        if (r == 0)
                r = node_set(n, "foreign", "yes");
        if (r == 0 && blkid_read(m->source, &info) == 0 && *info.uuid)
                r = node_set(n, "uuid", info.uuid);
        if (r < 0 || !leaf || !scan->processes || !is_busy(m))
                return r;
        name_users(scan, m, names, sizeof(names));
        return node_setf(n, "blocker",
                "%s is mounted below %s and in use by %s; stop them, run umount %s and ask again",
                m->source, strna(node_get(parent, "target")), names,
                shell_word(m->target, word, sizeof(word)));
}

/* On a disk, and with nothing that could not be given back. */
static bool is_placeable(const Mount *m)
{
        struct stat st;

        return m->source && strncmp(m->source, "/dev/", 5) == 0 && stat(m->source, &st) == 0 &&
               S_ISBLK(st.st_mode) && mounts_can_place(m) == 0;
}

static int add_own(HolderScan *scan, Node *parent, Node *n, const Mount *m, bool leaf)
{
        int r = graph_link(n, parent);

        /* Its filesystem may be none of those that go. */
        if (r == 0 && leaf && scan->processes && is_busy(m))
                r = node_set(n, "busy", "yes");
        return r;
}

static int add_nested(HolderScan *scan, Node *parent, const MountList *mounts, const Mount *m)
{
        bool leaf = !has_nested(mounts, m->id);
        char id[24];
        Node *n;

        (void)snprintf(id, sizeof(id), "%" PRIu64, m->id);
        n = graph_find(scan->graph, KIND_MOUNT, id);
        if (n)
                return add_own(scan, parent, n, m, leaf);
        return is_placeable(m) ? add_foreign(scan, parent, m, leaf) : add_blocker(scan, parent, m);
}

/* What is found here joins the end of the list and may carry mounts itself. */
static int nested_discover(HolderScan *scan, Failure *f)
{
        const MountList *mounts;
        int r = holder_mounts(scan, &mounts);

        for (size_t k = 0; k < scan->graph->n_nodes && r == 0; k++) {
                Node *parent = scan->graph->nodes[k];
                uint64_t id = node_get_u64(parent, "id");

                if (!node_is(parent, KIND_MOUNT))
                        continue;
                for (size_t i = 0; i < mounts->n && r == 0; i++)
                        if (mounts->items[i].parent_id == id && mounts->items[i].id != id)
                                r = add_nested(scan, parent, mounts, mounts->items + i);
        }
        return r;
}

const HolderOps holder_nested = {
        .kind = KIND_HOLDER,
        .discover_all = nested_discover,
};
