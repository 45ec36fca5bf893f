"""Scores in words: no surer than their intervals."""

import pytest

from neurotome.report.morphology.scores import score_tables


def rows(*entries):
    names = ("features", "value", "low", "high")
    shared = {"target": "cell_type", "measure": "knn5_balanced_accuracy", "chance": 0.25, "n": 80, "classes": 4, "folds": 10}
    return [shared | dict(zip(names, entry, strict=True)) for entry in entries]


@pytest.mark.parametrize(
    ("rival", "sentence"),
    [
        ((0.5, 0.4, 0.6), "It is better than the best hand-made features, Sholl profile (0.50)."),
        ((0.75, 0.65, 0.85), "reach 0.75; the intervals overlap, so this does not say which of the two is better."),
        ((0.95, 0.91, 0.99), "The best hand-made features, Sholl profile, are better (0.95)."),
    ],
)
def test_the_rival_is_judged_by_its_interval(rival, sentence):
    (table,) = score_tables(rows(("sholl", *rival), ("embedding", 0.8, 0.7, 0.9), ("morphometrics", 0.3, 0.2, 0.35)))
    assert table.sentence.endswith(sentence) and table.sentence.startswith("The learned embedding tells cell type apart better")
    assert [bar.features for bar in table.bars] == ["embedding", "sholl", "morphometrics"]


def test_checks_compete_with_nobody():
    (table,) = score_tables(rows(("embedding", 0.8, 0.7, 0.9), ("soma_x_um", 0.95, 0.9, 0.99), ("density", 0.4, 0.3, 0.5)))
    assert table.rival.features == "density" and table.bars[-1].features == "soma_x_um"


def test_missing_intervals_and_values_that_are_no_numbers():
    (table,) = score_tables(rows(("embedding", 0.8, "", ""), ("sholl", 0.7, "", ""), ("density", float("nan"), "", "")))
    assert [bar.interval for bar in table.bars] == ["", ""] and len(table.bars) == 2
    assert (
        table.sentence
        == "The learned embedding reaches 0.80; chance is 0.25. The best hand-made features, Sholl profile, reach 0.70."
    )


def test_a_scale_holds_scores_below_nought():
    (table,) = score_tables(rows(("embedding", -0.25, -0.5, 0.1)))
    assert table.scale == (-0.5, 1.0) and table.percent(-0.5) == "0.00" and table.percent(0.25) == "50.00"
    assert "does not tell cell type apart" in table.sentence
