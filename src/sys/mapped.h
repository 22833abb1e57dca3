/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "util/cleanup.h"

/* The files of one filesystem that processes have mapped, each open once. */
typedef struct FileSet {
        struct MappedFile {
                int fd;
                ino_t ino;
        } * items;
        size_t n;
} FileSet;

void file_set_done(FileSet *s);
/* Adds what this process has mapped of the filesystem with that device number. Reads
 * /proc/PID/map_files, which can hang on a process that sleeps in a fault on a frozen filesystem:
 * before the freeze only. A process that is gone is 0. */
int file_set_add(FileSet *s, pid_t pid, dev_t dev) _must_check_;
/* fsync(2) of each. Works on a frozen filesystem too, and is what a freeze leaves out: a write
 * fault through a MAP_SYNC mapping into blocks that were not on the media yet tags the DAX entry
 * dirty but not the inode (dax_insert_pfn_mkwrite(), fs/dax.c, 6.12), so neither FIFREEZE nor
 * syncfs takes its write permission away. The process goes on writing into a frozen filesystem, and
 * the entries outlive pre-remove, whose invalidation spares dirty ones: the next umount oopses. */
int file_set_sync(const FileSet *s) _must_check_;
