/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "step/step.h"

/* Notes the namespaces of the plan that lost their driver by somebody else's hand, each once. True
 * when there are any, also from an earlier life of this run. */
bool vanished_look(Run *run);

/* Was it somebody else who took this namespace away? As far as vanished_look() has seen. */
bool vanished_is(const Run *run, const char *namespace);

/* Can this step not be undone only because what it stood on vanished? */
bool vanished_explains(const Run *run, const Step *s);

/* The one failure that tells it all: what vanished, what was under way then, what could not be
 * given back ("lost" notes). Does nothing when nothing vanished. */
void vanished_tell(const Run *run, Failure *f);
