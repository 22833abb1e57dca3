/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NAME KEY..., one line per check that can be overridden: what overrides.sh compares the
 * documentation with. */

#include <stdio.h>

#include "policy-overrides.h"

int main(void)
{
        for (Override o = 0; o < _OVERRIDE_MAX; o++)
                (void)printf("%s %s\n", override_info(o)->name, override_info(o)->silences);
        return 0;
}
