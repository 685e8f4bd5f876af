#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the fuzzers for OSS-Fuzz and ClusterFuzzLite. They set CC, CFLAGS, CXX, CXXFLAGS,
# LIB_FUZZING_ENGINE and OUT, the folder for the result. By hand, with clang alone:
#   OUT=/tmp/out fuzz/build.sh [TARGET]...     default: all
set -euo pipefail
cd "$(dirname "$0")/.."
: "${OUT:?set it to the folder for the fuzzers}"
export CC=${CC:-clang} CFLAGS=${CFLAGS:--O1 -g -fsanitize=address,fuzzer-no-link}
engine=${LIB_FUZZING_ENGINE:--fsanitize=fuzzer}
work=${WORK:-build}/oss-fuzz
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(basename -s .c -a fuzz/targets/fuzz_*.c | sed 's/^fuzz_//')

# The libraries are copied, too: the machine that runs the fuzzers has none of them.
# shellcheck disable=SC2016 # for the loader
cmake -S . -B "$work" -G Ninja -DSDTLS_FUZZ_ENGINE="$engine" -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_BUILD_RPATH='$ORIGIN/lib' >/dev/null
cmake --build "$work" -j "$(nproc)" --target "${targets[@]/#/fuzz_}" -- --quiet
mkdir -p "$OUT/lib"
for target in "${targets[@]}"; do
    name=fuzz_$target
    cp "$work/bin/$name" "$OUT/"
    ldd "$OUT/$name" | awk '$3 ~ "/lib(ssl|crypto|jansson|pcap|dbus|systemd|z)[.-]" { print $3 }' |
        xargs -r cp -n -t "$OUT/lib"
    awk -v name="$target" 'BEGIN { print "[libfuzzer]\ntimeout = 5" }
        $1 == name { print "max_len = " $2; if (split(substr($3, 2), more, "=")) print more[1] " = " more[2] }' \
        fuzz/limits >"$OUT/$name.options"
    dict=$(fuzz/dict_of "$target")
    [ -z "$dict" ] || cp "$dict" "$OUT/$name.dict"
    [ ! -d "fuzz/corpus/$target" ] || python3 -m zipfile -c "$OUT/${name}_seed_corpus.zip" "fuzz/corpus/$target/"
done
