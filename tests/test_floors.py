"""What importing must not bring along; the floors themselves are checked by import-linter."""

import subprocess
import sys

import pytest


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import fusioninit", {"torch", "PySide6", "SimpleITK", "scipy", "vtkmodules"}),
        ("import fusioninit.state", {"torch", "PySide6", "SimpleITK", "vtkmodules"}),
        ("import fusioninit.session", {"torch", "PySide6.QtWidgets", "SimpleITK", "vtkmodules"}),
        ("import fusioninit.gui", {"torch", "SimpleITK", "lightning"}),
        ("import fusioninit.app", {"torch", "SimpleITK", "lightning"}),
        ("import fusioninit.cli.main", {"torch", "PySide6", "SimpleITK"}),
    ],
)
def test_importing_a_floor_leaves_heavy_packages_out(statement, absent):
    assert not absent & modules_after(statement)


def test_the_public_names_are_all_there():
    import fusioninit

    for name in fusioninit.__all__:
        assert getattr(fusioninit, name) is not None
