import numpy as np
import pytest

from neurotome.datasets.synapse_phantoms import StudySpec
from neurotome.datasets.synapse_phantoms.layout import lattice_for, presynapses


@pytest.mark.parametrize("n", [1, 6, 17, 48, 102])
def test_cells_hold_every_synapse_apart(n):
    lattice = lattice_for(StudySpec(n_per_type=n, types=1), np.random.default_rng(0))
    centres = lattice.centres_nm()
    assert centres.shape == (n, 3)
    gaps = np.abs(centres[:, None] - centres[None]).max(axis=-1) + np.eye(n) * 1e9
    assert gaps.min() >= 736
    assert lattice.rows.size < 1.5 * n + 1


def test_groups_are_loyal_to_their_type_as_far_as_asked():
    types = np.repeat(np.arange(6), 200)

    def pure(loyalty):
        owner = presynapses(types, loyalty, np.random.default_rng(1))
        sizes = np.bincount(owner)
        assert sizes.min() >= 1
        assert sizes.max() <= 5
        pairs = [
            (i, j) for g in range(len(sizes)) for i in np.flatnonzero(owner == g) for j in np.flatnonzero(owner == g) if i < j
        ]
        return np.mean([types[i] == types[j] for i, j in pairs])

    assert pure(1.0) == 1.0
    assert pure(0.0) == pytest.approx(1 / 6, abs=0.03)
    assert 0.5 < pure(0.75) < 0.85
