/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Memory that goes away during a removal, but not by it: somebody writes to unbind, disables the
 * region, takes the card out. Told apart from our own doing by the ledger, where "unbinding" stands
 * before each write of ours. Such a removal is not called done, what is undone leaves out what has
 * nothing to stand on any more, and nothing is bound again that somebody else unbound.
 *
 * The driver link is asked, and nothing else: it is the first thing to go in an unbind, of the
 * region and of the PCI device above as well (__device_release_driver(), drivers/base/dd.c, 6.1 and
 * 6.12), and reading it takes no lock of the device. */

#include "step/vanished.h"

#include "plan.h"
#include "sys/bind.h"
#include "util/text.h"

bool vanished_is(const Run *run, const char *namespace)
{
        return run_recall(run, "vanished", namespace);
}

/* Between the note before our write and the one after the device was bound again. */
static bool is_ours(const Run *run, const Step *s)
{
        const Record *r = run_recall(run, "unbinding", step_node(s));

        return r ? !record_get(r, "over") : run_is_old(run) && run_began(run, s);
}

static void look_at(const Step *s, Run *run)
{
        const char *device = step_get(s, "device");
        char driver[64];

        if (is_ours(run, s) || vanished_is(run, step_node(s)) ||
                bind_driver(strempty(device), driver, sizeof(driver)) != -ENOENT)
                return;
        (void)run_note(run, "vanished", step_node(s), "device", device, NULL);
}

bool vanished_look(Run *run)
{
        const Plan *p = run_plan_of(run);

        for (size_t i = 0; i < p->n_steps; i++)
                if (p->steps[i].ops == &step_unbind)
                        look_at(&p->steps[i], run);
        return run_recall(run, "vanished", NULL);
}

static bool is_device_vanished(const Run *run, const char *device)
{
        const Record *r;

        for (size_t i = 0; (r = run_noted(run, "vanished", i)); i++)
                if (streq(strempty(record_get(r, "device")), device))
                        return true;
        return false;
}

/* A service or an automount that needs the mount does not start without it. A thaw, or anything
 * that nobody needs the memory for, has no such excuse. */
bool vanished_explains(const Run *run, const Step *s)
{
        const char *device = step_get(s, "device");

        if (device)
                return is_device_vanished(run, device);
        return (s->ops == &step_stop_units || s->ops == &step_automount) &&
               run_recall(run, "vanished", NULL);
}

/* "a, b", as far as there is room; each once, as there may be a mount of it in each namespace. */
static void join(const Run *run, const char *verb, const char *key, char *buf, size_t size)
{
        const Record *r;
        size_t used = 0;

        *buf = '\0';
        for (size_t i = 0; (r = run_noted(run, verb, i)) && used < size; i++) {
                const char *word = strempty(record_get(r, key));

                if (!list_contains(buf, word))
                        used += (size_t)snprintf(
                                buf + used, size - used, "%s%s", used ? ", " : "", word);
        }
}

void vanished_tell(const Run *run, Failure *f)
{
        const Record *r = run_recall(run, "vanished", NULL);
        char devices[128], lost[400];
        const char *first = "", *end;
        Failure now = { 0 };

        if (!r)
                return;
        join(run, "vanished", "device", devices, sizeof(devices));
        join(run, "lost", "what", lost, sizeof(lost));
        if (f->kind != FAILURE_VANISHED)
                first = f->sentence;
        /* That is told anew. */
        end = strstr(first, "; everything was undone");
        (void)failure_set(&now, FAILURE_VANISHED, -ENODEV, strempty(r->name),
                "somebody else took %s away while it was being removed%s%.*s%s; everything else "
                "was undone%s%s",
                devices, *first ? " (it began with: " : "",
                end ? (int)(end - first) : (int)strlen(first), first, *first ? ")" : "",
                *lost ? "; not given back, because it stood on that memory: " : "", lost);
        (void)snprintf(now.step, sizeof(now.step), "%s", f->step);
        *f = now;
}
