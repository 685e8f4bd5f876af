#!/bin/bash -eu
exec "$SRC/sukat_dtls/fuzz/build.sh"
