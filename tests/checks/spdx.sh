#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every file says its licence in its first lines, and no file says more than that.
# shellcheck source=tests/checks/common.sh
. "$(dirname "$0")/common.sh"

# An unpacked tarball holds generated files too; which are ours, git knows.
[ -e "$top_srcdir/.git" ] || exit 77

licence='SPDX-License-Identifier: LGPL-2.1-or-later'

# Texts for people and test data have no place for it.
tree_files '*' | grep -vE '^COPYING$|^NEWS$|^\.(editorconfig|gitignore)$|\.md$|^tests/.*\.(case|expected|umockdev|dict)$|^tests/(corpus|golden)/' \
        >"$tmp/files" || true

while read -r file; do
        path=$top_srcdir/$file
        if [ ! -s "$path" ] || [ -L "$path" ]; then
                continue
        fi
        # Data of a kind that file names by its bytes.
        grep -qI . "$path" || continue
        head -n 3 "$path" | grep -qF "$licence" ||
                fail "$file: its first lines lack \"$licence\""
        case $file in
        *.c | *.h)
                head -n 1 "$path" | grep -qxF "/* $licence */" ||
                        fail "$file: the first line must be \"/* $licence */\""
                ;;
        esac
        grep -qiE 'copyright \(c\)|all rights reserved|without even the implied warranty' "$path" &&
                [ "$file" != tests/checks/spdx.sh ] &&
                fail "$file: remove the licence block; the SPDX line says it all"
done <"$tmp/files"
finish
