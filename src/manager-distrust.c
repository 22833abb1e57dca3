/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What earlier lives left, and which of it this daemon does not obey: ledgers that somebody else
 * could have written, that are damaged, or that another version wrote. They are told about, kept,
 * and looked for again with each request, so that deleting one is all it takes. */

#include <sys/stat.h>

#include "manager.h"
#include "messages.h"
#include "recover.h"
#include "removal.h"
#include "util/log.h"
#include "util/text.h"

int manager_distrust(Manager *m, uint64_t id, int err)
{
        uint64_t *grown = reallocarray(m->distrusted, m->n_distrusted + 1, sizeof(*grown));
        Failure f = { 0 };
        char text[1400];

        if (!grown)
                return -ENOMEM;
        m->distrusted = grown;
        m->distrusted[m->n_distrusted++] = id;
        (void)recover_refuse(m->ledger_dir, id, err, &f);
        log_event(LOG_ERR, MESSAGE_STUCK, NULL, "%s", failure_text(&f, text, sizeof(text)));
        return 0;
}

/* A shortage passes, and the ledger may be a good one that waits to be recovered: no daemon is
 * better than one that calls it foreign (the unit has Restart=on-failure). */
static int load_one(Manager *m, uint64_t id)
{
        Removal *removal = NULL;
        int r = removal_load(m, id, &removal);

        /* Somebody has deleted it just now. */
        if (r == -ENOENT)
                return 0;
        return r == 0 || recover_is_shortage(r) ? r : manager_distrust(m, id, r);
}

int manager_load_history(Manager *m)
{
        _cleanup_(freep) uint64_t *ids = NULL;
        size_t n = 0;
        int r;

        r = ledger_list(m->ledger_dir, &ids, &n);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = load_one(m, ids[i]);
        for (size_t i = 0; r == 0 && i < m->n_removals; i++)
                if (removal_alive(m->removals[i]))
                        (void)removal_recover(m->removals[i]);
        return r;
}

int manager_check_distrusted(const Manager *m, Failure *f)
{
        for (size_t i = 0; i < m->n_distrusted; i++) {
                _cleanup_(freep) char *path = NULL;
                struct stat st;
                int r;

                r = ledger_path(m->ledger_dir, m->distrusted[i], &path);
                if (r < 0)
                        return r;
                if (lstat(path, &st) < 0 && errno == ENOENT)
                        continue;
                return failure_set(f, FAILURE_IN_PROGRESS, 0, path,
                        "an earlier removal wrote this ledger, it cannot be read (the journal says "
                        "why), and nobody knows what it left undone; look at it and at the devices "
                        "it names, delete it, and ask again; or, where only its owner, mode or "
                        "name was changed, give that back (root, 0600, one name) and restart "
                        "pmemremoved, which then recovers it");
        }
        return 0;
}
