/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What makes it likely that devices reach into the memory of a process. On device DAX that is
 * allowed for as long as it likes, the kernel waits for none of it when the memory goes, and frees
 * what the device goes on using (lab-facts 8). There is no complete list: these are the traces. */

#include "util/text.h"

#define PROC_PINS_MAX 64

/* "VmPin,vfio"; empty when there is no trace. -ESRCH. */
int proc_pins(pid_t pid, char buf[static PROC_PINS_MAX]) _must_check_;
