#!/usr/bin/env bash
# Builds the fuzzers for OSS-Fuzz and ClusterFuzzLite, which say how in the environment: CC, CFLAGS,
# CXX, CXXFLAGS, LIB_FUZZING_ENGINE, and OUT, where everything goes. Plain clang does as well:
#   OUT=/tmp/out fuzz/build.sh [TARGET]...     default: all
set -euo pipefail
cd "$(dirname "$0")/.."
: "${OUT:?where the fuzzers go}"
export CC=${CC:-clang} CFLAGS=${CFLAGS:--O1 -g -fsanitize=address,fuzzer-no-link}
engine=${LIB_FUZZING_ENGINE:--fsanitize=fuzzer}
work=${WORK:-build}/oss-fuzz
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(basename -s .c -a fuzz/targets/fuzz_*.c | sed 's/^fuzz_//')

# Libraries come along: where fuzzers run, none of ours are installed.
# shellcheck disable=SC2016 # the loader's word
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
        $1 == name { print "max_len = " $4; if (split(substr($5, 2), more, "=")) print more[1] " = " more[2] }' \
        fuzz/limits >"$OUT/$name.options"
    dict=$(fuzz/dict_of "$target")
    [ -z "$dict" ] || cp "$dict" "$OUT/$name.dict"
    [ ! -d "fuzz/corpus/$target" ] || python3 -m zipfile -c "$OUT/${name}_seed_corpus.zip" "fuzz/corpus/$target/"
done
