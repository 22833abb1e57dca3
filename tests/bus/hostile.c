/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callers who mean no good, and beside them an honest one who is still to be served. Each attack is
 * made again: what the daemon needs more each time, it loses for good.
 *
 *     hostile --pid=PID [--count=N] [ATTACK...]
 *
 * Runs as root, who only watches; the attackers are uid 65534, the honest caller is uid 1. Prints a
 * line of figures per attack and exits with 1 when one of them is out of bounds. */

#include "hostile.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUEST 65534
#define HONEST 1
/* Growth of the daemon at its worst, and what may stay after the second time: allocators keep some.
 */
#define PEAK_KIB (256 * 1024)
#define KEPT_KIB (8 * 1024)
/* The connection that asks about senders may just be replaced. */
#define SPARE_FDS 1
/* How often it may cost memory again. */
#define ROUNDS 4

unsigned arg_count = 10000;
pid_t arg_pid;
static unsigned first_fds; /* open before the first attack */

Figures *figures;

static unsigned long rss_kib(const char *key)
{
        _cleanup_(freep) char *text = NULL;
        char path[64];
        const char *p;

        (void)snprintf(path, sizeof(path), "/proc/%d/status", arg_pid);
        if (read_full_file(path, 65536, &text, NULL) < 0 || !(p = strstr(text, key))) {
                fprintf(stderr, "hostile: the daemon is gone\n");
                exit(1);
        }
        return strtoul(p + strlen(key), NULL, 10);
}

/* A sanitizer keeps what was freed for a while. */
static unsigned long allowed(unsigned long kib)
{
        _cleanup_(freep) char *text = NULL;
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/maps", arg_pid);
        if (read_full_file(path, 1024 * 1024, &text, NULL) < 0 || !strstr(text, "libasan"))
                return kib;
        return 16 * kib;
}

static unsigned count_descriptors(void)
{
        char path[64];
        unsigned n = 0;
        DIR *d;

        (void)snprintf(path, sizeof(path), "/proc/%d/fd", arg_pid);
        d = opendir(path);
        while (d && readdir(d))
                n++;
        if (d)
                (void)closedir(d);
        return n;
}

static unsigned count_children(void)
{
        _cleanup_(freep) char *text = NULL;
        char path[64];
        unsigned n = 0;

        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", arg_pid, arg_pid);
        if (read_full_file(path, 65536, &text, NULL) < 0)
                return 0;
        for (const char *p = text; (p = strchr(p, ' ')); p++)
                n++;
        return n;
}

static void note_slowest(uint64_t *slowest, uint64_t since)
{
        uint64_t took = now_usec() - since;

        if (took > *slowest)
                *slowest = took;
}

/* The honest caller: reads all the time, and now and then asks for a plan. */
static _Noreturn void be_honest(void)
{
        sd_bus *bus = connect_as(HONEST);

        for (unsigned i = 0; !figures->stop; i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;
                bool plan = i % 8 == 0;
                sd_bus_message *m = plan ? request(bus, "PlanRemove", "namespace0.0", "nothing")
                                         : message(bus, "ListRemovals");
                uint64_t start = now_usec();

                if (sd_bus_call(bus, m, ATTACK_USEC, &e, NULL) < 0) {
                        /* The bus keeps as much for the daemon as it allows, and it is not full
                         * of what the daemon has kept. */
                        if (sd_bus_error_has_name(&e, SD_BUS_ERROR_LIMITS_EXCEEDED))
                                figures->full++;
                        else
                                odd("the honest caller is told: %s", e.message);
                }
                note_slowest(plan ? &figures->slowest_plan_usec : &figures->slowest_usec, start);
                sd_bus_message_unref(m);
                pause_usec(20 * USEC_PER_MSEC);
        }
        _exit(0);
}

static pid_t start(void (*run)(sd_bus *bus), uid_t uid)
{
        pid_t pid;

        fflush(stdout);
        pid = fork();

        if (pid == 0) {
                /* Whatever becomes of who watches. */
                (void)alarm(2 * ATTACK_USEC / USEC_PER_SEC);
                if (run)
                        run(connect_as(uid));
                else
                        be_honest();
                _exit(0);
        }
        return pid;
}

/* The highest that was seen, until all attackers have ended. */
static bool wait_for(pid_t *pids, unsigned n, unsigned long *peak, unsigned *children)
{
        uint64_t deadline = now_usec() + ATTACK_USEC;
        bool good = true;
        unsigned left = n;

        while (left > 0 && now_usec() < deadline) {
                for (unsigned i = 0; i < n; i++) {
                        int status;

                        if (pids[i] <= 0 || waitpid(pids[i], &status, WNOHANG) <= 0)
                                continue;
                        good = good && status == 0;
                        pids[i] = 0;
                        left--;
                }
                *peak = MAX_OF(*peak, rss_kib("VmRSS:"));
                *children = MAX_OF(*children, count_children());
                pause_usec(5 * USEC_PER_MSEC);
        }
        for (unsigned i = 0; i < n; i++)
                if (pids[i] > 0)
                        (void)kill(pids[i], SIGKILL);
        return good && left == 0;
}

