/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The memory is gone, its mount unit may be started again: it will wait for the device, as it does
 * at boot. */

#include "step/gate.h"

static int ungate_revert(const Step *s, Run *run, Failure *f)
{
        return 0;
}

const StepOps step_ungate = {
        .name = "ungate",
        .title = "unmasking",
        .apply = gate_open,
        .revert = ungate_revert,
};
