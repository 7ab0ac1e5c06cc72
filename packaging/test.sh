#!/usr/bin/env bash
# Set up on the first call, then lint, type-check, check the floors, and run the tests.
# Real cases are tested where FUSIONINIT_REALDATA names their folder. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
. packaging/install.sh
install_fusioninit dev $runtime_libraries xvfb dicom3tools
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy fusioninit
.venv/bin/lint-imports
exec .venv/bin/python -m pytest "$@"
