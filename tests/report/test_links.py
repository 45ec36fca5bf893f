from neurotome.report import error_link, run_token, with_links

RECORD = {"command": "reconstruct", "config": {"voxel_nm": (30, 6, 6)}, "inputs": {"a.tif": "00"}, "seed": 0}
ROW = {"rank": 1, "z": 3, "y": 20, "x": 100, "link": ""}


def test_a_link_is_a_command_and_a_path() -> None:
    assert error_link("my out", RECORD, ROW) == f"neurotome view 'my out' --at 3 20 100 /at/{run_token(RECORD)}/3,20,100"


def test_rows_keep_their_columns() -> None:
    (row,) = with_links("out", RECORD, [ROW])
    assert {**row, "link": ""} == ROW and row["link"] == error_link("out", RECORD, ROW)


def test_another_run_has_another_address_and_the_same_run_the_same() -> None:
    assert run_token({**RECORD, "seed": 1}) != run_token(RECORD)
    assert run_token({**RECORD, "seconds": {"predict": 3}}) == run_token(RECORD)
    # run.json gives lists where the running command had tuples.
    assert run_token({**RECORD, "config": {"voxel_nm": [30, 6, 6]}}) == run_token(RECORD)
