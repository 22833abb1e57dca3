/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who a process is and what it does just now, from /proc/PID/stat: the one file that never waits
 * for the process' memory. cmdline, environ and smaps do, and hang when it sleeps in a write fault
 * of a frozen filesystem (performance-facts 5), so they are read nowhere. */

#include "sys/proc.h"

#include <fcntl.h>

#include "sys/proc-internal.h"

/* Longest line: 52 fields of at most 20 digits. */
#define STAT_MAX 2048
#define STACK_MAX 4096
#define STACK_FRAMES_MAX 8

#define STAT_FIELD_FLAGS 9
#define STAT_FIELD_START 22

/* Fields are counted as in proc(5); the first after the command is number 3. */
static int field_u64(const char *fields, unsigned number, uint64_t *ret)
{
        char word[24];
        size_t n;

        for (unsigned i = 3; i < number; i++) {
                fields = strchr(fields, ' ');
                if (!fields)
                        return -EBADMSG;
                fields++;
        }
        n = strcspn(fields, " \n");
        if (n == 0 || n >= sizeof(word))
                return -EBADMSG;
        memcpy(word, fields, n);
        word[n] = '\0';
        return parse_u64(word, ret);
}

/* A command may hold blanks and parentheses of its own, so it ends at the last one. */
int proc_stat_parse(char *text, ProcStat *ret)
{
        char *begin, *end;
        uint64_t flags;
        int r;

        begin = strchr(text, '(');
        end = strrchr(text, ')');
        if (!begin || !end || end < begin || end[1] != ' ' || end[2] == '\0' || end[3] != ' ')
                return -EBADMSG;
        *end = '\0';
        (void)snprintf(ret->comm, sizeof(ret->comm), "%s", begin + 1);
        ret->state = end[2];
        r = field_u64(end + 2, STAT_FIELD_FLAGS, &flags);
        if (r < 0)
                return r;
        ret->flags = (unsigned)flags;
        return field_u64(end + 2, STAT_FIELD_START, &ret->start);
}

/* ESRCH is what a process says that exits between open and read. */
static int read_text(int dir_fd, const char *name, char *buf, size_t size)
{
        _cleanup_(closep) int fd = -EBADF;
        size_t n = 0;
        ssize_t k;

        fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        do {
                k = read(fd, buf + n, size - 1 - n);
                if (k < 0)
                        return -errno;
                n += (size_t)k;
        } while (k > 0 && n < size - 1);
        buf[n] = '\0';
        return 0;
}

int proc_stat_read(int dir_fd, ProcStat *ret)
{
        char text[STAT_MAX];
        int r;

        r = read_text(dir_fd, "stat", text, sizeof(text));
        if (r < 0)
                return r;
        return proc_stat_parse(text, ret);
}

int proc_dir_open(pid_t pid)
{
        char path[32];
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        return fd;
}

static int stat_of_pid(pid_t pid, ProcStat *ret)
{
        _cleanup_(closep) int dir_fd = -EBADF;

        dir_fd = proc_dir_open(pid);
        return dir_fd < 0 ? dir_fd : proc_stat_read(dir_fd, ret);
}

int proc_start_time(pid_t pid, uint64_t *ret)
{
        ProcStat s;
        int r;

        r = stat_of_pid(pid, &s);
        if (r < 0)
                return r;
        *ret = s.start;
        return 0;
}

int proc_comm(pid_t pid, char *buf, size_t size)
{
        ProcStat s;
        int r;

        r = stat_of_pid(pid, &s);
        if (r < 0)
                return r;
        return (size_t)snprintf(buf, size, "%s", s.comm) < size ? 0 : -ENOBUFS;
}

int proc_state(pid_t pid)
{
        ProcStat s;
        int r;

        r = stat_of_pid(pid, &s);
        return r < 0 ? r : s.state;
}

void proc_stack_compact(const char *stack, char *buf, size_t size)
{
        size_t used = 0;
        unsigned frames = 0;

        buf[0] = '\0';
        while (*stack && frames < STACK_FRAMES_MAX && used < size) {
                const char *nl = strchrnul(stack, '\n'),
                           *word = memchr(stack, ']', (size_t)(nl - stack));
                const char *start = word ? word + 1 : stack;
                int n;

                start += strspn(start, " ");
                n = (int)strcspn(start, "+\n");
                if (n > 0) {
                        used += (size_t)snprintf(buf + used, size - used, "%s%.*s",
                                frames > 0 ? " < " : "", n, start);
                        frames++;
                }
                stack = *nl ? nl + 1 : nl;
        }
}

/* Hidden means without CAP_SYS_ADMIN, or a kernel without CONFIG_STACKTRACE. */
int proc_kernel_stack(pid_t pid, char *buf, size_t size)
{
        _cleanup_(closep) int dir_fd = -EBADF;
        char text[STACK_MAX] = "";
        ProcStat s;

        buf[0] = '\0';
        dir_fd = proc_dir_open(pid);
        if (dir_fd < 0)
                return dir_fd;
        if (read_text(dir_fd, "stack", text, sizeof(text)) < 0)
                return proc_stat_read(dir_fd, &s);
        proc_stack_compact(text, buf, size);
        return 0;
}

int proc_count(unsigned *ret)
{
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *de;
        unsigned n = 0;
        pid_t pid;

        dir = opendir("/proc");
        if (!dir)
                return -errno;
        for (;;) {
                errno = 0;
                de = readdir(dir);
                if (!de)
                        break;
                n += parse_pid(de->d_name, &pid) == 0;
        }
        if (errno != 0)
                return -errno;
        *ret = n;
        return 0;
}

static const char *const use_names[] = { "dax", "map", "fd", "cwd", "root", "exe", "node",
        "socket" };

const char *proc_uses_format(unsigned uses, char buf[static PROC_USES_MAX])
{
        size_t n = 0;

        buf[0] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(use_names); i++)
                if (uses & (1U << i))
                        n += (size_t)snprintf(
                                buf + n, PROC_USES_MAX - n, "%s%s", n > 0 ? "," : "", use_names[i]);
        return buf;
}

static unsigned use_parse(const char *word, size_t n)
{
        for (size_t i = 0; i < ELEMENTSOF(use_names); i++)
                if (strlen(use_names[i]) == n && memcmp(word, use_names[i], n) == 0)
                        return 1U << i;
        return 0;
}

unsigned proc_uses_parse(const char *s)
{
        unsigned uses = 0, one;
        size_t n;

        for (; *s; s += n + (s[n] == ',')) {
                n = strcspn(s, ",");
                one = use_parse(s, n);
                if (one == 0)
                        return 0;
                uses |= one;
        }
        return uses;
}
