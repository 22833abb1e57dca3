/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Faults on order; see fault.h. A fault is claimed by renaming its file, which needs no room on a
 * full /run and which only one process succeeds at. Its victims are told by their names, parents
 * and sessions, because nobody in here knows the process ids of the others. */

#include "util/fault.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util/record.h"
#include "util/text.h"

#define FAULTS_MAX 4
#define LINE_MAX_BYTES 1024
#define VICTIMS_MAX 64
/* Where the ledgers are, unless the unit says otherwise. */
#define DEFAULT_DIR "/run/pmemremoved"

typedef struct Victim {
        pid_t pid;
        const char *role;
} Victim;

static const char *const names[FAULTS_MAX] = { "1", "2", "3", "4" };
static const char *const fired[FAULTS_MAX] = { "1.fired", "2.fired", "3.fired", "4.fired" };

static char this_role[16] = "none";
static char this_step[16];
/* How often a process came by, and which file it counted for: the daemon lives through many. */
static unsigned seen[FAULTS_MAX];
static struct timespec armed[FAULTS_MAX];
static unsigned memory_fault;
static uint64_t memory_left; /* 0: no allocation is to fail */

void fault_role(const char *role)
{
        (void)snprintf(this_role, sizeof(this_role), "%s", role);
}

void fault_step(const char *number)
{
        (void)snprintf(this_step, sizeof(this_step), "%s", number);
}

/* --- which fault --- */

static void fault_path(const char *name, char *buf, size_t size)
{
        const char *dir = getenv("RUNTIME_DIRECTORY");

        (void)snprintf(buf, size, "%s/faults/%s", dir && *dir == '/' ? dir : DEFAULT_DIR, name);
}

static ssize_t read_text(const char *path, char *buf, size_t size)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

        buf[n < 0 ? 0 : n] = '\0';
        return n;
}

static void count_anew(unsigned i, const struct stat *st)
{
        if (st->st_mtim.tv_sec != armed[i].tv_sec || st->st_mtim.tv_nsec != armed[i].tv_nsec)
                seen[i] = 0;
        armed[i] = st->st_mtim;
}

static Record *read_fault(unsigned i)
{
        char path[256], line[LINE_MAX_BYTES];
        Record *r = NULL;
        struct stat st;

        fault_path(names[i], path, sizeof(path));
        if (stat(path, &st) < 0 || read_text(path, line, sizeof(line)) <= 0)
                return NULL;
        count_anew(i, &st);
        line[strcspn(line, "\n")] = '\0';
        return record_parse(line, &r) == 0 ? r : NULL;
}

static bool same_if_given(const Record *r, const char *key, const char *value)
{
        const char *wanted = record_get(r, key);

        return !wanted || fnmatch(wanted, value, 0) == 0;
}

static bool has_fired(const char *name)
{
        char file[16], path[256];

        (void)snprintf(file, sizeof(file), "%.8s.fired", name);
        fault_path(file, path, sizeof(path));
        return access(path, F_OK) == 0;
}

static bool is_meant(const Record *r, const char *place, const char *detail)
{
        const char *since = record_get(r, "since");

        return streq(r->verb, "fault") && streq(strempty(r->name), place) &&
               same_if_given(r, "detail", detail) && same_if_given(r, "by", this_role) &&
               (!since || has_fired(since));
}

static bool is_its_turn(const Record *r, unsigned i)
{
        uint64_t nth = 1;

        if (record_get(r, "nth") && record_get_u64(r, "nth", &nth) < 0)
                return false;
        return ++seen[i] == nth || (record_get(r, "stay") && seen[i] > nth);
}

/* --- whom --- */

/* "PID (NAME) STATE PPID PGRP SESSION ..." */
static bool read_stat(pid_t pid, char name[static 32], pid_t *parent, pid_t *session)
{
        char path[64], text[512], *from, *to;
        int pgrp;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        if (read_text(path, text, sizeof(text)) <= 0)
                return false;
        from = strchr(text, '(');
        to = strrchr(text, ')');
        if (!from || !to)
                return false;
        *to = '\0';
        (void)snprintf(name, 32, "%s", from + 1);
        return sscanf(to + 1, " %*c %d %d %d", parent, &pgrp, session) == 3;
}

