/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "step/spare.h"

#include "step/holds.h"
#include "sys/units.h"
#include "util/text.h"

static bool is_of(const char *unit, pid_t pid)
{
        char name[UNIT_NAME_MAX];

        return unit_of_pid(pid, name, sizeof(name)) < 0 || streq(name, unit);
}

/* One that has exited may have done so in order to be started again the next moment: its timer and
 * its socket are to be stopped all the same. */
static bool all_live(const Run *run, const char *unit)
{
        const Record *r;
        bool any = false;

        for (size_t i = 0; (r = run_process(run, i)); i++) {
                uint64_t start, now;
                pid_t pid;

                if (!streq(strempty(record_get(r, "unit")), unit))
                        continue;
                if (parse_pid(strempty(r->name), &pid) < 0 ||
                        record_get_u64(r, "start", &start) < 0 || proc_start_time(pid, &now) < 0 ||
                        now != start)
                        return false;
                any = true;
        }
        return any;
}

static bool has_let_go(const Run *run, const char *unit, const ProcList *l)
{
        for (size_t i = 0; i < l->n; i++)
                if (is_of(unit, l->items[i].pid))
                        return false;
        return all_live(run, unit);
}

/* Also of block devices: the processes of the plan may have their nodes open. */
static int look(const Step *s, ProcList *l)
{
        _cleanup_(freep) char *nodes = NULL;

        if (!step_get(s, "devs") && !step_get(s, "nodes") && !step_get(s, "raw"))
                return -ENODATA;
        nodes = string_printf(
                "%s %s", strempty(step_get(s, "nodes")), strempty(step_get(s, "raw")));
        return nodes ? holds_scan(step_get(s, "devs"), nodes, l) : -ENOMEM;
}

int units_without_spared(Run *run, const Step *s, char *const *units, char ***ret)
{
        _cleanup_(proc_list_done) ProcList l = { 0 };
        bool known = look(s, &l) == 0;
        int r = 0;

        for (; units && *units && r == 0; units++)
                if (known && has_let_go(run, *units, &l))
                        r = run_note(run, "spared", *units, NULL);
                else
                        r = strv_append(ret, *units);
        return r;
}
