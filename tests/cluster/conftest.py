"""Rows with a known answer."""

import numpy as np
import pytest


def _blobs(per_class=40, classes=3, width=6, apart=8.0, seed=0):
    """Round clouds of rows around far centres, and the class of each row."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((classes, width)) * apart
    codes = np.repeat(np.arange(classes), per_class)
    return centres[codes] + rng.standard_normal((len(codes), width)), np.array(list("abcdefgh"))[codes]


@pytest.fixture(scope="session")
def three_blobs():
    return _blobs()
