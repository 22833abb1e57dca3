/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Units of the service manager: which one a process belongs to, and those that would mount again
 * what is being taken away. Calls to the manager are made by a child each, because PID 1 may itself
 * be stuck; -ETIMEDOUT and -ECANCELED (cancel_fd readable) as in sys/child.h. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/record.h"

#define UNIT_NAME_MAX 256

/* Where masks are: this folder comes before UNITS_PERSISTENT and the generators' (systemd.unit(5),
 * "Unit File Load Path"), which that of "systemctl mask --runtime" does not, and it is gone with
 * the next boot. */
#define UNITS_RUNTIME "/run/systemd/system.control"
#define UNITS_PERSISTENT "/etc/systemd/system"

/* systemd unit of a process by its cgroup; -ENODATA when it belongs to none. */
int unit_of_pid(pid_t pid, char *buf, size_t size) _must_check_;
/* "session 3 of alice", "services of alice": whose login it belongs to; -ENODATA for none. */
int session_of_pid(pid_t pid, char *buf, size_t size) _must_check_;

/* "/mnt/pmem" and "mount" become "mnt-pmem.mount" (systemd.unit(5), "String escaping"). -EINVAL for
 * a path that is not absolute, -ENAMETOOLONG for one that has no unit. */
int unit_name_of_path(
        const char *path, const char *type, char buf[static UNIT_NAME_MAX]) _must_check_;
/* Does somebody want to be able to start it? A mount made by hand has a unit without a file. */
bool unit_file_exists(const char *name);

/* Is there a mask of this kind, ours or somebody else's? */
bool unit_is_masked(const char *name);
/* Keeps a unit from being started until the machine boots or it is unmasked; what runs goes on.
 * -EALREADY when somebody else masked it. Takes effect with units_reload(). */
int unit_mask(const char *name) _must_check_;
/* 0 also when it is not masked. */
int unit_unmask(const char *name) _must_check_;
/* The links by which a boot pulls a unit in, "local-fs.target.requires/mnt-pmem.mount", added to
 * *ret. A link of the same name to /dev/null in a folder that comes before hides such a dependency,
 * while the unit itself can still be started (systemd.unit(5)). */
int unit_boot_links(const char *name, char ***ret) _must_check_;
/* 1 when it is hidden by folder (UNITS_RUNTIME, UNITS_PERSISTENT), -EEXIST when that has a link of
 * its own, which is not touched, 0. */
int unit_boot_link_is_hidden(const char *folder, const char *link) _must_check_;
int unit_boot_link_hide(const char *folder, const char *link) _must_check_;
/* 0 also when it is not hidden. */
int unit_boot_link_show(const char *folder, const char *link) _must_check_;

int units_reload(uint64_t timeout_usec, int cancel_fd) _must_check_;
/* Waits until the manager has done it. -EIO when the manager could not, -ENOENT without the unit.
 */
int unit_start(const char *name, uint64_t timeout_usec, int cancel_fd) _must_check_;
int unit_stop(const char *name, uint64_t timeout_usec, int cancel_fd) _must_check_;
/* 1 when it is active, 0, negative errno. */
int unit_is_active(const char *name, uint64_t timeout_usec) _must_check_;

/* 1 when the machine is being shut down: nothing is started any more, whoever asks. 0, negative
 * errno. */
int units_machine_stops(uint64_t timeout_usec) _must_check_;

/* What the manager knows of some units and of all that would be stopped together with them or would
 * start them again, one record for each that is up, in the order in which they are started:
 *
 *     unit db.service role=holder state=active restart=always slice=system.slice
 *             triggers="db.socket" also="app.service" transient=yes refuses=start|stop|stop,start
 *             upholder=X
 */
typedef struct UnitList {
        Record **items;
        size_t n;
} UnitList;

void unit_list_done(UnitList *l);
/* NULL: it is not up. */
const Record *unit_list_find(const UnitList *l, const char *name);
int units_query(char *const *names, uint64_t timeout_usec, UnitList *ret) _must_check_;
