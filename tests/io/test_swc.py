import logging
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurotome.core import FormatError, InputError, MissingFileError, NeurotomeError, Skeleton, UnitError, UnknownNameError
from neurotome.datasets import data_root
from neurotome.io.swc import read_swc, write_swc
from neurotome.io.swc_table import read_table

SOUND = ("1 1 0 0 0 4 -1", "2 3 3 4 0 1 1", "3 3 3 4 12 0 2")


def saved(folder: Path, *lines: str) -> Path:
    (folder / "a.swc").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "a.swc"


def links(path: Path, **options: object) -> dict[int, int]:
    """Parent by id."""
    found = read_swc(path, unit="um", **options).skeleton  # type: ignore[arg-type]
    return dict(zip(found.ids.tolist(), found.parents.tolist(), strict=True))


def test_columns_units_and_order_of_axes(tmp_path: Path) -> None:
    found = read_swc(saved(tmp_path, "# by hand", *SOUND), unit="um")
    assert found.skeleton.points_nm.tolist() == [[0, 0, 0], [0, 4000, 3000], [12000, 4000, 3000]]
    assert found.skeleton.radii_nm.tolist() == [4000, 1000, 0]
    assert found.skeleton.kinds.tolist() == [1, 3, 3]
    assert found.skeleton.length_nm == 17_000
    assert (found.header, found.unit, found.repairs, found.skeleton.name) == (("by hand",), "um", (), "a")


def test_voxels_are_scaled_along_each_axis_and_radii_in_the_plane(tmp_path: Path) -> None:
    found = read_swc(saved(tmp_path, *SOUND), unit="voxel", voxel_nm=(30, 4, 9)).skeleton
    assert found.points_nm.tolist() == [[0, 0, 0], [0, 16, 27], [360, 16, 27]]
    assert found.radii_nm.tolist() == [24, 6, 0]


def test_the_header_may_state_unit_and_voxel_size(tmp_path: Path) -> None:
    assert read_swc(saved(tmp_path, "# unit: nm", *SOUND)).skeleton.length_nm == 17
    found = read_swc(saved(tmp_path, "# unit: voxel", "# voxel_nm: 30, 4, 4", *SOUND))
    assert found.skeleton.points_nm[2].tolist() == [360, 16, 12]
    assert read_swc(saved(tmp_path, "# Unit: micrometers", *SOUND)).unit == "um"
    assert read_swc(saved(tmp_path, "# Coordinates in nm.", *SOUND)).skeleton.length_nm == 17
    assert read_swc(saved(tmp_path, "# unit: of memory", *SOUND), unit="nm").unit == "nm"
    path = saved(tmp_path, "# unit: voxel", *SOUND)
    assert read_swc(path, voxel_nm=(1, 1, 1)).skeleton.length_nm == 17
    with pytest.raises(UnitError, match=r"voxels of unknown size.*--voxel-nm"):
        read_swc(path)


def test_a_unit_is_never_guessed(tmp_path: Path) -> None:
    path = saved(tmp_path, *SOUND)
    with pytest.raises(UnitError, match=r"does not state its unit.*--unit"):
        read_swc(path)
    with pytest.raises(UnitError, match=r"does not state its unit.*--unit"):
        read_swc(path, voxel_nm=(1, 1, 1))
    with pytest.raises(UnitError, match=r"in voxels of unknown size"):
        read_swc(path, unit="voxel")
    with pytest.raises(UnknownNameError, match="did you mean 'um'"):
        read_swc(path, unit="mum")
    with pytest.raises(UnitError, match=r"is in nm, --unit um"):
        read_swc(saved(tmp_path, "# unit: nm", *SOUND), unit="um")
    with pytest.raises(FormatError, match=r"voxel_nm: 3 3"):
        read_swc(saved(tmp_path, "# unit: voxel", "# voxel_nm: 3 3", *SOUND))
    with pytest.raises(NeurotomeError):
        read_swc(path, unit="voxel", voxel_nm=(0, 1, 1))


