/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "step/step.h"
#include "sys/child.h"

/* Waits for the child of a step, for its wait= at most, and says each second where in the kernel it
 * sleeps. -ECANCELED with the Failure filled, -ETIMEDOUT, or the child's result. A child that
 * cannot be killed then is kept: it may still do what it was made for. */
int sleeper_wait(const Step *s, Run *run, Child *c, Failure *f) _must_check_;

/* Before this step is undone: until the kernel has let go of the child that was kept. Nothing can
 * hurry that, so there is no deadline; who waits is told for whom. */
void sleeper_join(const Step *s, Run *run);
