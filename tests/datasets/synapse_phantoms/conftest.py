import pytest

from neurotome.datasets.synapse_phantoms import StudySpec, make_study


@pytest.fixture(scope="session")
def study():
    """One synapse of each type."""
    return make_study(StudySpec(n_per_type=1, volumes=1, seed=4))