def test_missing_files_and_folders(tmp_path: Path) -> None:
    saved(tmp_path, *SOUND)
    with pytest.raises(MissingFileError, match=r"closest name is '.*a\.swc'"):
        read_swc(tmp_path / "b.swc", unit="um")
    with pytest.raises(FormatError, match="cannot be read"):
        read_swc(tmp_path, unit="um")


@pytest.mark.parametrize(
    ("lines", "expected", "note"),
    [
        (("5 0 0 0 0 1 9", "6 0 1 0 0 1 5"), {5: -1, 6: 5}, "node without its parent made a root: line 1 (id 5)"),
        (("1 0 0 0 0 1 -1", "2 0 1 0 0 -3 1"), {1: -1, 2: 1}, "negative radius set to 0: line 2 (id 2)"),
        (("1 0 0 0 0 1 -1", "2 0 1 0 0 nan 1"), {1: -1, 2: 1}, "radius that is not finite set to 0: line 2 (id 2)"),
        (("# x", "", "1 0 0 0 0 1 -1", "1 0 0 0 0 1 -1"), {1: -1}, "identical line dropped: line 4 (id 1)"),
        (("3 0 0 0 0 1 4", "4 0 0 0 1 1 3"), {3: -1, 4: 3}, "cycle cut, its lowest id made a root: line 1 (id 3)"),
        (("1 0 0 0 0 1 -1", "2 0 nan 0 0 1 1", "3 0 1 0 0 1 2"), {1: -1, 3: 1}, "node without place removed: line 2 (id 2)"),
        (("1 0 inf 0 0 1 -1", "2 0 0 0 0 1 1", "3 0 1 0 0 1 1"), {2: -1, 3: -1}, "node without place removed: line 1 (id 1)"),
        (("1 2.5 0 0 0 1 -1",), {1: -1}, "type that is no whole number set to 0: line 1 (id 1)"),
        (("1 0 0 0 0 -1", "2 0 1 0 0 1"), {1: -1, 2: 1}, "missing radius column set to 0: line 1 and all others"),
        (("n,type,x,y,z,r,parent", "1,0,0,0,0,1,-1"), {1: -1}, "names of columns skipped: line 1"),
    ],
)  # fmt: skip
def test_each_repair_is_said_and_logged(
    tmp_path: Path, lines: tuple[str, ...], expected: dict[int, int], note: str, log: pytest.LogCaptureFixture
) -> None:
    path = saved(tmp_path, *lines)
    found = read_swc(path, unit="um")
    assert links(path) == expected
    assert found.repairs == (note,)
    assert [(r.levelno, r.getMessage()) for r in log.records[:1]] == [(logging.WARNING, f"'{path}': {note}")]
    with pytest.raises(FormatError, match=r"line \d"):
        read_swc(path, unit="um", repair=False)


def test_a_repeated_id_belongs_to_the_children_after_it(tmp_path: Path) -> None:
    """Two files in one, each numbered from 1; the third child refers to an id further down."""
    lines = (
        "1 0 0 0 0 1 -1",
        "2 0 1 0 0 1 1",
        "1 0 9 0 0 1 -1",
        "2 0 9 1 0 1 1",
        "3 0 9 2 0 1 2",
        "4 0 9 9 9 1 7",
        "7 0 0 0 0 1 2",
    )
    path = saved(tmp_path, *lines)
    assert links(path) == {1: -1, 2: 1, 8: -1, 9: 8, 3: 9, 7: 9, 4: 7}
    assert read_swc(path, unit="um").repairs == ("repeated id replaced by those after 7: line 3 (id 1), line 4 (id 2)",)


def test_a_node_whose_whole_ancestry_has_no_place_becomes_a_root(tmp_path: Path) -> None:
    lines = ("4 0 1 1 1 1 3", "3 0 nan 0 0 1 2", "2 0 nan 0 0 1 1", "1 0 nan 0 0 1 -1", "5 0 2 2 2 1 4")
    assert links(saved(tmp_path, *lines)) == {4: -1, 5: 4}


