#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# For scripts that take packages from this machine's archives without touching the machine: sourced.

# shellcheck disable=SC2034 # for who sources it
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The archives that this machine already uses, told by apt itself: "Debian" or "Debian-Security".
archive() {
    # shellcheck disable=SC2016  # apt expands these
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        awk -v label="$1" '$1 == label { print $2; exit }'
}

# with_private_state APT-PROGRAM DIR ARGUMENT...: it neither sees nor changes the machine's.
with_private_state() {
    local program=$1 dir=$2
    shift 2
    "$program" -q -o Dir::State="$dir/state" -o Dir::State::status="$dir/status" \
        -o Dir::Cache="$dir/cache" -o Dir::Etc::sourcelist="$dir/sources.list" \
        -o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts=- -o APT::Sandbox::User=root \
        -o Acquire::Retries=3 -o Acquire::http::Timeout=30 -o Acquire::Languages=none "$@"
}

private_apt() {
    with_private_state apt-get "$@"
}

private_state() {
    mkdir -p "$1"/{state/lists/partial,cache/archives/partial}
    : >"$1/status"
}