/* A worker leads its session; its children have its name and its session. */
static const char *role_of(pid_t pid)
{
        char name[32], path[64], words[256] = "";
        pid_t parent, session;

        if (!read_stat(pid, name, &parent, &session))
                return "gone";
        if (streq(name, "pmr-guardian"))
                return "guardian";
        if (streq(name, "pmr-worker"))
                return session == pid ? "worker" : "below";
        if (!streq(name, "pmemremoved") || parent != 1)
                return "other";
        (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
        /* Its own name alone; with another word it is what runs when the service has stopped. */
        return read_text(path, words, sizeof(words)) == (ssize_t)strlen(words) + 1 ? "daemon"
                                                                                   : "recovery";
}

/* All that is in our control group, which is where workers and guardians are as well. */
static size_t list_victims(Victim victims[static VICTIMS_MAX])
{
        char path[512], text[4096], *at = text, *slash;
        size_t n = 0;

        if (read_text("/proc/self/cgroup", text, sizeof(text)) <= 0 || !(slash = strchr(text, '/')))
                return 0;
        slash[strcspn(slash, "\n")] = '\0';
        (void)snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cgroup.procs", slash);
        (void)read_text(path, text, sizeof(text));
        for (char *word; n < VICTIMS_MAX && (word = strsep(&at, "\n"));) {
                pid_t pid;

                if (parse_pid(word, &pid) == 0)
                        victims[n++] = (Victim){ .pid = pid, .role = role_of(pid) };
        }
        return n;
}

static bool is_wanted(const Record *r, const Victim *v)
{
        const char *whom = strempty(record_get(r, "whom"));
        size_t size = strlen(v->role);

        for (const char *at = whom; (at = strstr(at, v->role)); at += size)
                if ((at == whom || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
                        return !streq(v->role, "below") || v->pid == getpid();
        return false;
}

/* --- what --- */

static void say_fired(unsigned i, const char *text)
{
        char path[256];
        ssize_t n = 0;
        int fd;

        fault_path(fired[i], path, sizeof(path));
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0)
                n = write(fd, text, strlen(text));
        (void)n;
        (void)safe_close(fd);
}

/* Nobody of them sees another one's death: all are stopped before the first is killed, and who does
 * it is the last. */
static void hit(const Record *r, unsigned i, int sig)
{
        Victim victims[VICTIMS_MAX];
        char text[512] = "hit";
        size_t n = list_victims(victims), used = strlen(text);
        bool me = false;

        for (size_t k = 0; k < n; k++) {
                if (!is_wanted(r, &victims[k]))
                        victims[k].pid = 0;
                else if (used < sizeof(text) - 64)
                        used += (size_t)snprintf(text + used, sizeof(text) - used, " %s=%d",
                                victims[k].role, victims[k].pid);
                me |= victims[k].pid == getpid();
        }
        (void)snprintf(text + used, sizeof(text) - used, "\n");
        say_fired(i, text);
        for (int pass = 0; pass < 2; pass++)
                for (size_t k = 0; k < n; k++)
                        if (victims[k].pid > 0 && victims[k].pid != getpid())
                                (void)kill(victims[k].pid, pass == 0 ? SIGSTOP : sig);
        if (me)
                (void)raise(sig);
}

/* A process of its own that holds nothing of ours: neither the guardian's pipe nor the ledger's
 * lock may seem to be held. */
static void hit_later(const Record *r, unsigned i, int sig, uint64_t delay_usec)
{
        pid_t pid = fork();

        if (pid != 0)
                return;
        (void)syscall(SYS_close_range, 3U, ~0U, 0U);
        pause_usec(delay_usec);
        hit(r, i, sig);
        _exit(0);
}

static int act_signal(const Record *r, unsigned i, int sig)
{
        uint64_t delay_usec;

        if (record_get_u64(r, "delay", &delay_usec) == 0)
                hit_later(r, i, sig, delay_usec);
        else
                hit(r, i, sig);
        return 0;
}

static int act_kill(const Record *r, unsigned i)
{
        return act_signal(r, i, SIGKILL);
}

static int act_stop(const Record *r, unsigned i)
{
        return act_signal(r, i, SIGSTOP);
}

static int act_fail(const Record *r, unsigned i)
{
        uint64_t err;

        if (record_get_u64(r, "err", &err) < 0)
                err = EIO;
        say_fired(i, "failed\n");
        return -(int)err;
}

static int act_memory(const Record *r, unsigned i)
{
        uint64_t after;

        if (record_get_u64(r, "after", &after) < 0)
                after = 1;
        memory_fault = i;
        memory_left = after;
        return 0;
}

bool fault_memory(void)
{
        if (memory_left == 0 || --memory_left > 0)
                return false;
        say_fired(memory_fault, "failed\n");
        return true;
}

static const struct {
        const char *word;
        int (*act)(const Record *r, unsigned i);
} actions[] = {
        { "kill", act_kill },
        { "stop", act_stop },
        { "fail", act_fail },
        { "memory", act_memory },
};

static int act(const Record *r, unsigned i)
{
        for (size_t k = 0; k < ELEMENTSOF(actions); k++)
                if (streq(actions[k].word, strempty(record_get(r, "action"))))
                        return actions[k].act(r, i);
        say_fired(i, "unknown action\n");
        return -EINVAL;
}

static bool claim(const Record *r, unsigned i)
{
        char from[256], to[256];

        if (!is_its_turn(r, i))
                return false;
        if (record_get(r, "stay"))
                return true;
        fault_path(names[i], from, sizeof(from));
        fault_path(fired[i], to, sizeof(to));
        return rename(from, to) == 0;
}

/* Which points there are, by whom they were reached, and who was there to be hit. */
static void trace(const char *place, const char *detail)
{
        _cleanup_(closep) int fd = -EBADF;
        Victim victims[VICTIMS_MAX];
        char path[256], text[512];
        size_t n, used;
        ssize_t done;

        fault_path("trace", path, sizeof(path));
        fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return;
        n = list_victims(victims);
        used = (size_t)snprintf(text, sizeof(text) - 1, "%s %s ", place, this_role);
        for (size_t k = 0; k < n && used < sizeof(text) - 64; k++)
                used += (size_t)snprintf(text + used, sizeof(text) - used, "%s,", victims[k].role);
        used += (size_t)snprintf(text + used, sizeof(text) - used, " %s\n", detail);
        done = write(fd, text, MIN_OF(used, sizeof(text) - 1));
        (void)done;
}

int fault_point(const char *place, const char *detail)
{
        int e = 0, saved = errno;

        detail = detail ? detail : this_step;
        trace(place, detail);
        for (unsigned i = 0; i < FAULTS_MAX && e == 0; i++) {
                _cleanup_(record_freep) Record *r = read_fault(i);

                if (r && is_meant(r, place, detail) && claim(r, i))
                        e = act(r, i);
        }
        errno = saved;
        return e;
}

size_t fault_tear(const char *detail, size_t size)
{
        for (unsigned i = 0; i < FAULTS_MAX; i++) {
                _cleanup_(record_freep) Record *r = read_fault(i);

                if (r && is_meant(r, "torn", detail))
                        return size / 2;
        }
        return size;
}
