/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a caller may name as a target, on a machine with one of everything: found, or refused with a
 * sentence that is fit to be shown. */

#include "fuzz.h"
#include "policy.h"
#include "topology.h"
#include "util/text.h"

static const char machine[] =
        "bus ndbus0 provider=ACPI.NFIT sysfs=/sys/bus/nd/devices/ndbus0\n"
        "dimm nmem0 on=bus:ndbus0\n"
        "region region0 on=bus:ndbus0,dimm:nmem0 size=1073741824 type=pmem\n"
        "namespace namespace0.0 on=region:region0 mode=fsdax device=pfn0.0 driver=nd_pmem\n"
        "block pmem0 on=namespace:namespace0.0 dev=259:0 sysfs=/sys/block/pmem0\n"
        "filesystem pmem0 on=block:pmem0 type=xfs uuid=2222-pmem0 label=data dev=259:0\n"
        "mount 42 on=filesystem:pmem0 id=42 target=/mnt/pmem dev=259:0 root=/ ns=1 ns-pid=1\n"
        "mount 43 on=filesystem:pmem0 id=43 target=\"/mnt/a b\" dev=259:0 root=/ ns=1 ns-pid=1\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size);
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        Failure f = { 0 };
        unsigned line;
        char buf[1400];

        fuzz_assert(graph_parse(machine, &g, &line) == 0);
        if (policy_closure(g, text, &names, &f) < 0) {
                fuzz_assert_failure(&f);
                (void)failure_text(&f, buf, sizeof(buf));
                return 0;
        }
        fuzz_assert(strv_length(names) > 0);
        return 0;
}
