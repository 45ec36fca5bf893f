import pytest

from neurotome import datasets
from neurotome.core import UnknownNameError


def test_every_known_data_set_says_what_a_user_must_know():
    for name in datasets.known():
        facts = datasets.facts(name)
        assert facts.name == name
        assert facts.url.startswith("https://")
        assert facts.licence
        assert facts.cite
        assert facts.labels_are in ("neurons", "inside", "membrane")
        assert not set(facts.parts["train"]) & set(facts.parts["validation"])
        assert max(part.stop for part in facts.parts.values()) <= facts.shape[0]


@pytest.mark.parametrize("ask", [datasets.facts, datasets.load, datasets.fetch, datasets.local])
def test_unknown_name_is_answered_with_the_closest(ask):
    with pytest.raises(UnknownNameError, match=r"drosophila_vnc, isbi2012, snemi3d.*did you mean 'snemi3d'"):
        ask("snemi")


def test_local_and_load_look_below_the_root(tmp_path):
    assert not datasets.local("isbi2012", tmp_path)
    with pytest.raises(FileNotFoundError, match="neurotome data fetch isbi2012"):
        datasets.load("isbi2012", root=tmp_path)
