import numpy as np
import pandas as pd
import pytest

from neurotome.core import ShapeError
from neurotome.synapses.attention.statistics import STATISTICS, RankedMap, attention_summary, compare_map

SIDE = 80


@pytest.fixture(scope="module")
def cloud():
    """The vesicle cloud of P1 in its crop: 17,576 of 512,000 voxels."""
    mask = np.zeros((SIDE, SIDE, SIDE), bool)
    mask[26:52, 27:53, 7:33] = True
    return mask.ravel()


def test_the_mask_itself_is_perfect(cloud):
    found = compare_map(RankedMap.of(cloud.astype(np.float32)), cloud)
    assert [found[name] for name in ("dice", "iou", "auc", "average_precision")] == [1, 1, 1, 1]
    assert found["pearson"] == pytest.approx(1) and found["enrichment"] == pytest.approx(512000 / 17576)


def test_a_region_of_equal_size_beside_it_halves_the_overlap(cloud):
    other = np.roll(cloud.reshape(SIDE, SIDE, SIDE), 40, axis=2).ravel()
    assert not (cloud & other).any()
    found = compare_map(RankedMap.of((cloud | other).astype(np.float32)), cloud)
    assert found["dice"] == pytest.approx(2 / 3) and found["iou"] == pytest.approx(0.5)
    assert found["auc"] == pytest.approx(0.982226, abs=1e-6) and found["average_precision"] == pytest.approx(0.5)


def test_a_constant_map_says_nothing(cloud):
    found = compare_map(RankedMap.of(np.full(len(cloud), 0.3)), cloud)
    assert found["auc"] == 0.5 and np.isnan(found["pearson"]) and found["enrichment"] == pytest.approx(1)
    assert compare_map(RankedMap.of(np.zeros(len(cloud))), cloud)["dice"] == 0


def test_a_random_map_says_nothing(cloud):
    found = compare_map(RankedMap.of(np.random.default_rng(0).random(len(cloud))), cloud)
    assert found["auc"] == pytest.approx(0.5, abs=0.01) and found["dice_equal_area"] == pytest.approx(17576 / 512000, abs=0.01)


def test_ranks_are_mid_ranks():
    assert RankedMap.of(np.array([2.0, 1.0, 2.0, 0.0])).ranks.tolist() == [3.5, 2, 3.5, 1]


def test_no_mask_no_number():
    ranked = RankedMap.of(np.arange(8.0))
    assert all(np.isnan(value) for value in compare_map(ranked, np.zeros(8, bool)).values())
    with pytest.raises(ShapeError, match="9 voxels for a map of 8"):
        compare_map(ranked, np.zeros(9, bool))


def test_the_summary_corrects_for_the_number_of_tests():
    rng = np.random.default_rng(1)
    rows = []
    for i in range(30):
        for operand, shift in (("vesicles", 1.0), ("pre", 0.0)):
            values = dict.fromkeys(STATISTICS, 0.5)
            values |= {"mean_inside": shift + rng.normal(0, 0.3), "mean_outside": rng.normal(0, 0.3), "auc": 0.5 + 0.4 * shift}
            rows.append({"key": str(i), "layer": 20, "operand": operand, **values})
    found = attention_summary(pd.DataFrame(rows), units=[str(i // 4) for i in range(60)]).set_index("operand")
    assert found.loc["vesicles", "p_bh"] < 1e-5 < 0.05 < found.loc["pre", "p_bh"]
    assert found.loc["vesicles", "auc_low"] == pytest.approx(0.9) == found.loc["vesicles", "auc_high"] and found[
        "n"
    ].tolist() == [30, 30]
    assert (found["p_bh"] >= found["p"]).all()


def test_an_empty_table_has_an_empty_summary():
    assert len(attention_summary(pd.DataFrame(columns=["key", "layer", "operand", *STATISTICS]))) == 0
