import pytest

from neurotome.datasets.fluorescence import FluorescenceSpec, fluorescence


@pytest.fixture(scope="session")
def stack():
    """One phantom of default faults that many tests look at."""
    return fluorescence(FluorescenceSpec(shape=(40, 128, 128), seed=3, neighbours=2))
