import numpy as np
import pytest

from neurotome.boundary.training.annotated import AnnotatedVolume
from neurotome.boundary.training.judge import MOST_SECTIONS, SectionJudge, inside_truth
from neurotome.core import Labels
from neurotome.measure import isbi_scores
from neurotome.nn import normalize


def test_scores_are_those_of_the_whole_sections_of_the_block(echo):
    image, labels = echo.stack()
    judge = SectionJudge.of((echo.block(2, 5),), echo.card("overlap", "inside"), ndim=2, bf16=False)
    inside = 1 / (1 + np.exp(-4 * normalize(image.read()[2:5], "section_zscore")))
    expected = isbi_scores(inside.astype(np.float64), labels.read()[2:5] > 0)
    found = judge(echo.network(2))
    assert found["val_v_rand"] == pytest.approx(expected.v_rand, abs=1e-6)
    assert found["val_v_info"] == pytest.approx(expected.v_info, abs=1e-6)
    assert found["val_threshold"] == expected.best_threshold()
    assert 0.2 < found["val_v_rand"] < 0.99


def test_membrane_is_the_opposite_of_inside(echo):
    inside = SectionJudge.of((echo.block(),), echo.card("inside"), ndim=2, bf16=False)(echo.network())
    membrane = SectionJudge.of((echo.block(),), echo.card("membrane"), ndim=2, bf16=False)(echo.network())
    assert membrane["val_v_rand"] < 0.5 * inside["val_v_rand"]


def test_sections_are_few_spread_and_not_constant(echo):
    judge = SectionJudge.of((echo.block(0, 30), echo.block(0, 6)), echo.card("inside"), ndim=2, bf16=False)
    assert judge.count == MOST_SECTIONS == 12
    assert [s.number for s in judge.sections] == [1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 1, 4]
    image, labels = echo.stack()
    ids = labels.read().copy()
    ids[3], ids[4] = 0, 1
    volume = AnnotatedVolume.load(image, Labels(ids, image.grid), (0, 6), normalization="unit")
    judge = SectionJudge.of((volume,), echo.card("inside"), ndim=2, bf16=False)
    assert [s.number for s in judge.sections] == [0, 1, 2, 5]


def test_there_is_no_judge_where_nothing_can_be_judged(echo):
    assert SectionJudge.of((echo.block(),), echo.card("inside"), ndim=3, bf16=False) is None
    assert SectionJudge.of((echo.block(),), echo.card("overlap", "affinity:1,0,0"), ndim=2, bf16=False) is None
    image, _ = echo.stack()
    silent = AnnotatedVolume.load(image, image, (0, 6), normalization="unit", truth_is="grey")
    assert SectionJudge.of((silent,), echo.card("inside"), ndim=2, bf16=False) is None


def test_objects_that_touch_are_apart_and_classes_say_what_is_inside(echo):
    image, labels = echo.stack()
    touching = np.array([[1, 1, 2], [3, 3, 2], [0, 3, 2]])
    truth = inside_truth(AnnotatedVolume(image, (0, 1), labels=touching[None]))
    assert truth[0].astype(int).tolist() == [[0, 0, 1], [1, 0, 1], [0, 0, 1]]
    walls = Labels((labels.read() == 0).astype(np.uint8), image.grid)
    classes = AnnotatedVolume.load(
        image, walls, (0, 6), normalization="unit", truth_is="classes", class_values={"membrane": 1, "rest": 0}
    )
    assert np.array_equal(inside_truth(classes), labels.read() > 0)
