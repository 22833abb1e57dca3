/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the special descriptors of a process carry, from their fdinfo. */

#include <sys/types.h>

#include "util/text.h"

/* name: the link below fd ("anon_inode:[io_uring]"); text: its fdinfo, read only when the name was
 * wanted. */
typedef int (*FdInfoFn)(const char *name, const char *text, void *arg);
typedef bool (*FdNameFn)(const char *name, void *arg);

/* Calls info for each descriptor that wanted says true to, until it does not return 0. */
int fdinfo_for_each(int process_fd, FdNameFn wanted, FdInfoFn info, void *arg) _must_check_;

/* "UserBufs:\t3": the number behind this word at the start of a line; 0 when it is not there. */
uint64_t fdinfo_number(const char *text, const char *word);
/* Does a mark of this fanotify group name the device? */
bool fdinfo_fanotify_has(const char *text, dev_t dev);
/* The next registered file of an io_uring; NULL at the end. Changes *text. */
const char *fdinfo_uring_file(char **text);
