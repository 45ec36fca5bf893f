from pathlib import Path

from neurotome.core import Grid
from neurotome.report import read_results
from neurotome.report.places import _box_around, error_cards


def test_cards_tell_what_happened(finished_run: Path) -> None:
    cards = {card.row["kind"]: card for card in error_cards(read_results(finished_run))}
    assert cards["merge"].story.startswith("Neuron 101 joins two cells")
    assert cards["split"].story == f"Truth 16 is cut: neuron {cards['split'].row['segment_id']} should be part of neuron " + (
        f"{cards['split'].row['other_segment_id']}."
    )
    assert [name for name, _ in cards["merge"].pictures] == ["EM", "Neurons", "Truth"]
    assert all(uri.startswith("data:image/webp;base64,") for _, uri in cards["split"].pictures)


def test_the_window_stays_inside_the_volume() -> None:
    box = _box_around(Grid((4, 1000, 1000), (30, 8, 8)), (2, 5, 990))
    assert box.start == (2, 0, 800) and box.shape == (1, 200, 200)
    assert _box_around(Grid((4, 50, 1000), (30, 8, 8)), (0, 49, 500)).shape == (1, 50, 200)
