/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who watches the filesystem by fanotify. A mark keeps nothing in use (an unread event does, and
 * the process scan explains that one): umount takes the marks away and a rollback cannot give them
 * back, because only their owner can place them. So the plan says whom that concerns. */

#include <inttypes.h>

#include "holder/holder.h"
#include "kinds.h"
#include "sys/marks.h"
#include "sys/proc.h"

typedef struct Last {
        HolderScan *scan;
        pid_t pid; /* a process has many marks and is named once for each thing it watches */
        const Node *n;
} Last;

static Node *watched(const Graph *g, const FanotifyMark *mark)
{
        char id[24];
        Node *n;

        if (mark->mount_id > 0) {
                (void)snprintf(id, sizeof(id), "%" PRIu64, mark->mount_id);
                return graph_find(g, KIND_MOUNT, id);
        }
        n = holder_by_dev(g, KIND_FILESYSTEM, mark->dev);
        return n ? n : holder_by_dev(g, KIND_MOUNT, mark->dev);
}

static int add_mark(const FanotifyMark *mark, void *arg)
{
        Last *last = arg;
        Node *n = watched(last->scan->graph, mark);
        char comm[32];

        if (!n || (n == last->n && mark->pid == last->pid))
                return 0;
        last->n = n;
        last->pid = mark->pid;
        if (proc_comm(mark->pid, comm, sizeof(comm)) < 0)
                return 0;
        return holder_add_note(n,
                "process %d (%s) watches it by fanotify; unmounting ends that, and after a "
                "rollback it has to be started again",
                mark->pid, comm);
}

static int fanotify_discover(HolderScan *scan, Failure *f)
{
        Last last = { .scan = scan };

        return scan->processes ? fanotify_find(scan->deadline_usec, add_mark, &last) : 0;
}

const HolderOps holder_fanotify = {
        .kind = KIND_MOUNT,
        .discover_all = fanotify_discover,
};
