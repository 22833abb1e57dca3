/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files of one process: a line of maps, stat, fdinfo, its cgroup, its kernel stack. Names of
 * commands and files in them are anybody's. */

#include <sys/sysmacros.h>

#include "fuzz.h"
#include "sys/cgroup.h"
#include "sys/marks.h"
#include "sys/proc-fdinfo.h"
#include "sys/proc-internal.h"

static void maps(const char *text)
{
        ProcMapping m;

        if (!proc_mapping_parse(text, &m))
                return;
        fuzz_assert(m.path >= text && m.path <= text + strlen(text) && *m.path != ' ');
        fuzz_assert(m.maps_fd < 0);
}

static void stat_line(const char *text)
{
        _cleanup_(freep) char *copy = strdup(text);
        ProcStat st = { .start = 0 };

        fuzz_assert(copy);
        if (proc_stat_parse(copy, &st) == 0)
                fuzz_assert(strlen(st.comm) < sizeof(st.comm) && st.state);
}

static void fdinfo(const char *text)
{
        _cleanup_(freep) char *copy = strdup(text);
        char *rest = copy;
        const char *file;
        FanotifyMark mark;

        fuzz_assert(copy);
        (void)fdinfo_number(text, "UserBufs:\t");
        (void)fdinfo_fanotify_has(text, makedev(259, 0));
        if (fanotify_parse(text, &mark))
                fuzz_assert(!mark.dev || !mark.mount_id);
        while ((file = fdinfo_uring_file(&rest)))
                fuzz_assert(file > copy && !strchr(file, '\n'));
}

static void words(const char *text)
{
        char uses[PROC_USES_MAX], stack[128];
        unsigned parsed = proc_uses_parse(text);
        Cgroup group;

        fuzz_assert(proc_uses_parse(proc_uses_format(parsed, uses)) == parsed);
        for (size_t room = 1; room <= sizeof(stack); room *= 2) {
                proc_stack_compact(text, stack, room);
                fuzz_assert(strlen(stack) < room && !strchr(stack, '\n'));
        }
        cgroup_parse(text, &group);
        fuzz_assert(strlen(group.slice) < sizeof(group.slice));
        fuzz_assert(strlen(group.container) < sizeof(group.container));
        fuzz_assert(!strchr(group.slice, '/') && !strchr(group.container, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size);

        maps(text);
        stat_line(text);
        fdinfo(text);
        words(text);
        return 0;
}
