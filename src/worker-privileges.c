/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a worker needs beyond its role, by what is in its plan: a plan that names no overlay, no
 * array and no file of others is carried out without the power over everybody's files. */

#include "worker-privileges.h"

#include <linux/capability.h>

#include "sys/privileges.h"

/* What an overlay does in its mounter's name for as long as it is mounted, so also after it was
 * mounted again on the way back (sys/mounts-overlay.c). */
#define OVERLAY                                                                                    \
        (PRIVILEGE(CAP_CHOWN) | PRIVILEGE(CAP_DAC_OVERRIDE) | PRIVILEGE(CAP_FOWNER) |              \
                PRIVILEGE(CAP_FSETID) | PRIVILEGE(CAP_MKNOD) | PRIVILEGE(CAP_SETFCAP))
#define OVERRIDE PRIVILEGE(CAP_DAC_OVERRIDE)

static const struct {
        const StepOps *ops;
        const char *key, *value; /* NULL: each step of this kind */
        uint64_t needs;
} table[] = {
        { &step_unmount, "fstype", "overlay", OVERLAY },
        /* The file behind the loop device, and the swap file, are opened for writing. */
        { &step_loop, NULL, NULL, OVERRIDE },
        { &step_swapoff, NULL, NULL, OVERRIDE },
        /* mdadm makes the nodes that udev does not. */
        { &step_stop, NULL, NULL, OVERRIDE | PRIVILEGE(CAP_MKNOD) },
        { &step_leg, NULL, NULL, OVERRIDE | PRIVILEGE(CAP_MKNOD) },
        /* exportfs writes where nfsd's tools have their user's files. */
        { &step_unexport, NULL, NULL, OVERRIDE },
};

static bool fits(const Step *s, size_t row)
{
        return s->ops == table[row].ops &&
               (!table[row].key || streq(strempty(step_get(s, table[row].key)), table[row].value));
}

uint64_t worker_privileges(const Plan *p)
{
        uint64_t needs = 0;

        for (size_t i = 0; i < p->n_steps; i++)
                for (size_t k = 0; k < ELEMENTSOF(table); k++)
                        if (fits(&p->steps[i], k))
                                needs |= table[k].needs;
        return needs;
}