/* What it opens once is open then. */
static void warm_up(void)
{
        unsigned long peak = 0;
        unsigned children = 0;
        pid_t pid = start(call_once, HONEST);

        (void)wait_for(&pid, 1, &peak, &children);
}

/* What was begun for who has left ends by itself. */
static void settle(unsigned descriptors)
{
        for (unsigned i = 0; i < 300; i++) {
                if (count_children() == 0 && count_descriptors() <= descriptors)
                        return;
                pause_usec(100 * USEC_PER_MSEC);
        }
}

static bool complain(const char *name, bool wrong, const char *what)
{
        if (wrong)
                printf("FAILED: %s: %s\n", name, what);
        return wrong;
}

static bool once(const Attack *a, unsigned long *kept)
{
        unsigned before_fds = first_fds, children = 0, after_fds;
        unsigned long before = rss_kib("VmRSS:"), peak = before;
        uint64_t since = now_usec();
        pid_t pids[32], honest;
        bool ended, bad = false;

        *figures = (Figures){ 0 };
        honest = start(NULL, HONEST);
        for (unsigned i = 0; i < a->callers; i++)
                pids[i] = start(a->run, GUEST);
        ended = wait_for(pids, a->callers, &peak, &children);
        figures->stop = true;
        (void)wait_for(&honest, 1, &peak, &children);
        settle(before_fds);
        after_fds = count_descriptors();
        *kept = rss_kib("VmRSS:");
        printf("%-12s %7lu %7lu %7lu  %6.2f %6.2f  %7lu %7lu %7lu  %4u %4u  %3u  %5.1f\n", a->name,
                figures->calls, figures->answers, figures->errors,
                (double)figures->slowest_usec / USEC_PER_SEC,
                (double)figures->slowest_plan_usec / USEC_PER_SEC, before, peak, *kept, before_fds,
                after_fds, children, (double)(now_usec() - since) / USEC_PER_SEC);
        fflush(stdout);
        bad |= complain(a->name, !ended, "an attacker was cut off, or never answered");
        bad |= complain(a->name, *figures->odd, figures->odd);
        bad |= complain(a->name, figures->slowest_usec > SERVED_USEC, "the honest caller waited");
        bad |= complain(a->name, figures->slowest_plan_usec > SERVED_USEC,
                "the honest caller waited for his plan");
        bad |= complain(
                a->name, peak > before + allowed(PEAK_KIB), "the daemon took too much memory");
        bad |= complain(a->name, after_fds > before_fds + SPARE_FDS, "descriptors stay open");
        bad |= complain(a->name, count_children() > 0, "children stay");
        return !bad;
}

/* What is lost is lost each time; what the allocator keeps for later (or gave back the first time)
 * is not. */
static bool again_and_again(const Attack *a)
{
        unsigned long before, kept;
        bool good = once(a, &kept), grows = true;

        for (unsigned i = 0; i < ROUNDS && grows; i++) {
                before = kept;
                good = once(a, &kept) && good;
                grows = kept > before + allowed(KEPT_KIB);
        }
        return !complain(a->name, grows, "each time cost memory again") && good;
}

static bool wanted(const char *name, char **names)
{
        return !*names || strv_contains(names, name);
}

int main(int argc, char **argv)
{
        static const struct option options[] = {
                { "pid", required_argument, NULL, 'p' },
                { "count", required_argument, NULL, 'n' },
                { 0 },
        };
        bool good = true;
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
                if (c == 'p')
                        arg_pid = (pid_t)strtol(optarg, NULL, 10);
                else if (c == 'n')
                        arg_count = (unsigned)strtoul(optarg, NULL, 10);
                else
                        return 2;
        figures = mmap(
                NULL, sizeof(*figures), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (arg_pid <= 0 || figures == MAP_FAILED)
                return 2;
        warm_up();
        first_fds = count_descriptors();
        printf("%-12s %7s %7s %7s  %6s %6s  %7s %7s %7s  %4s %4s  %3s  %5s\n", "attack", "calls",
                "answers", "errors", "read/s", "plan/s", "KiB", "peak", "after", "fds", "then",
                "kids", "s");
        for (const Attack *a = attacks; a->name; a++)
                if (wanted(a->name, argv + optind))
                        good = again_and_again(a) && good;
        return good ? 0 : 1;
}
