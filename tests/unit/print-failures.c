/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NAME BUS-NAME EXIT-CODE RESULT, one line per kind: what failures.sh compares the documentation
 * with. */

#include "failure.h"

int main(void)
{
        for (FailureKind kind = FAILURE_NONE + 1; kind < _FAILURE_MAX; kind++) {
                const FailureInfo *info = failure_info(kind);

                (void)printf("%s %s %d %s\n", info->name, info->bus_name, info->exit_code,
                        failure_result(kind));
        }
        return 0;
}
