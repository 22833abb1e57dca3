/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between nd.c, which talks to libndctl, and nd-device.c, which reads sysfs. */

#include <limits.h>

#include "util/graph.h"

/* Sets sysfs= to the device's real directory, which is returned as well. */
int nd_set_path(Node *n, char ret_path[static PATH_MAX]) _must_check_;
int nd_set_numa(Node *n, const char *path) _must_check_;
/* Sets driver= if something is bound. */
int nd_set_driver(Node *n, const char *path) _must_check_;
/* Sets uuid= of a namespace, else of what claims it. */
int nd_set_uuid(Node *n, const char *ns_path, const char *device_path) _must_check_;

/* The nd device that carries this namespace: pfn0.0, btt0.0, dax0.0 or the namespace itself. */
int nd_find_device(const char *region_path, const char *ns, char *ret, size_t size) _must_check_;
/* What the name of a claiming device says about the mode, NULL when it is a namespace. */
const char *nd_claimer_mode(const char *device);

/* Adds the disk below the device, standing on ns. */
int nd_add_blocks(Graph *g, Node *ns, const char *device_path) _must_check_;
/* -EIO when a device of that kind with a size is in dir but not in the graph. */
int nd_check_complete(Graph *g, const char *dir, const char *kind, const char *prefix) _must_check_;
