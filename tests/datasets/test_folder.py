from pathlib import Path

import numpy as np
import pytest

from neurotome.core import Grid, Image, MissingFileError, ShapeError, UnknownNameError
from neurotome.datasets import data_root
from neurotome.datasets.folder import cut, is_local, require_files, sections_of
from neurotome.datasets.isbi2012 import FACTS


def test_environment_decides_where_data_live(monkeypatch, tmp_path):
    monkeypatch.setenv("NEUROTOME_DATA", str(tmp_path))
    assert data_root() == tmp_path


def test_without_environment_it_is_beside_the_checkout_or_in_the_cache(monkeypatch):
    monkeypatch.delenv("NEUROTOME_DATA", raising=False)
    checkout = Path(__file__).resolve().parents[2]
    beside = checkout.parent / "shared" / "data"
    assert data_root() == (beside if beside.is_dir() else Path.home() / ".cache" / "neurotome" / "data")


def test_incomplete_data_set_names_what_is_missing_and_how_to_get_it(tmp_path):
    (tmp_path / "isbi2012").mkdir()
    (tmp_path / "isbi2012" / "train-volume.ome.tif").touch()
    assert not is_local(FACTS, tmp_path)
    with pytest.raises(MissingFileError, match=r"no train-labels.ome.tif, test-volume.ome.tif.*neurotome data fetch isbi2012"):
        require_files(FACTS, tmp_path)
    for name in FACTS.files:
        (tmp_path / "isbi2012" / name).touch()
    assert is_local(FACTS, tmp_path)
    assert require_files(FACTS, tmp_path) == tmp_path / "isbi2012"


def test_unknown_part_names_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"kept_back, labelled, test, train, validation.*did you mean 'train'"):
        sections_of(FACTS, "trains")


def test_cut_gives_the_sections_and_where_they_are():
    volume = Image(np.arange(12, dtype=np.uint8).reshape(3, 2, 2), Grid((3, 2, 2), (50.0, 4.0, 4.0)))
    part = cut(volume, range(1, 3), "it")
    assert part.read().tolist() == [[[4, 5], [6, 7]], [[8, 9], [10, 11]]]
    assert part.grid.origin_nm == (50.0, 0.0, 0.0)


def test_cut_refuses_sections_a_partial_copy_does_not_have():
    volume = Image(np.zeros((3, 2, 2), np.uint8), Grid((3, 2, 2), (50.0, 4.0, 4.0)))
    with pytest.raises(ShapeError, match=r"has sections 0 to 2.*sections 2 to 3.*NEUROTOME_DATA"):
        cut(volume, range(2, 4), "it")
