"""The house itself: what a reader may rely on in every room."""

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import neurotome

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "neurotome"
ROOMS = sorted(p.parent.name for p in SOURCE.glob("*/__init__.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_its_card(room):
    text = importlib.import_module(f"neurotome.{room}").__doc__ or ""
    assert text.startswith(f"{room}: ")
    for line in ("Question:", "May import:", "Read first:"):
        assert line in text


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_exist_and_are_sorted_out(room):
    module = importlib.import_module(f"neurotome.{room}")
    names = getattr(module, "__all__", [])
    assert len(names) == len(set(names))
    for name in names:
        assert hasattr(module, name), name
        assert getattr(module, name).__doc__ or not callable(getattr(module, name)), name


def test_every_module_imports_and_says_what_it_is():
    for info in pkgutil.walk_packages(neurotome.__path__, "neurotome."):
        if not info.name.endswith("__main__"):
            assert importlib.import_module(info.name).__doc__, info.name


def test_no_drawers():
    drawers = {"utils", "helpers", "misc", "common", "base"}
    assert not [p for p in SOURCE.rglob("*.py") if p.stem in drawers]


def test_tests_mirror_the_source():
    """A test file named after no module, or in no room, is lost."""
    for test in ROOT.joinpath("tests").glob("*/test_*.py"):
        room = test.parent.name
        assert room in {*ROOMS, "architecture", "conformance", "docs"}, test


def test_start_up_is_quick_because_heavy_parts_wait():
    code = (
        "import sys, neurotome.cli.main; print([m for m in ('torch', 'lightning', 'neuroglancer', 'plotly') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_nothing_speaks_of_this_machine():
    place = re.compile(r"/(work|home|root)/\w")
    for path in (
        *SOURCE.rglob("*.py"),
        *ROOT.glob("*.md"),
        *ROOT.joinpath("docs").rglob("*.md"),
        *ROOT.joinpath("recipes").iterdir(),
    ):
        assert not place.search(path.read_text()), path
