# SPDX-License-Identifier: Apache-2.0
# Builds the driver and Pail's own tests, under the sanitizer.
set -eu
here=$(dirname "$0")
cd "$OUT"
$CC $CFLAGS -w -c "$SRC"/*.c
$CC $CFLAGS -w -I"$SRC" "$here/drive.c" ./*.o -o "$OUT/drive"
$CC $CFLAGS -w "$SRC/tests/check.c" ./*.o -o "$OUT/check"
rm -f ./*.o
