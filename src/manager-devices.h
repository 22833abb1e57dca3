/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The devices as objects: what the last snapshot of the topology says about each bus, dimm, region
 * and namespace, in the form in which the bus shows it. */

#include <stdbool.h>
#include <stdint.h>

#include "util/graph.h"

typedef struct Device {
        char *name;
        char *kind;
        char *sysfs;
        char *path;   /* on the bus */
        char *parent; /* path, "/" for none */
        char *mode;
        char *block; /* device node */
        char *bound; /* a namespace's device that has the driver now, NULL: none */
        char *can_remove;
        char **children; /* paths */
        char **mounts;
        char **holders;    /* kind, name, kind, name, ... */
        char *uuid;        /* a namespace's, NULL: none */
        char *filesystems; /* device numbers of those that lie on its disk, blank separated */
        bool dax;          /* pages of one of them may be mapped */
        char *users;       /* in words, of one that went during a removal; NULL: see holders */
        uint64_t size;
        int32_t numa;
        bool expected; /* a removal of ours is taking it away */
        bool told;     /* that it went has been told, before a snapshot showed it */
        struct Manager *manager;
} Device;

typedef struct DeviceTable {
        Device **items;
        size_t n;
        char *pre_remove; /* does this kernel have MF_MEM_PRE_REMOVE? */
        char *pre_remove_why;
} DeviceTable;

DeviceTable *device_table_free(DeviceTable *t);
DEFINE_CLEANUP(DeviceTable *, device_table_free);
/* Uses the graph's marks. */
int device_table_new(Graph *g, DeviceTable **ret) _must_check_;
Device *device_table_find(const DeviceTable *t, const char *name);
Device *device_table_find_path(const DeviceTable *t, const char *path);
/* Path of the object for a device name. */
int device_path(const char *name, char **ret) _must_check_;
/* The device object a node of the graph belongs to: itself, or what it stands on. */
const Node *device_node(const Node *n);

/* Names of the properties that differ; at most DEVICE_PROPERTIES_MAX and a NULL. */
#define DEVICE_PROPERTIES_MAX 12
void device_compare(
        const Device *a, const Device *b, const char *ret[static DEVICE_PROPERTIES_MAX + 1]);
