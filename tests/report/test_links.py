import json
from pathlib import Path
from urllib.parse import unquote

from neurotome.report import error_link, link_token, read_results, run_token, with_links


def test_a_link_is_a_command_and_a_state(finished_run: Path) -> None:
    results = read_results(finished_run)
    row = next(r for r in results.errors if r["kind"] == "split")
    command, _, state = error_link(results, row).partition(f" /v/{link_token(results.record)}/#!")
    place = [row[axis] for axis in "zyx"]
    assert command == f"neurotome view '{finished_run}' --at {place[0]} {place[1]} {place[2]}"
    there = json.loads(unquote(state))
    assert there["position"] == [v + 0.5 for v in reversed(place)]
    assert there["dimensions"] == {"x": [8e-09, "m"], "y": [6e-09, "m"], "z": [3e-08, "m"]}
    layers = {layer["name"]: layer for layer in there["layers"]}
    assert set(layers["predicted"]["segments"]) == {"116", str(2**40 + 7)}
    assert layers["predicted"]["source"] == f"python://volume/{run_token(results.record)}.predicted"


def test_another_run_has_another_address(finished_run: Path) -> None:
    record = dict(read_results(finished_run).record)
    assert run_token({**record, "seconds": {}}) == run_token(record)
    assert run_token({**record, "seed": 1}) != run_token(record)


def test_only_the_worst_rows_carry_a_link(finished_run: Path) -> None:
    results = read_results(finished_run)
    rows = with_links(results, [results.errors[0]] * 201)
    assert rows[199]["link"] and rows[200]["link"] == ""
