/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The inhibitors that are held. Each is a pipe: the caller has the end for writing and drops the
 * lock by closing it, or by dying; the daemon watches the other end. They survive the daemon. */

#include "inhibitor.h"
#include "manager.h"

typedef struct InhibitorTable InhibitorTable;

/* Takes over what an earlier daemon had. Before removals are recovered and calls are answered. */
int inhibitors_restore(Manager *m) _must_check_;
/* Lets go of the descriptors, not of the locks: the next daemon has them. */
InhibitorTable *inhibitors_free(InhibitorTable *t);

/* The snapshot knows what their targets mean by now, too; those names are theirs from here on. */
int inhibitors_refresh(Manager *m, const Graph *g) _must_check_;
/* FAILURE_LIMIT_EXCEEDED. */
int inhibitors_check_room(const Manager *m, uid_t uid, Failure *f) _must_check_;
/* Takes the inhibitor over on success; *ret_fd is the end that the caller gets. Nobody else may
 * have it: the lock lives as long as its last copy. */
int inhibitors_add(Manager *m, Inhibitor **i, int *ret_fd, Failure *f) _must_check_;

size_t inhibitors_count(const Manager *m);
/* Oldest first. */
const Inhibitor *inhibitors_at(const Manager *m, size_t k);
/* The first from *k on that concerns one of these names, NULL when there is none; *k is then the
 * place behind it. */
const Inhibitor *inhibitors_next(const Manager *m, InhibitMode mode, char *const *names, size_t *k);
