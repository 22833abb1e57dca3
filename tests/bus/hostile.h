/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of "hostile" share: hostile.c measures, hostile-call.c calls, hostile-attacks.c
 * and hostile-types.c attack. */

#include <systemd/sd-bus.h>

#include "bus.h"
#include "util/text.h"

/* What a caller in C waits by default; who is served later has given up. */
#define SERVED_USEC (25 * USEC_PER_SEC)
#define ATTACK_USEC (240 * USEC_PER_SEC)

/* Shared with the processes of an attack. */
typedef struct Figures {
        unsigned long calls, answers, errors, full;
        uint64_t slowest_usec, slowest_plan_usec;
        bool stop;
        char odd[256]; /* what an attacker must not see */
} Figures;

typedef struct Attack {
        const char *name;
        void (*run)(sd_bus *bus);
        unsigned callers;
} Attack;

extern unsigned arg_count;
extern pid_t arg_pid;
extern Figures *figures;
extern const Attack attacks[]; /* the last one has no name */

sd_bus *connect_as(uid_t uid);
sd_bus_message *message(sd_bus *bus, const char *member);
sd_bus_message *request(sd_bus *bus, const char *member, const char *target, const char *reason);
void odd(const char *fmt, ...) _printf_(1, 2);

/* These take m. */
/* Sends it, and waits only when more than window calls are open. */
void throw(sd_bus * bus, sd_bus_message *m, unsigned *open, unsigned window);
void finish(sd_bus *bus, unsigned *open);
/* A call that must be answered with an error, and at once. */
void must_fail(sd_bus *bus, sd_bus_message *m, const char *what);
/* No answer is wanted, so that the bus does not count open calls. */
void send_only(sd_bus *bus, sd_bus_message *m);
void call_once(sd_bus *bus);

void attack_types(sd_bus *bus);
