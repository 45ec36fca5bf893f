from dataclasses import replace

import numpy as np
import pytest

from neurotome.core import Labels, ValueRangeError
from neurotome.datasets import synapse_phantoms
from neurotome.io import LazyArray
from neurotome.synapses.study import legend_check
from neurotome.synapses.study.legend_check import legend_warnings


@pytest.fixture(scope="module")
def p1():
    return synapse_phantoms.p1()


def test_a_legend_that_fits_has_nothing_to_say(p1):
    assert legend_warnings({"bbox7": p1.volume}, p1.sites, needed=("vesicles", "cleft")) == ()


def test_an_id_absent_in_one_volume_is_a_warning_with_those_that_are_there(p1):
    other = replace(p1.volume, name="other", structures={"vesicles": (2,), "cleft": (9,)})
    (said,) = legend_warnings({"bbox7": p1.volume, "other": other}, needed=("cleft",))
    assert "'other'" in said and "'cleft' (id 9)" in said and "1, 2, 3, 4" in said


def test_absent_everywhere_is_an_error_where_it_matters(p1):
    wrong = replace(p1.volume, structures={"vesicles": (2,), "cleft": (9,)})
    assert len(legend_warnings({"bbox7": wrong})) == 1
    with pytest.raises(ValueRangeError, match=r"cleft.*'bbox7' has 1, 2, 3, 4"):
        legend_warnings({"bbox7": wrong}, needed=("cleft",))
    with pytest.raises(ValueRangeError, match="vesicles"):
        legend_warnings({"bbox7": replace(p1.volume, structures={"vesicles": (20,)})})


def test_of_a_large_volume_only_the_surroundings_of_sites_are_read(p1, monkeypatch):
    monkeypatch.setattr(legend_check, "WHOLE_VOXELS", 1000)
    monkeypatch.setattr(legend_check, "SITE_REACH_VOX", 20)
    read = []
    values = p1.volume.organelles.read()

    def reader(ranges):
        read.append(int(np.prod([b - a for a, b in ranges])))
        return values[tuple(slice(a, b) for a, b in ranges)]

    lazy = Labels(LazyArray.whole(reader, values.shape, values.dtype), p1.volume.organelles.grid)
    said = legend_warnings({"bbox7": replace(p1.volume, organelles=lazy)}, p1.sites)
    assert read == [40**3]
    assert len(said) == 1 and "mitochondria" in said[0]
    assert legend_warnings({"bbox7": replace(p1.volume, organelles=lazy)}) == ()
