"""Neurons like one of a table, or like one from a file."""

import pandas as pd
import pytest

from neurotome.core import InputError, MissingFileError, UnknownNameError
from neurotome.flows.shapes import search_shapes


def test_a_neuron_of_the_table_and_its_file_have_the_same_neighbours(embedded, neuron_files):
    out, _, _ = embedded
    rows = search_shapes(out, "granule-0002", top=4)
    assert [row["rank"] for row in rows] == [1, 2, 3, 4] and "granule-0002" not in [row["neuron"] for row in rows]
    assert [row["cell_type"] for row in rows if row["neuron"] != "pieces"] == [
        row["neuron"].split("-")[0] for row in rows if row["neuron"] != "pieces"
    ]
    assert rows[0]["distance"] <= rows[1]["distance"]
    listed = pd.read_csv(out / "neighbours.csv").query("neuron == 'granule-0002' and rank <= 4")
    assert listed["neighbour"].tolist() == [row["neuron"] for row in rows]
    assert listed["distance"].tolist() == pytest.approx([row["distance"] for row in rows], rel=1e-4)
    of_file = search_shapes(out, str(neuron_files / "granule-0002.swc"), top=5)
    assert of_file[0]["neuron"] == "granule-0002" and of_file[0]["distance"] == pytest.approx(0, abs=1e-4)
    assert [row["neuron"] for row in of_file[1:]] == [row["neuron"] for row in rows]


def test_what_cannot_be_searched(embedded, neuron_files, tmp_path):
    out, _, _ = embedded
    with pytest.raises(UnknownNameError, match="granule-002"):
        search_shapes(out, "granule-002")
    with pytest.raises(InputError, match="--top 16 of 15"):
        search_shapes(out, "granule-0002", top=16)
    with pytest.raises(InputError, match="--top 0"):
        search_shapes(out, "granule-0002", top=0)
    with pytest.raises(InputError, match="holds 17 neurons"):
        search_shapes(out, str(neuron_files))
    with pytest.raises(MissingFileError):
        search_shapes(tmp_path, "granule-0002")
