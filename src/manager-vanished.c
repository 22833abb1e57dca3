/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Memory that went away without us. The snapshot that would show it comes when the planner has the
 * time for it, so each event of the nd bus makes us look at the one thing that can be seen without
 * waiting for anybody: the driver links of the namespaces that had one. */

#include <inttypes.h>

#include "bus-signals.h"
#include "kinds.h"
#include "manager-dead.h"
#include "manager-watch.h"
#include "manager.h"
#include "messages.h"
#include "sys/bind.h"
#include "util/log.h"
#include "util/text.h"

#define USERS_MAX 512

/* "filesystem pmem0, mount /mnt/pmem": pairs of kind and name, but mounts by where they are. A
 * filesystem is a holder by its superblock alone; where nothing is mounted nobody uses it. */
char *manager_device_users(const Device *d)
{
        char buf[USERS_MAX] = "";
        size_t used = 0, n_mounts = 0;

        if (d->users)
                return strdup(d->users);
        /* Each mount namespace has its copy of a mount. */
        for (char **h = d->holders; h && h[0] && h[1] && used < sizeof(buf); h += 2) {
                char word[300];

                if (streq(h[0], KIND_FILESYSTEM) && strv_length(d->mounts) == 0)
                        continue;
                (void)snprintf(word, sizeof(word), "%s %s", h[0],
                        streq(h[0], KIND_MOUNT) && n_mounts < strv_length(d->mounts)
                                ? d->mounts[n_mounts++]
                                : h[1]);
                if (!list_contains(buf, word))
                        used += (size_t)snprintf(
                                buf + used, sizeof(buf) - used, "%s%s", used ? ", " : "", word);
        }
        return *buf ? strdup(buf) : NULL;
}

static void tell(const Device *d, const Removal *r)
{
        _cleanup_(freep) char *users = manager_device_users(d);
        char device[128], during[64] = "";
        char *fields[] = { device, NULL };

        (void)snprintf(device, sizeof(device), "PMEMREMOVED_NODE=%s", d->name);
        if (r)
                (void)snprintf(during, sizeof(during), ", during removal %" PRIu64 " of it", r->id);
        log_event(users ? LOG_WARNING : LOG_NOTICE, MESSAGE_SURPRISE, fields,
                "%s went away without a request to pmemremoved%s, %s%s.", d->name, during,
                users ? "while it was in use by " : "and nobody was known to use it",
                strempty(users));
}

void manager_device_vanished(Manager *m, Device *d, const Removal *r)
{
        if (d->told)
                return;
        d->told = true;
        tell(d, r);
        bus_signal_device_removed(m, d->path, "surprise");
        watch_hurry(m->watch);
        dead_note(m, d);
}

bool manager_device_lost_driver(const Device *d)
{
        char driver[64];

        return d->bound && bind_driver(d->bound, driver, sizeof(driver)) == -ENOENT;
}

bool manager_device_is_out(const Device *d)
{
        const char *device = streq(d->kind, KIND_REGION) ? d->name : d->bound;
        char driver[64];

        return !device || bind_driver(device, driver, sizeof(driver)) == -ENOENT;
}

void manager_look_for_vanished(Manager *m)
{
        for (size_t i = 0; m->devices && i < m->devices->n; i++) {
                Device *d = m->devices->items[i];
                Removal *r;

                if (d->told || d->expected || !manager_device_lost_driver(d))
                        continue;
                r = manager_removal_of(m, d->name);
                if (r)
                        removal_look(r, d->name);
                else
                        manager_device_vanished(m, d, NULL);
        }
}
