"""Fixtures for every room: real data where they are, or a skip that says so."""

import numpy as np
import pytest

from neurotome import datasets


def _load(name: str, part: str = "train"):
    if not datasets.local(name):
        pytest.skip(
            f"data set '{name}' is not in {datasets.data_root()} (set NEUROTOME_DATA, or run `neurotome data fetch {name}`)"
        )
    return datasets.load(name, part)


@pytest.fixture(scope="session")
def snemi3d():
    return _load("snemi3d", "labelled")


@pytest.fixture(scope="session")
def isbi2012():
    return _load("isbi2012", "labelled")


@pytest.fixture(scope="session")
def small_phantom():
    from neurotome.datasets import phantom

    return phantom.make(phantom.PhantomSpec(shape=(10, 128, 128), seed=3))


@pytest.fixture
def rng():
    return np.random.default_rng(0)
