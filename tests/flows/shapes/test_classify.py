"""The nested test, from a finished table to files."""

import json

import pandas as pd
import pytest

from neurotome.core import InputError, UnknownNameError
from neurotome.flows.shapes import classify_shapes


def test_scores_predictions_and_confusion_are_written(embedded):
    out, _, _ = embedded
    found = classify_shapes(out, "cell_type", features="morphometrics", folds=2, quick=True)
    assert found["measure"] == "balanced accuracy" and found["n"] == 15 and found["classes"] == 3
    assert found["value"] > 0.6 > found["chance"]
    folder = out / "classifiers"
    said = json.loads((folder / "classifier_cell_type_morphometrics_quick.json").read_text())
    assert said["column"] == "cell_type" and said["features"] == "morphometrics"
    predictions = pd.read_csv(folder / "cell_type_morphometrics_quick_predictions.csv")
    assert len(predictions) == 15 and "pieces" not in predictions.to_numpy()
    confusion = pd.read_csv(folder / "cell_type_morphometrics_quick_confusion.csv", index_col=0)
    assert confusion.shape == (3, 3) and confusion.sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    before = (folder / "cell_type_morphometrics_quick_2_no_group_drop.folds.json").stat().st_mtime_ns
    assert classify_shapes(out, "cell_type", features="morphometrics", folds=2, quick=True) == found
    assert (folder / "cell_type_morphometrics_quick_2_no_group_drop.folds.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("by", "options", "error"),
    [
        ("nope", {}, UnknownNameError),
        ("cell_type", {"features": "nope"}, UnknownNameError),
        ("cell_type", {"group": "nope"}, UnknownNameError),
        ("cell_type", {"small": "nope"}, UnknownNameError),
        ("cell_type", {"small": "refuse", "folds": 10}, InputError),
        ("cell_type", {"folds": 10}, InputError),
        ("source", {"folds": 3}, InputError),
    ],
)
def test_what_cannot_be_tested(embedded, by, options, error):
    before = sorted(path.name for path in embedded[0].rglob("*"))
    with pytest.raises(error):
        classify_shapes(embedded[0], by, quick=True, **options)
    assert sorted(path.name for path in embedded[0].rglob("*")) == before
