/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The policy file: [Policy] holds the defaults, each [Policy "name"] starts as a copy of them and
 * applies where all of its Match* keys agree; the first section that matches wins, in reading
 * order. [Budget] is about the whole machine. A Config is immutable: a reload builds a new one, and
 * a bad file leaves the old in force. (autoconf's own results come by -D on the command line, so
 * that this name is free.) */

#include <stdbool.h>
#include <stdint.h>

#include "failure.h"
#include "util/ladder.h"

typedef enum Mode {
        MODE_AUTO, /* drain, unmount; then forced where proven and cheap; else SIGKILL; else undo */
        MODE_GRACEFUL, /* refuse if someone stays */
        MODE_FORCED,   /* the forced road at once after the drain */
        _MODE_MAX,
        _MODE_INVALID = -EINVAL, /* in a request: take the policy's */
} Mode;

/* Are newcomers refused to open files of a filesystem that is being removed? */
typedef enum OpenGate {
        OPEN_GATE_NO,
        OPEN_GATE_CLEAN, /* only on a kernel that is not tainted by it */
        OPEN_GATE_ALWAYS,
} OpenGate;

/* Does what was mounted stay away when the memory is gone? */
typedef enum KeepOff {
        KEEP_OFF_NO,
        KEEP_OFF_YES, /* until the next boot */
        KEEP_OFF_PERSISTENT,
} KeepOff;

const char *mode_to_string(Mode m);
Mode mode_from_string(const char *s);

typedef struct Policy {
        char *name; /* NULL for the defaults */

        /* Shell globs; NULL list: does not matter. Within a key any may match, between keys all
         * must. */
        char **match_namespace;
        char **match_region;
        char **match_bus; /* provider, "ACPI.NFIT", "e820" */
        char **match_mount;
        char **match_uuid;
        char **match_label;

        Mode mode;
        uint64_t delay_max_usec;
        Ladder drain;
        int last_signal; /* 0: nobody is killed by the daemon */
        uint64_t freeze_timeout_usec;
        uint64_t freeze_budget_usec;
        uint64_t kill_timeout_usec;
        uint64_t unbind_timeout_usec;
        uint64_t hook_timeout_usec;
        bool disable_region;
        OpenGate open_gate;
        bool unexport_nfs;
        bool stop_units;
        uint64_t stop_unit_timeout_usec;
        KeepOff keep_off;
        char **protect_unit;
        char **protect_process; /* globs on the command name */
        uint64_t max_parallel;  /* of the defaults only: removals at a time */
        bool clean_dead_mounts; /* of the defaults only */

        /* [Budget], of the defaults only: what the whole machine can do without. */
        uint64_t max_removed; /* devices out of use at a time, 0: no limit */
        bool while_degraded;  /* remove although an md array lacks a disk */
} Policy;

typedef struct Config {
        Policy **policies; /* [0] is the defaults, then the named ones in reading order */
        size_t n_policies;
} Config;

Config *config_free(Config *c);
DEFINE_CLEANUP(Config *, config_free);

/* The built-in values. */
int config_new_defaults(Config **ret) _must_check_;

/* Reads CONFDIR/pmemremoved.conf and the drop-ins pmemremoved.conf.d/ *.conf of /usr/lib, /run and
 * CONFDIR with systemd's precedence: sorted by file name, a name in a later directory replaces the
 * same name of an earlier one, a link to /dev/null masks. root ("" for the machine's) is put before
 * every path. Every error is FAILURE_INVALID_CONFIG and its sentence names file, line and key. */
int config_load(const char *root, Config **ret, Failure *f) _must_check_;
/* One file only, for --check-config FILE. */
int config_load_file(const char *path, Config **ret, Failure *f) _must_check_;

/* The key table, for documentation checks: name and default as text; NULL past the end. */
typedef struct ConfigKeyInfo {
        const char *name;
        const char *default_text;
} ConfigKeyInfo;
const ConfigKeyInfo *config_key_info(size_t i);
