/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine that does not exist, in place of libndctl, sysfs, mountinfo and superblocks: any size,
 * any shape, and broken on purpose. The scanners, the policy and everything between are real. A
 * program with machine.c is linked with -z muldefs. */

#include <stdbool.h>

typedef struct Machine {
        unsigned namespaces;
        unsigned mounts; /* spread over them */
        unsigned layers; /* of stacked devices, on the first disk */
        bool cycle;      /* the topmost of them carries the lowest */
        unsigned vanish; /* so many scans meet a device that goes away meanwhile */
        bool no_size;    /* an attribute of the stacked devices is missing for good */
        const char *size;
        const char *devnum; /* that attribute is this */
        int superblock;     /* negative errno of reading them */

        unsigned scans; /* how often it was asked */
} Machine;

extern Machine machine;
