/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What several steps need: places, processes, names of who is in the way. */

#include "step/step.h"
#include "step/victims.h"
#include "sys/mounts.h"

/* From the keys id, dev, ns, ns-pid and the node's name (or the key target). */
void step_place(const Step *s, MountPlace *ret);

/* "812 (db), 977 (shell)": who still uses the device numbers in devs (blank separated), by a fresh
 * scan; also a "held" note for each. When nobody shows "something that no process shows; it may be:
 * io_uring files of 812 (db)", or empty. Never called while anything is frozen. */
void step_name_holders(Run *run, const char *devs, char *buf, size_t size);

/* Does anybody have these character devices (device numbers, blank separated) open or mapped? 1, 0
 * or negative errno; who it is in buf (NULL: nobody wants to know), as above. */
int step_find_users(Run *run, const char *nodes, char *buf, size_t size) _must_check_;

/* Those of them that show pins (sys/proc-pins.h). */
int step_find_pins(const char *nodes, char *buf, size_t size) _must_check_;

/* Looks for holders of devs, and of the character devices in the step's key nodes, that are not in
 * the plan and writes a "newcomer" note for each that is not protected (keys protect-units,
 * protect-processes). Number of new ones, and of those that had let go and hold it again; or
 * negative errno. */
int step_find_newcomers(Run *run, const Step *s, const char *devs, Failure *f) _must_check_;

/* Runs fn(s) in a child, as long as the step's wait= allows. -ECANCELED with the Failure filled;
 * -ETIMEDOUT and what fn answers are for the caller to tell. */
int step_call(const Step *s, Run *run, int (*fn)(void *), Failure *f) _must_check_;
/* The failure of a device (key dev) that could not be taken down because somebody has it open. */
int step_still_open(const Step *s, Run *run, Failure *f);
