import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neurotome.core import FormatError, MissingFileError, ShapeError, Skeleton
from neurotome.io.node_table import node_table_path, read_node_table, write_node_table
from neurotome.io.swc import read_swc, write_swc


def line(count, **features):
    return Skeleton.of(np.arange(-1, count - 1), np.zeros((count, 3)), features=features)


def test_a_table_says_what_it_should(tmp_path):
    features = {
        "zz": np.array([1, 2], np.int32),
        "locked": np.array([True, False]),
        "confidence": np.array([1.0, 0.1]),
        "probability": np.array([np.nan, 0.5]),
        "threshold": np.array([128, 255], np.uint8),
    }
    path = tmp_path / "a.nodes.csv"
    write_node_table(path, line(2, **features))
    assert path.read_text() == "id,threshold,probability,confidence,locked,zz\n1,128,,1.0,true,1\n2,255,0.5,0.1,false,2\n"
    back = read_node_table(path, line(2)).features
    assert back["locked"].tolist() == [True, False] and back["locked"].dtype == bool
    assert back["threshold"].dtype == np.int64 and back["zz"].tolist() == [1, 2]
    assert np.isnan(back["probability"][0]) and back["probability"][1] == 0.5


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.float64, 5, elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_floats_come_back_bit_by_bit(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("t") / "a.nodes.csv"
    write_node_table(path, line(5, scoop_nm=values))
    back = read_node_table(path, line(5)).features["scoop_nm"]
    assert np.array_equal(back.astype(float), values, equal_nan=True)
    write_node_table(path.with_name("b.csv"), line(5, scoop_nm=back))
    assert path.read_bytes() == path.with_name("b.csv").read_bytes()


def test_ids_are_those_of_the_swc_file_beside_it(tmp_path):
    tree = Skeleton([7, 3, 9], [-1, 7, 3], np.zeros((3, 3)), [1, 1, 1], [0, 0, 0], {"locked": np.array([False, True, False])})
    write_swc(tmp_path / "n.swc", tree)
    write_node_table(node_table_path(tmp_path / "n.swc"), tree)
    back = read_node_table(tmp_path / "n.nodes.csv", read_swc(tmp_path / "n.swc").skeleton)
    assert back.ids.tolist() == [1, 2, 3] and back.features["locked"].tolist() == [False, True, False]


def test_lines_may_stand_in_any_order(tmp_path):
    (tmp_path / "a.csv").write_text("id,gap_nm\n3,0.5\n1,2\n2,7\n")
    assert read_node_table(tmp_path / "a.csv", line(3)).features["gap_nm"].tolist() == [2, 7, 0.5]


BAD = [
    ("", r"begins with the columns \(none\). Expected: id and one name per feature"),
    ("node,a\n1,2\n", "begins with the columns node, a"),
    ("id,a,a\n1,2,3\n2,2,3\n", "begins with the columns id, a, a"),
    ("id,a\n1,2\n2\n", "line 3 has 1 values. Expected: 2"),
    ("id,a\n1,2\n5,2\n", "line 3 names node 5 that the skeleton does not have"),
    ("id,a\n1,2\n1,2\n", "line 3 names node 1 for the second time"),
    ("id,a\n1,2\n", r"has 1 nodes, and not node 2. Expected: the 2 of the SWC file.*remove it"),
    ("id,a\n1,2\n2,two\n", "line 3 says a 'two'. Expected: a number, or true or false"),
    ("id,a\n1,true\n2,1\n", "line 2 says a 'true'"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=range(len(BAD)))
def test_bad_tables_are_refused_with_the_line(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_node_table(tmp_path / "a.csv", line(2))


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(ShapeError, match=r"'way' has shape \(2, 3\). Expected: one value per node"):
        write_node_table(tmp_path / "a.csv", line(2, way=np.zeros((2, 3))))
    with pytest.raises(FormatError, match="'what' has type <U1"):
        write_node_table(tmp_path / "a.csv", line(2, what=np.array(["a", "b"])))
    assert not list(tmp_path.iterdir())
    with pytest.raises(MissingFileError):
        read_node_table(tmp_path / "a.csv", line(2))
