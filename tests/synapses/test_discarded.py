import math

from neurotome.synapses.discarded import DISCARD_COLUMNS, Discarded, discard_table


def test_table_has_its_columns_even_when_nothing_was_discarded() -> None:
    assert tuple(discard_table([]).columns) == DISCARD_COLUMNS == ("key", "step", "reason", "value", "threshold")
    assert discard_table([]).dtypes["value"] == "float64"


def test_a_reason_may_have_no_number() -> None:
    table = discard_table([Discarded("d/v/2", "view", "undetermined_side"), Discarded("d/v/1", "crops", "border", 0.2, 0.5)])
    assert table["key"].tolist() == ["d/v/2", "d/v/1"]
    assert math.isnan(table["value"][0])
    assert table["threshold"][1] == 0.5
