# SPDX-License-Identifier: Apache-2.0
# Builds the converter from one file of the library and ours.
set -eu
here=$(dirname "$0")
$CC $CFLAGS -w -D_GNU_SOURCE -I"$SRC/include" -I"$SRC/src" "$SRC/src/idna.c" "$here/toascii.c" -o "$OUT/toascii"