def test_many_places_are_counted_not_listed(tmp_path: Path) -> None:
    path = saved(tmp_path, *[f"{i} 0 {i} 0 0 -1 {i - 1 or -1}" for i in range(1, 101)])
    (note,) = read_swc(path, unit="um").repairs
    assert note.endswith("line 20 (id 20) and 80 more")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), r"holds no node"),
        (("# nothing",), r"holds no node"),
        (("1 0 0 0 0 1 -1", "2 0 0 0"), r"line 2 has 4 values"),
        (("1 0 0 0 0 1 -1", "", "2 0 zero 0 0 1 1"), r"line 3 has 'zero' where a number should be"),
        (("1 0 0 0 0 1 -1", "2 0 0 0 0 1"), r"line 2 has 6 values, the lines before have 7"),
        (("1.5 0 0 0 0 1 -1",), r"line 1: id 1\.5 is no whole number"),
        (("-2 0 0 0 0 1 -1",), r"line 1: id -2 is no whole number of 0 and more"),
        (("1 0 0 0 0 1 0.5",), r"line 1: parent 0\.5 is no whole number"),
        (("1 0 nan 0 0 1 -1",), r"no node has finite coordinates"),
        (("1 0 2e12 0 0 1 -1",), r"line 1: a number above 1e\+12 \(2e\+12\)"),
        (("1;0;3,5;0;0;1;-1",), r"line 1 has '3,5' where a number should be.*decimal points"),
        (("1 0 3,5 0 0 1 -1",), r"line 1 has 2 values"),
    ],
)  # fmt: skip
def test_what_nobody_can_repair_is_refused_with_its_line(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_swc(saved(tmp_path, *lines), unit="um")


def test_extra_columns_are_left_out_and_other_roots_kept(tmp_path: Path) -> None:
    path = saved(tmp_path, "0 1 0 0 0 1 0 7 7", "9 274 1 0 0 0 0 axon", "4 2.0 5 5 5 1 -1")
    assert links(path, repair=False) == {0: -1, 9: 0, 4: -1}
    assert read_swc(path, unit="um").skeleton.kinds.tolist() == [1, 274, 2]


@pytest.mark.parametrize("separator", [" ", "\t", ",", ", ", ";", "  \t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\v"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_any_separator_line_end_and_encoding(tmp_path: Path, separator: str, line_end: str, encoding: str) -> None:
    lines = ["# µm; a, b", *(line.replace(" ", separator) for line in SOUND)]
    (tmp_path / "b.swc").write_bytes((line_end.join(lines) + line_end).encode(encoding))
    found = read_swc(tmp_path / "b.swc", unit="um", repair=False)
    assert np.array_equal(found.skeleton.points_nm, read_swc(saved(tmp_path, *SOUND), unit="um").skeleton.points_nm)
    assert found.header == ("µm; a, b",)


def test_what_is_written(tmp_path: Path) -> None:
    tree = Skeleton.of(
        parents=[1, -1, 1, -1],
        points_nm=[[1, 2, 3.4], [0, 0, -0.4], [-5, 1e9, 2.6], [7, 7, 7]],
        radii_nm=[0, 1, 1234.5678, 2],
        kinds=[3, 1, 274, 0],
    )
    write_swc(tmp_path / "a.swc", tree, header=("made by hand", "unit: nm", "", "threshold: 128"))
    assert (tmp_path / "a.swc").read_bytes().decode().split("\n") == [
        "# unit: um", "# made by hand", "#", "# threshold: 128",
        "1 1 0.000 0.000 0.000 0.001 -1", "2 3 0.003 0.002 0.001 0.000 1", "3 274 0.003 1000000.000 -0.005 1.235 1",
        "4 0 0.007 0.007 0.007 0.002 -1", "",
    ]  # fmt: skip
    again = read_swc(tmp_path / "a.swc", repair=False)
    assert again.header == ("unit: um", "made by hand", "", "threshold: 128")
    write_swc(tmp_path / "b.swc", again.skeleton, header=again.header)
    assert (tmp_path / "b.swc").read_bytes() == (tmp_path / "a.swc").read_bytes()


def test_writing_refuses_what_could_not_be_read(tmp_path: Path) -> None:
    tree = Skeleton.of([-1], [[0, 0, 0]])
    with pytest.raises(InputError, match="no node"):
        write_swc(tmp_path / "a.swc", tree.take(np.array([], np.int64)))
    with pytest.raises(InputError, match="line end"):
        write_swc(tmp_path / "a.swc", tree, header=["a\nb"])
    assert list(tmp_path.iterdir()) == []


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[tuple[int, ...]], list[int]]:
    """Rows (id, type, x, y, z, radius, parent) of a forest with any ids in any order, coordinates in tenths."""
    n = draw(st.integers(1, 20))
    ids = draw(st.lists(st.integers(0, 10**9), min_size=n, max_size=n, unique=True))
    rows = []
    for i in range(n):
        above = draw(st.integers(-1, i - 1))
        place = [draw(st.integers(-(10**6), 10**6)) for _ in range(3)]
        rows.append((ids[i], draw(st.integers(-1, 300)), *place, draw(st.integers(0, 99)), ids[above] if above >= 0 else -1))
    return rows, draw(st.permutations(range(n)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees())
def test_any_order_of_lines_gives_the_same_trees(tmp_path: Path, case: tuple[list[tuple[int, ...]], list[int]]) -> None:
    rows, order = case
    lines = [f"{i} {k} {x / 10} {y / 10} {z / 10} {r / 10} {p}" for i, k, x, y, z, r, p in rows]
    found = read_swc(saved(tmp_path, *[lines[i] for i in order]), unit="um", repair=False).skeleton
    assert dict(zip(found.ids.tolist(), found.parents.tolist(), strict=True)) == {row[0]: row[6] for row in rows}
    by_id = {row[0]: row for row in rows}
    for node, kind, point, radius in zip(found.ids, found.kinds, found.points_nm, found.radii_nm, strict=True):
        _, k, x, y, z, r, _ = by_id[int(node)]
        assert kind == k
        assert np.allclose([*point, radius], [z * 100, y * 100, x * 100, r * 100])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.sampled_from(["0", "1", "2", "3", "-1", "nan", "1e9", "4.5", ",", ";", "#", "x", "\t"]), max_size=9),
        max_size=6,
    )
)
def test_no_text_raises_anything_but_a_neurotome_error(tmp_path: Path, tokens: list[list[str]]) -> None:
    path = saved(tmp_path, *[" ".join(line) for line in tokens])
    try:
        read_swc(path, unit="um")
    except NeurotomeError as error:
        assert str(path) in str(error)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(-2, 9), st.sampled_from(["0", "1", "nan", "-1"])), min_size=1, max_size=12)
)
def test_any_numbers_become_trees(tmp_path: Path, rows: list[tuple[int, int, str]]) -> None:
    """Whatever the ids, parents and holes are, each node of the result is one of the file, and no note means nothing changed."""
    path = saved(tmp_path, *[f"{i} 0 {x} {n} 0 1 {p}" for n, (i, p, x) in enumerate(rows)])
    try:
        found = read_swc(path, unit="um")
    except FormatError:
        assert all(x == "nan" for _, _, x in rows)
        return
    assert sorted(found.skeleton.points_nm[:, 1] / 1000) == [n for n, row in enumerate(rows) if row[2] != "nan"]
    if not found.repairs:
        assert links(path) == {i: (p if p != i else -1) for i, p, _ in rows}


