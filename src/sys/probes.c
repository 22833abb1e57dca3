/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks for what pre-remove needs in the running kernel. Distributions carry it back and leave it
 * out without telling, so version numbers are not asked; and what cannot be seen is unknown, not
 * no. */

#include <linux/btf.h>

#include "sys/probes.h"
#include "sys/sysfs.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"
#define BTF_BYTES_MAX (64 * 1024 * 1024)
#define EARLY_KILL_PATH "/proc/sys/vm/memory_failure_early_kill"
#define ENUMERATOR "MF_MEM_PRE_REMOVE"
#define SHUTDOWN "fs_bdev_mark_dead"

const char *answer_to_string(Answer a)
{
        static const char *const words[] = {
                [ANSWER_NO] = "no",
                [ANSWER_YES] = "yes",
                [ANSWER_UNKNOWN] = "unknown",
        };

        return (size_t)a < ELEMENTSOF(words) ? words[a] : words[ANSWER_UNKNOWN];
}

static void _printf_(3, 4) answer_set(ProbeResult *ret, Answer answer, const char *fmt, ...)
{
        va_list ap;

        ret->answer = answer;
        va_start(ap, fmt);
        (void)vsnprintf(ret->evidence, sizeof(ret->evidence), fmt, ap);
        va_end(ap);
}

/* The string section of a BTF blob, NULL when the blob is not one of this machine's byte order. */
static const char *btf_strings(const void *data, size_t size, size_t *ret_size)
{
        struct btf_header h;
        const char *strings;

        if (size < sizeof(h))
                return NULL;
        memcpy(&h, data, sizeof(h));
        if (h.magic != BTF_MAGIC || h.version != BTF_VERSION || h.hdr_len < sizeof(h))
                return NULL;
        if (h.hdr_len > size || h.str_off > size - h.hdr_len ||
                h.str_len > size - h.hdr_len - h.str_off)
                return NULL;
        strings = (const char *)data + h.hdr_len + h.str_off;
        /* The section starts with the empty string and ends with the end of one. */
        if (h.str_len == 0 || strings[0] != '\0' || strings[h.str_len - 1] != '\0')
                return NULL;
        *ret_size = h.str_len;
        return strings;
}

Answer btf_has_name(const void *data, size_t size, const char *name)
{
        size_t length, n = strlen(name) + 1;
        const char *strings = btf_strings(data, size, &length), *p, *end;

        if (!strings)
                return ANSWER_UNKNOWN;
        end = strings + length;
        for (p = strings + 1; (p = memmem(p, (size_t)(end - p), name, n)); p++)
                if (p[-1] == '\0')
                        return ANSWER_YES;
        return ANSWER_NO;
}

static void ask_name(const char *data, size_t size, const char *name, ProbeResult *ret)
{
        Answer answer = btf_has_name(data, size, name);

        if (answer == ANSWER_UNKNOWN)
                answer_set(ret, answer, BTF_PATH " is not understood");
        else
                answer_set(ret, answer, "%s is %sin " BTF_PATH, name,
                        answer == ANSWER_YES ? "" : "not ");
}

/* fs_bdev_mark_dead() (fs/super.c, from 6.6 on; its earlier name in 6.5 is not asked for) is what
 * the block layer calls when a disk goes under a filesystem. Its address is taken, so it is never
 * inlined away. */
void probe_btf(ProbeResult *ret_pre_remove, ProbeResult *ret_shutdown)
{
        _cleanup_(freep) char *data = NULL;
        size_t size;
        int r;

        r = read_full_file(BTF_PATH, BTF_BYTES_MAX, &data, &size);
        if (r < 0) {
                answer_set(ret_pre_remove, ANSWER_UNKNOWN, "cannot read " BTF_PATH ": %s",
                        strerror(-r));
                *ret_shutdown = *ret_pre_remove;
                return;
        }
        ask_name(data, size, ENUMERATOR, ret_pre_remove);
        ask_name(data, size, SHUTDOWN, ret_shutdown);
}

/* The sysctl is registered in mm/memory-failure.c, so it is there exactly with
 * CONFIG_MEMORY_FAILURE; mf_dax_kill_procs() needs CONFIG_FS_DAX besides, without which there is no
 * DAX filesystem to remove. Looking the function up in /proc/kallsyms would cost more than the rest
 * of a dry run. */
void probe_memory_failure(ProbeResult *ret)
{
        if (access(EARLY_KILL_PATH, F_OK) >= 0)
                answer_set(ret, ANSWER_YES, EARLY_KILL_PATH " exists");
        else if (errno == ENOENT)
                answer_set(ret, ANSWER_NO,
                        "this kernel was built without CONFIG_MEMORY_FAILURE (no " EARLY_KILL_PATH
                        ")");
        else
                answer_set(ret, ANSWER_UNKNOWN, "cannot look for " EARLY_KILL_PATH);
}

void probe_panic_settings(char *buf, size_t size)
{
        static const char *const names[] = { "hung_task_panic", "softlockup_panic",
                "panic_on_warn" };
        size_t done = 0;

        buf[0] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char value[32];
                int n;

                if (sysfs_read("/proc/sys/kernel", names[i], value, sizeof(value)) < 0)
                        continue;
                if (streq(value, "0"))
                        continue;
                n = snprintf(buf + done, size - done, "%skernel.%s=%s", done > 0 ? ", " : "",
                        names[i], value);
                if (n < 0 || (size_t)n >= size - done)
                        return;
                done += (size_t)n;
        }
}
