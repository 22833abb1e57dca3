/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ledgers that this daemon does not obey: somebody else could have written them, they are damaged,
 * or another version's. They are told about, kept, and looked for again with each request, so that
 * deleting one is all it takes. */

#include <sys/stat.h>

#include "manager.h"
#include "messages.h"
#include "recover.h"
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
                        "it names, delete it, and ask again");
        }
        return 0;
}
