import pandas as pd

from neurotome.cluster.evidence import PROFILE_COLUMNS
from neurotome.synapses.analysis.describe import PHRASES, descriptions, sentence


def _profile(*rows, cluster=0):
    full = [(cluster, name, mean, 0.1, effect, low, high, q, q) for name, effect, low, high, q, mean in rows]
    return pd.DataFrame(full, columns=list(PROFILE_COLUMNS))


def test_the_strongest_come_first_and_one_thing_is_named_once():
    said = sentence(
        _profile(
            ("cleft_holes", 1.5, 1.0, 2.0, 0.001, 0.9),
            ("cleft_area_um2", 2.0, 1.5, 2.4, 0.001, 0.3),
            ("cleft_diameter_nm", 1.9, 1.5, 2.4, 0.001, 600),
            ("mito_within_300nm", 1.2, 0.9, 1.6, 0.001, 0.8),
            ("vesicle_docked_fraction", -1.0, -1.2, -0.9, 0.001, 0.01),
        )
    )
    assert said == "large, perforated cleft; mitochondrion present; vesicles rarely docked"


def test_what_is_small_uncertain_or_rare_is_not_said():
    rows = [
        ("cleft_area_um2", 0.7, 0.5, 0.9, 0.001, 0.3),
        ("cleft_curvature", 1.5, -0.2, 2.9, 0.001, 1.5),
        ("vesicle_volume_um3", 1.5, 1.2, 2.9, 0.2, 1.5),
        ("cleft_holes", 1.4, 1.0, 1.8, 0.001, 0.3),
    ]
    assert sentence(_profile(*rows)) == "no measure sets it apart"
    learned = [("vgg3d_7", 3.0, 2.0, 4.0, 0.001, 1.0), ("clr_2", -2.0, -3.0, -1.0, 0.001, 1.0)]
    assert sentence(_profile(*learned)) == "differs in high vgg3d_7, low clr_2"
    assert sentence(_profile(*learned, ("cleft_area_um2", -0.9, -1, -0.8, 0.01, 1.0))) == "small cleft"


def test_one_cluster_and_noise_have_sentences_of_their_own():
    profile = _profile(("cleft_area_um2", 2.0, 1.5, 2.4, 0.001, 0.3))
    assert descriptions(profile, {"-1": 1, "0": 12}) == {"-1": "1 synapse that fit no cluster", "0": "12 synapses: large cleft"}
    assert descriptions(profile, {"0": 7})["0"].startswith("7 synapses; no structure beyond one cloud")


def test_words_of_every_measure_differ():
    assert all(noun and low and high and low != high for noun, low, high in PHRASES.values())
