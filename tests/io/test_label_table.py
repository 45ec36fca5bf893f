import pytest

from neurotome.core import FormatError, InputError, MissingFileError, UnknownNameError
from neurotome.io.label_table import labels_for, read_label_table, read_soma_table


def written(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    return tmp_path / "t.csv"


def test_ids_stay_text_and_other_columns_keep_their_type(tmp_path):
    table = read_label_table(written(tmp_path, "cell_type,name,n\nTm3,007,4\nT4,864691135581551213,5\nC2,a.swc,6\n"))
    assert list(table.index) == ["007", "864691135581551213", "a"]
    assert table["n"].tolist() == [4, 5, 6]
    assert labels_for(["a", "007"], table, columns=["cell_type"])["cell_type"].tolist() == ["C2", "Tm3"]


def test_the_id_column_is_found_by_name_or_given(tmp_path):
    path = written(tmp_path, "name,neuron_id\nx,1\n")
    assert list(read_label_table(path).index) == ["1"]
    assert list(read_label_table(path, "name").index) == ["x"]
    with pytest.raises(UnknownNameError, match="one of name, neuron_id"):
        read_label_table(path, "nom")
    with pytest.raises(FormatError, match="columns a, b"):
        read_label_table(written(tmp_path, "a,b\n1,2\n"))


def test_missing_labels_columns_and_repeated_rows_are_listed(tmp_path):
    table = read_label_table(written(tmp_path, "name,layer\na,L4\nb,L5\n"))
    with pytest.raises(InputError, match="2 of 3 neurons have no labels: c, d"):
        labels_for(["a", "c", "d"], table)
    with pytest.raises(UnknownNameError, match="layer"):
        labels_for(["a"], table, columns=["cell_type"])
    with pytest.raises(InputError, match="two rows for a"):
        read_label_table(written(tmp_path, "name,layer\na,L4\na,L5\n"))
    with pytest.raises(FormatError, match="line 3 has no name"):
        read_label_table(written(tmp_path, "name,layer\na,L4\n,L5\n"))
    with pytest.raises(FormatError, match="no table"):
        read_label_table(written(tmp_path, ""))
    with pytest.raises(MissingFileError):
        read_label_table(tmp_path / "none.csv")


def test_somata(tmp_path):
    path = written(tmp_path, "neuron_id,soma_z,soma_y,soma_x\na,1,2,3\nb,,,\n")
    assert read_soma_table(path) == {"a": (1.0, 2.0, 3.0)}
    with pytest.raises(UnknownNameError, match="soma_z"):
        read_soma_table(written(tmp_path, "neuron_id,z,y,x\na,1,2,3\n"))
    with pytest.raises(FormatError, match="less than three coordinates for a"):
        read_soma_table(written(tmp_path, "neuron_id,soma_z,soma_y,soma_x\na,1,,3\n"))
    with pytest.raises(FormatError, match="no number"):
        read_soma_table(written(tmp_path, "neuron_id,soma_z,soma_y,soma_x\na,1,here,3\n"))
