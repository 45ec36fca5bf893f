import pytest

from neurotome.datasets.synapse_phantoms import StudySpec, make_study


@pytest.fixture(scope="session")
def study():
    """One synapse of each type in each of two volumes."""
    return make_study(StudySpec(n_per_type=1, volumes=2, seed=4))
