"""The public names, and how little ``import offhand`` costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import offhand

HEAVY = ("numpy", "pandas", "scipy", "sklearn", "cv2", "av", "pyarrow", "pydantic", "ruptures")


@pytest.mark.parametrize("name", offhand.__all__)
def test_every_public_name_resolves(name: str) -> None:
    found = getattr(offhand, name)
    assert callable(found)
    assert found.__doc__


def test_the_list_of_names() -> None:
    assert list(offhand.__all__) == sorted(offhand.__all__, key=lambda n: (n.islower(), n))
    assert set(dir(offhand)) == set(offhand.__all__)
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = offhand.nothing_here


@pytest.mark.parametrize("statement", ["import offhand", "from offhand import OffhandError"])
def test_importing_it_loads_nothing_heavy(statement: str) -> None:
    code = f"import sys\n{statement}\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
