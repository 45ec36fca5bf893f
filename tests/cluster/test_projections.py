import numpy as np
import pytest

from neurotome.cluster import project_rows, trustworthiness
from neurotome.cluster.projections import condensed, principal_axes, tsne_map
from neurotome.core import UnknownNameError, ValueRangeError


def test_pca_is_that_of_scikit_learn_with_fixed_signs(rng):
    from sklearn.decomposition import PCA

    values = rng.standard_normal((40, 7)) @ rng.standard_normal((7, 7)) + 3
    found, theirs = principal_axes(values, 3), PCA(3, svd_solver="full").fit(values)
    np.testing.assert_allclose(np.abs(found.axes), np.abs(theirs.components_), atol=1e-10)
    np.testing.assert_allclose(found.share, theirs.explained_variance_ratio_, atol=1e-12)
    assert (found.axes[np.arange(3), np.abs(found.axes).argmax(1)] > 0).all()
    assert (principal_axes(-values, 3).axes == found.axes).all()


def test_pca_of_fewer_columns_than_dimensions_fills_with_0():
    assert project_rows(np.array([[1.0], [2], [3]]), "pca").coordinates.tolist() == [[-1, 0], [0, 0], [1, 0]]


def test_condensed_keeps_distances_when_all_variance_is_held(rng):
    values = rng.standard_normal((30, 4)) @ rng.standard_normal((4, 80))
    less = condensed(values, share=1 - 1e-9)
    assert less.shape == (30, 4)
    np.testing.assert_allclose(np.linalg.norm(less[0] - less[9]), np.linalg.norm(values[0] - values[9]))


@pytest.mark.parametrize("name", [pytest.param("umap", marks=pytest.mark.slow), "tsne"])
def test_maps_are_equal_on_two_runs_and_keep_neighbourhoods(three_blobs, name):
    values, _ = three_blobs
    first, second = (project_rows(values, name) for _ in range(2))
    assert first.coordinates.tobytes() == second.coordinates.tobytes()
    assert first.coordinates.shape == (120, 2)
    assert (
        trustworthiness(values, first.coordinates)
        > 0.9
        > 0.6
        > trustworthiness(values, np.random.default_rng(0).random((120, 2)))
    )


def test_perplexity_is_lowered_and_said_or_refused(three_blobs):
    values = three_blobs[0][:31]
    drawn = tsne_map(values)
    assert drawn.settings["perplexity"] == 10
    assert drawn.note == "perplexity lowered from 300 to 10.0: there are 31 rows"
    assert tsne_map(values, largest=8).note == ""
    with pytest.raises(ValueRangeError, match=r"perplexity = 11 for 31 rows.*at most 10\.0"):
        tsne_map(values, perplexity=11)


def test_three_rows_become_a_pca_that_says_so():
    drawn = project_rows(np.eye(3), "umap")
    assert drawn.name == "pca"
    assert "too few" in drawn.note


def test_unknown_maps_and_dimensions():
    with pytest.raises(UnknownNameError, match="did you mean 'tsne'"):
        project_rows(np.eye(5), "t-sne")
    with pytest.raises(ValueRangeError, match="2 or 3"):
        project_rows(np.eye(5), "pca", 4)
