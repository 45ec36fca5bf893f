import pytest

from neurotome.core import UnknownNameError, ValueRangeError
from neurotome.neurons import AgglomerateSettings, ComponentsSettings, LinkSettings


@pytest.mark.parametrize(
    ("make", "given", "message"),
    [
        (AgglomerateSettings, {"t_high": 1}, "t_low 1 and t_high 1"),
        (AgglomerateSettings, {"t_low": 0}, "t_low 0"),
        (AgglomerateSettings, {"threshold": 1.2}, r"Threshold 1\.2.*\[0, 1\]"),
        (AgglomerateSettings, {"threshold": 0.05}, r"Threshold 0\.05 is below t_min 0\.1.*lower t_min"),
        (AgglomerateSettings, {"t_min": -0.1}, r"t_min -0\.1"),
        (AgglomerateSettings, {"smooth": -1}, "Smoothing of -1"),
        (AgglomerateSettings, {"min_voxels": -1}, "min_voxels -1"),
        (LinkSettings, {"threshold": 0.5}, r"Threshold 0\.5.*1\.\.255"),
        (LinkSettings, {"threshold": 256}, "Threshold 256"),
        (LinkSettings, {"erosions": -1}, "-1 erosions"),
        (ComponentsSettings, {"threshold": 0}, "Threshold 0"),
        (ComponentsSettings, {"threshold": 127}, "Threshold 127"),
    ],
)
def test_values_out_of_range(make, given, message):
    with pytest.raises(ValueRangeError, match=message):
        make(**given)


@pytest.mark.parametrize(
    ("make", "given"),
    [
        (AgglomerateSettings, {"small": "drop"}),
        (AgglomerateSettings, {"evidence": "affinities"}),
        (AgglomerateSettings, {"stored_at": "uper"}),
        (LinkSettings, {"bridge": "parity"}),
    ],
)
def test_unknown_names(make, given):
    with pytest.raises(UnknownNameError, match=f"Unknown .*'{next(iter(given.values()))}'"):
        make(**given)
