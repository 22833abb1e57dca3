/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mountinfo of any process: complete or refused, and parents come first. */

#include "fuzz.h"
#include "sys/mounts-internal.h"

static size_t find(const MountList *l, uint64_t id)
{
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].id == id)
                        return i;
        return l->n;
}

static bool ids_are_unique(const MountList *l)
{
        for (size_t i = 0; i < l->n; i++)
                if (find(l, l->items[i].id) != i)
                        return false;
        return true;
}

/* Follows the parents up; false for a ring, which no kernel shows. */
static bool has_root(const MountList *l, size_t i)
{
        for (size_t steps = 0; steps <= l->n; steps++) {
                size_t parent = find(l, l->items[i].parent_id);

                if (parent == l->n || parent == i)
                        return true;
                i = parent;
        }
        return false;
}

static void check_order(const MountList *l)
{
        for (size_t i = 0; i < l->n; i++) {
                size_t parent = find(l, l->items[i].parent_id);

                if (parent < l->n && parent != i && has_root(l, i))
                        fuzz_assert(parent < i);
        }
}

/* Lines of the kernel's, which none may get lost of. */
static size_t count_lines(const char *text)
{
        size_t n = 0;

        for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
                n += text[strspn(text, " \t")] != '\n' && text[strspn(text, " \t")] != '\0' &&
                     text[strspn(text, " \t")] != '#';
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(mount_list_done) MountList l = { 0 };
        _cleanup_(freep) char *text = fuzz_text(data, size);
        FILE *f = fmemopen(text, strlen(text) + 1, "re");
        int r;

        fuzz_assert(f);
        r = mounts_read_text(f, 1, 1, &l);
        (void)fclose(f);
        fuzz_assert(r == 0 || l.n == 0);
        if (r == 0)
                fuzz_assert(l.n <= count_lines(text));
        for (size_t i = 0; i < l.n; i++) {
                const Mount *m = l.items + i;

                fuzz_assert(m->root && m->target && m->fstype && m->source);
                fuzz_assert(m->vfs_options && m->fs_options && m->propagation);
        }
        if (l.n < 200 && ids_are_unique(&l))
                check_order(&l);
        return 0;
}
