# Sourced by run.sh and test.sh: makes .venv with exact versions, and the system libraries that
# Qt and OpenGL need. Does nothing when all is in place already.
# usage: . packaging/install.sh EXTRA PACKAGE...   (EXTRA: "" or the name of a pyproject extra)

install_fusioninit() {
    local extra=$1 stamp want missing package
    shift
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    if [ -n "$missing" ] && command -v apt-get >/dev/null; then
        if [ "$(id -u)" = 0 ]; then
            echo "Installing system libraries:$missing" >&2
            apt-get update -qq >/dev/null || true
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null \
                || { echo "Could not install:$missing" >&2; return 1; }
        else
            echo "Missing system libraries; please run: sudo apt-get install$missing" >&2
        fi
    fi

    want=$(cat pyproject.toml packaging/constraints.txt | sha256sum | cut -d' ' -f1)
    stamp=.venv/.installed${extra:+-$extra}
    [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return 0
    [ -x .venv/bin/python ] || python3 -m venv .venv \
        || { echo "python3 cannot make .venv; on Debian or Ubuntu: sudo apt-get install python3-venv" >&2; return 1; }
    echo "Installing fusioninit into .venv (a few minutes, once)" >&2
    # torch first and by its exact version, so that nothing asks for another build of it
    .venv/bin/pip install -q --disable-pip-version-check torch==2.13.0 -c packaging/constraints.txt || return 1
    .venv/bin/pip install -q --disable-pip-version-check -c packaging/constraints.txt -e ".${extra:+[$extra]}" || return 1
    echo "$want" >"$stamp"
}

runtime_libraries="libegl1 libgl1 libopengl0 libglx-mesa0 libgl1-mesa-dri libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-image0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-randr0 libdbus-1-3 libfontconfig1 fonts-dejavu-core"
