/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much anybody may ask for. Each is told in org.pmemremoved1(5) under "Limits". Root is counted
 * among all, but neither among guests nor as a user: what others ask must not keep root from
 * asking, and what one user asks not the other users. */

/* Questions that need a look at the machine. Each is a process. */
#define LIMIT_QUESTIONS 16
#define LIMIT_QUESTIONS_GUESTS 8
#define LIMIT_QUESTIONS_USER 4

/* Questions to polkit. Each may stand on somebody's screen. */
#define LIMIT_AUTHORIZATIONS 64
#define LIMIT_AUTHORIZATIONS_USER 8

/* Each is a descriptor. systemd keeps them while the daemon restarts, FileDescriptorStoreMax= in
 * the unit of them, and would drop one more silently. */
#define LIMIT_INHIBITORS 512
#define LIMIT_INHIBITORS_USER 64

/* Callers that wait for one removal. */
#define LIMIT_WAITERS 512
#define LIMIT_WAITERS_GUESTS 256
#define LIMIT_WAITERS_USER 64

/* Bytes of text in a list that an object shows. Anybody can mount what he sees a hundred thousand
 * times, in a mount namespace of his own and under names of 4096 bytes, and the bus cuts off who
 * sends a message of more than 32 MiB (dbus-daemon's max_message_size): all objects together have
 * to fit, for GetManagedObjects. */
#define LIMIT_LIST 32768
/* The plan of a removal, as its property. */
#define LIMIT_PLAN_SHOWN 262144
/* The answer of PlanRemove is a message of its own: each list in it, and the plan. */
#define LIMIT_ANSWER_LIST 4194304
#define LIMIT_PLAN 8388608
/* Reasons in one refusal; PlanRemove tells more. */
#define LIMIT_REASONS 64

/* Bytes. They go into a ledger, the journal and a status line. */
#define LIMIT_TARGET 4096
#define LIMIT_OPTION 1024
/* Words of an option that is a list. */
#define LIMIT_OPTION_WORDS 64
