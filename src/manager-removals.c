/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of removals: who is alive, who stands in whose way, and how long the ended are kept. */

#include <inttypes.h>

#include "bus-objects.h"
#include "bus-signals.h"
#include "kinds.h"
#include "manager-dead.h"
#include "manager-watch.h"
#include "util/text.h"

#define ENDED_MAX 32

int manager_add_removal(Manager *m, Removal *r)
{
        Removal **grown = reallocarray(m->removals, m->n_removals + 1, sizeof(Removal *));

        if (!grown)
                return -ENOMEM;
        m->removals = grown;
        m->removals[m->n_removals++] = r;
        bus_signal_device_removal(r);
        manager_settle(m);
        return 0;
}

void manager_drop_removal(Manager *m, Removal *r)
{
        bus_object_removed(m, r->path);
        for (size_t i = 0; i < m->n_removals; i++) {
                if (m->removals[i] != r)
                        continue;
                m->n_removals--;
                memmove(&m->removals[i], &m->removals[i + 1],
                        (m->n_removals - i) * sizeof(Removal *));
                break;
        }
        if (r->ledger_path)
                (void)unlink(r->ledger_path);
        removal_free(r);
}

Removal *manager_find_removal(const Manager *m, uint64_t id)
{
        for (size_t i = 0; i < m->n_removals; i++)
                if (m->removals[i]->id == id)
                        return m->removals[i];
        return NULL;
}

Removal *manager_find_related(const Manager *m, char *const *names, const char *target)
{
        for (size_t i = 0; i < m->n_removals; i++) {
                Removal *r = m->removals[i];

                if (!removal_alive(r))
                        continue;
                if (streq(r->request->target, target) || removal_concerns(r, target))
                        return r;
                for (char *const *n = names; n && *n; n++)
                        if (removal_concerns(r, *n))
                                return r;
        }
        return NULL;
}

/* The closure has a region that was asked for; one below a namespace that was asked for is disabled
 * all the same where DisableRegion= says so. */
static bool disables(const Removal *r, const char *device)
{
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->plan->steps[i].ops == &step_region &&
                        streq(step_node(&r->plan->steps[i]), device))
                        return true;
        return false;
}

Removal *manager_removal_of(const Manager *m, const char *device)
{
        for (size_t i = m->n_removals; i > 0; i--) {
                Removal *r = m->removals[i - 1];

                if (removal_alive(r) && (removal_concerns(r, device) || disables(r, device)))
                        return r;
        }
        return NULL;
}

const Removal *manager_find_step(const Manager *m, const StepOps *ops)
{
        for (size_t i = 0; i < m->n_removals; i++) {
                const Removal *r = m->removals[i];

                for (size_t k = 0; removal_alive(r) && k < r->plan->n_steps; k++)
                        if (r->plan->steps[k].ops == ops)
                                return r;
        }
        return NULL;
}

static bool left_since(const Removal *r, uint64_t since_usec)
{
        return removal_alive(r) ||
               ((r->state == REMOVAL_SUCCEEDED || r->state == REMOVAL_PARTIAL) &&
                       r->ended_usec >= since_usec);
}

int manager_mark_leaving(const Manager *m, Graph *g, uint64_t since_usec)
{
        int e = 0;

        for (size_t i = 0; i < m->n_removals && e == 0; i++) {
                const Removal *r = m->removals[i];

                for (char **n = left_since(r, since_usec) ? r->closure : NULL; n && *n && e == 0;
                        n++) {
                        Node *ns = graph_find(g, KIND_NAMESPACE, *n);

                        e = ns ? node_setf(ns, "removal", "%" PRIu64, r->id) : 0;
                }
        }
        return e;
}

size_t manager_n_alive(const Manager *m)
{
        size_t n = 0;

        for (size_t i = 0; i < m->n_removals; i++)
                n += removal_alive(m->removals[i]);
        return n;
}

bool manager_frozen(const Manager *m)
{
        for (size_t i = 0; i < m->n_removals; i++)
                if (removal_alive(m->removals[i]) && m->removals[i]->frozen_since_usec > 0)
                        return true;
        return false;
}

void manager_removal_changed(Manager *m)
{
        manager_settle(m);
}

/* Said when a snapshot shows it, at once or with the next one; until the removal has ended, the way
 * back is open and nothing is said. Of one that is stuck, what it unbound is out by its doing. */
static void tell_one(Manager *m, const Removal *r, const char *name)
{
        Device *d = device_table_find(m->devices, name);

        if (!d || strv_contains(r->vanished, name))
                return;
        if (streq(d->can_remove, "removed"))
                bus_signal_device_removed(m, d->path, "requested");
        else
                d->expected = manager_device_is_out(d);
}

static void tell_removed(Manager *m, const Removal *r)
{
        char **names = r->state == REMOVAL_STUCK ? r->unbinding : r->closure;

        for (char **n = names; n && *n; n++)
                tell_one(m, r, *n);
        for (size_t i = 0; i < r->plan->n_steps; i++) {
                const Step *s = &r->plan->steps[i];

                if (s->ops == &step_region && r->steps[i] == STEP_DONE &&
                        !strv_contains(names, step_node(s)))
                        tell_one(m, r, step_node(s));
        }
}

void manager_removal_ended(Manager *m, Removal *r)
{
        if (r->state != REMOVAL_ROLLED_BACK && !r->request->dry_run && !r->replaying)
                tell_removed(m, r);
        bus_signal_device_removal(r);
        watch_kick(m->watch);
        dead_look(m);
        manager_settle(m);
}

static bool forgettable(const Removal *r)
{
        return !removal_alive(r) && r->state != REMOVAL_STUCK;
}

/* From the idle loop only: the removal whose end brought us here is still in use by its caller. */
void manager_prune_removals(Manager *m)
{
        for (;;) {
                Removal *oldest = NULL;
                size_t n = 0;

                for (size_t i = 0; i < m->n_removals; i++) {
                        Removal *r = m->removals[i];

                        if (!forgettable(r))
                                continue;
                        n++;
                        if (!oldest || r->ended_usec < oldest->ended_usec)
                                oldest = r;
                }
                if (n <= ENDED_MAX)
                        return;
                manager_drop_removal(m, oldest);
        }
}
