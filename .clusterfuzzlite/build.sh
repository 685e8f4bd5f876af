#!/bin/bash -eu
# SPDX-License-Identifier: MIT
exec "$SRC/sukat_dtls/fuzz/build.sh"
