"""The first command a user types, and the second time he types it."""

from neurotome.flows import demo


def test_the_same_demo_again_changes_nothing(tmp_path):
    out = tmp_path / "out"
    first = demo(out, shape=(8, 96, 96), seed=1)
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out-data").iterdir()}
    assert demo(out, shape=(8, 96, 96), seed=1) == first
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out-data").iterdir()} == before


def test_another_demo_needs_a_word(tmp_path):
    out = tmp_path / "out"
    demo(out, shape=(8, 96, 96), seed=1)
    other = demo(out, shape=(8, 96, 96), seed=2, overwrite=True)
    assert other["neurons"] > 0
