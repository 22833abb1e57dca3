/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's NFS server and what nfs-utils told it. */

#include <sys/types.h>

#include "util/text.h"

typedef struct NfsExport {
        char *path;
        char *client;  /* "*", "10.0.0.0/8", "@group", a name */
        char *options; /* all of them, in exportfs(8)'s words */
} NfsExport;

typedef struct NfsExportList {
        NfsExport *items;
        size_t n;
} NfsExportList;

void nfs_export_list_done(NfsExportList *l);

/* What exportfs(8) has exported, from its own table; empty where there is none. */
int nfs_exports_read(NfsExportList *l) _must_check_;
/* "CLIENT(OPTIONS) CLIENT(OPTIONS)" as one export each, path copied into all. -EINVAL. */
int nfs_exports_parse(const char *path, const char *text, NfsExportList *l) _must_check_;
/* Is there one of this path and client? */
bool nfs_exports_have(const NfsExportList *l, const NfsExport *e);
/* Paths that clients have reached lately, and which the kernel therefore holds. */
int nfs_served_read(char ***ret) _must_check_;

/* exportfs(8) with one export, in a child. -ENOENT: there is no such program; -EIO: it refused,
 * which it also says over something else: look at what is exported afterwards. */
int nfs_export(const NfsExport *e, uint64_t timeout_usec, int cancel_fd) _must_check_;
int nfs_unexport(const NfsExport *e, uint64_t timeout_usec, int cancel_fd) _must_check_;

/* The folder of /proc of a client that holds opens, locks or delegations on this filesystem, and
 * its address. -ENOENT: nobody does. */
int nfs_find_client(dev_t dev, char dir[static 256], char address[static 128]) _must_check_;
/* Takes all state on the filesystem of path from all clients: that of NFSv3's locks, from 6.9 on
 * also NFSv4's (nfsd4_revoke_states(), fs/nfsd/nfs4state.c); before, the clients that have some
 * are expired altogether, and open again what else they had. */
int nfs_revoke(const char *path, dev_t dev, uint64_t timeout_usec, int cancel_fd) _must_check_;
/* Does the server keep files open beyond a request? They are let go after some seconds. */
bool nfs_caches_files(void);
