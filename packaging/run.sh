#!/usr/bin/env bash
# Set up on the first call, then do the main job.
#   bash packaging/run.sh            the bundled demo pair
#   bash packaging/run.sh MR US      your own pair (files or DICOM folders)
# With a display it opens the window; without one it writes transform, landmarks, overlay
# pictures and a report into a folder that it names.
set -eu
cd_back=$PWD
absolute() { case $1 in /*) echo "$1" ;; *) echo "$cd_back/$1" ;; esac; }
if [ $# -ne 0 ] && [ $# -ne 2 ]; then
    echo "usage: bash packaging/run.sh [MR US]" >&2
    exit 2
fi
cd "$(dirname "$0")/.."
. packaging/install.sh
install_fusioninit "" $runtime_libraries
out=$(absolute "fusioninit-out-$(date +%Y%m%d-%H%M%S)")
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    if [ $# -eq 2 ]; then
        exec .venv/bin/fusioninit gui --mr "$(absolute "$1")" --us "$(absolute "$2")"
    fi
    exec .venv/bin/fusioninit demo
elif [ $# -eq 2 ]; then
    exec .venv/bin/fusioninit register --mr "$(absolute "$1")" --us "$(absolute "$2")" --out "$out"
else
    exec .venv/bin/fusioninit demo --headless --out "$out"
fi
