/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs a program of somebody else: its own process group, text on its standard input, its output
 * line by line, and an end in bounded time whatever it does. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"
#include "util/lines.h"

#define COMMAND_LINE_MAX LINES_LENGTH_MAX

typedef struct Command {
        char *const *argv; /* [0] without a slash: looked for in PATH */
        char *const *envp;
        const char *input;     /* NULL: none */
        uint64_t timeout_usec; /* after that, and on cancel, it is ended */
        uint64_t grace_usec;   /* from SIGTERM to SIGKILL, both to the whole group */
        int cancel_fd;
        /* Was it a cancel that made the descriptor readable? It has to read it. NULL: always. */
        bool (*cancelled)(void *userdata);
        /* Standard output and error, without control characters; NULL: nobody wants to know. */
        void (*line)(const char *text, void *userdata);
        /* What is done in the place of SIGTERM; may take as long as it needs within bounds. */
        void (*end)(void *userdata);
        void *userdata;
} Command;

#define COMMAND_NOT_STARTED 127

/* The exit status (COMMAND_NOT_STARTED: there is no such program), or negative errno: -ETIMEDOUT
 * and -ECANCELED when it was ended for that reason (then it may have ended well all the same),
 * -EOWNERDEAD when a signal killed it, with the number in *ret_signal (NULL allowed). What it
 * leaves behind in its process group is killed; what left the group is not waited for. */
int command_run(const Command *c, int *ret_signal) _must_check_;