def test_many_blank_lines_and_odd_characters_in_comments_are_no_burden(tmp_path: Path) -> None:
    (tmp_path / "b.swc").write_bytes(b"# a\x85b\x1cc \n" + b" \n\n" * 200_000 + "\n".join(SOUND).encode())
    found = read_swc(tmp_path / "b.swc", unit="um", repair=False)
    write_swc(tmp_path / "c.swc", found.skeleton, header=found.header)
    assert read_swc(tmp_path / "c.swc").header == ("unit: um", "a\x85b\x1cc")


def test_both_parsers_agree(tmp_path: Path) -> None:
    lines = [f"{i} 3 {i / 7!r} {i * 1e-9!r} {-i * 1e5!r} 0.1 {i - 1 or -1}" for i in range(1, 200)]
    at_once = read_table(saved(tmp_path, "# a", *lines)).values
    one_by_one = read_table(saved(tmp_path, "# a", *lines[:-1], lines[-1].replace(" ", ";"))).values
    assert np.array_equal(at_once, one_by_one)


def test_a_million_nodes_in_seconds(tmp_path: Path) -> None:
    n = 1_000_000
    rng = np.random.default_rng(0)
    above = np.maximum(rng.integers(1, 50, n), np.arange(n) - 49)
    parents = np.where(np.arange(n) == 0, -1, np.minimum(above, np.arange(n) - 1))
    tree = Skeleton.of(parents, rng.random((n, 3)) * 1e6)
    write_swc(tmp_path / "a.swc", tree)
    start = time.perf_counter()
    found = read_swc(tmp_path / "a.swc", repair=False).skeleton
    assert time.perf_counter() - start < 20  # 3 s on one core that does nothing else
    assert np.array_equal(found.parent_rows, tree.parent_rows)
    assert np.abs(found.points_nm - tree.points_nm).max() <= 0.5 + 1e-6


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "nodes", "late", "length", "tips", "bifurcations", "first_id"),
    [("fly_neuron", 1679, 1649, 1576.034, 24, 23, 0), ("fly_neuron_small", 354, 0, 372.500, 5, 4, 1)],
)
def test_reference_tracings(name: str, nodes: int, late: int, length: float, tips: int, bifurcations: int, first_id: int) -> None:
    path = Path(data_root()) / "tracing" / f"{name}.swc"
    if not path.is_file():
        pytest.skip("real data is not on this machine: set NEUROTOME_DATA")
    found = read_swc(path, unit="voxel", voxel_nm=(1, 1, 1), repair=False).skeleton
    table = read_table(path).values
    place = {node: row for row, node in enumerate(table[:, 0])}
    assert sum(place[parent] > row for row, parent in enumerate(table[:, 6]) if parent >= 0) == late
    assert (len(found), len(found.roots), int(found.ids.min())) == (nodes, 1, first_id)
    assert found.length_nm == pytest.approx(length, abs=5e-4)
    assert (int((found.children == 0).sum()), int((found.children >= 2).sum())) == (tips, bifurcations)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("archive", "files", "nodes", "repaired"),
    [
        ("swc/fly_medulla.zip", 379, 699_712, {}),
        ("swc/rat_cortex.zip", 200, 1_643_862, {"C031097B-I4.CNG.swc": ("negative radius set to 0",)}),
        ("bigneuron/gold_and_rivals.zip", 297, 659_974, {}),
    ],
)
def test_real_archives(tmp_path: Path, archive: str, files: int, nodes: int, repaired: dict[str, tuple[str, ...]]) -> None:
    path = Path(data_root()) / archive
    if not path.is_file():
        pytest.skip("real data is not on this machine: set NEUROTOME_DATA")
    count, total, repairs = 0, 0, {}
    with zipfile.ZipFile(path) as stored:
        for name in (name for name in stored.namelist() if name.endswith(".swc")):
            (tmp_path / "a.swc").write_bytes(stored.read(name))
            found = read_swc(tmp_path / "a.swc", unit="um")
            count, total = count + 1, total + len(found.skeleton)
            if found.repairs:
                repairs[name] = tuple(note.split(":")[0] for note in found.repairs)
    assert (count, total, repairs) == (files, nodes, repaired)
