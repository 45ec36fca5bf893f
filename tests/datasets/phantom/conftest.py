import pytest

from neurotome.datasets import phantom


@pytest.fixture(scope="session")
def tissue():
    """One small phantom that many tests look at."""
    return phantom.make(phantom.PhantomSpec(shape=(24, 192, 192), seed=0))
