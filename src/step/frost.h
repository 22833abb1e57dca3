/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What freeze.c begins and thaw.c ends. */

#include "step/step.h"
#include "sys/child.h"
#include "sys/guardian.h"

#define FROST_DIR "/run/pmemremoved"

/* Held as "frost", under the filesystem's name. */
typedef struct Frost {
        Guardian guardian;
        Child freezer;
        FrostNote *note; /* NULL: /run is full */
        int fd;
} Frost;

/* Any mount of the filesystem, opened for real: some may have been unmounted on an earlier rung.
 * -ENOENT when it is mounted nowhere. */
int frost_open_root(const Step *s) _must_check_;

/* The freeze step's revert. */
int frost_revert(const Step *s, Run *run, Failure *f) _must_check_;
