# SPDX-License-Identifier: Apache-2.0
# Builds the extension module as its setup.py would, with the sanitizer's flags.
set -eu
include="-I$SRC/python -I$SRC/lib -I$SRC/deps/double-conversion/double-conversion"
for file in "$SRC"/python/*.c "$SRC"/lib/*.c; do
  $CC $CFLAGS -w -fPIC -D_GNU_SOURCE -I"$PYINC" $include -c "$file" -o "$OUT/$(basename "$file").o"
done
for file in "$SRC"/deps/double-conversion/double-conversion/*.cc "$SRC"/lib/*.cc; do
  $CXX $CFLAGS -w -fPIC -D_GNU_SOURCE $include -c "$file" -o "$OUT/$(basename "$file").o"
done
$CXX $CFLAGS -shared "$OUT"/*.o -o "$OUT/ujson.so"
rm "$OUT"/*.o
