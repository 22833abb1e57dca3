# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A case: the rows of one shape.
# shellcheck source=tests/faults/driver.sh
. /lab/faults/driver.sh
matrix
