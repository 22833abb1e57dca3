/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Prints what nd_scan() and daxctl_scan() find, for a comparison with an expected text. */

#include <stdio.h>

#include "sys/daxctl.h"
#include "sys/nd.h"

static int scan(Graph *g)
{
        int r;

        r = nd_scan(g);
        return r < 0 ? r : daxctl_scan(g);
}

int main(void)
{
        _cleanup_(graph_freep) Graph *g = graph_new();
        _cleanup_(freep) char *text = NULL;
        int r;

        r = g ? scan(g) : -ENOMEM;
        if (r >= 0)
                r = graph_print(g, &text);
        if (r < 0) {
                (void)fprintf(stderr, "print-graph: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        (void)fputs(text, stdout);
        return EXIT_SUCCESS;
}
