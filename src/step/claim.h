/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "step/step.h"

/* Opens the disk exclusively and holds it as "claim" of DISK; FAILURE_BUSY names who is in the way
 * (found by the device numbers in devs). */
int claim_disk(Run *run, const char *disk, dev_t dev, const char *devs, Failure *f) _must_check_;
/* Its namespace is still bound. */
bool claim_disk_exists(const char *disk);
