/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sys/proc-pins.h"

#include "sys/proc-fdinfo.h"
#include "sys/proc-internal.h"

#define STATUS_MAX 16384

/* VmPin counts RDMA and io_uring, VmLck also what vfio type 1 has mapped for its device. */
static const char *const counters[] = { "VmPin", "VmLck" };

static const struct {
        const char *link;    /* as far as it goes */
        const char *counter; /* of fdinfo, above zero; NULL: to have it open is enough */
        const char *word;
} table[] = {
        { "anon_inode:[io_uring]", "UserBufs:", "io_uring" },
        { "/dev/vfio/", NULL, "vfio" },
        { "/dev/infiniband/uverbs", NULL, "rdma" },
};

static void add_word(char *buf, const char *word)
{
        size_t used = strlen(buf);

        if (!strstr(buf, word))
                (void)snprintf(buf + used, PROC_PINS_MAX - used, "%s%s", used > 0 ? "," : "", word);
}

static size_t row_of(const char *name)
{
        size_t i = 0;

        while (i < ELEMENTSOF(table) && strncmp(name, table[i].link, strlen(table[i].link)) != 0)
                i++;
        return i;
}

static bool is_wanted(const char *name, void *arg)
{
        return row_of(name) < ELEMENTSOF(table);
}

static int look_at_info(const char *name, const char *text, void *arg)
{
        size_t row = row_of(name);

        if (!table[row].counter || fdinfo_number(text, table[row].counter) > 0)
                add_word(arg, table[row].word);
        return 0;
}

static int add_counters(pid_t pid, char *buf)
{
        _cleanup_(freep) char *text = NULL;
        char path[32], word[16];
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
        r = read_full_file(path, STATUS_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        for (size_t i = 0; i < ELEMENTSOF(counters); i++) {
                (void)snprintf(word, sizeof(word), "%s:", counters[i]);
                if (fdinfo_number(text, word) > 0)
                        add_word(buf, counters[i]);
        }
        return 0;
}

int proc_pins(pid_t pid, char buf[static PROC_PINS_MAX])
{
        _cleanup_(closep) int process_fd = -EBADF;
        int r;

        *buf = '\0';
        process_fd = proc_dir_open(pid);
        if (process_fd < 0)
                return process_fd;
        r = add_counters(pid, buf);
        return r < 0 ? r : fdinfo_for_each(process_fd, is_wanted, look_at_info, buf);
}
