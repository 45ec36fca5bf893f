import json

import pytest

from neurotome.core import FormatError, InputError, Skeleton
from neurotome.tracing.edit import Editor, Entry, log_text, read_entries, tree_hash


def test_a_line_says_who_did_what_when_and_to_which_tree(editor, fork):
    tree = editor.do("set_type", node=3, kind=4)
    said = json.loads(log_text(editor.log))
    assert said == {
        "time": "2026-01-31T12:00:00Z",
        "user": "ann",
        "operation": "set_type",
        "arguments": {"node": 3, "kind": 4},
        "hash_before": tree_hash(fork),
        "hash_after": tree_hash(tree),
    }


def test_log_and_script_are_one_format(editor):
    editor.do("move_node", node=3, point_nm=(1, 2.5, 0.1))
    editor.undo()
    text = log_text(editor.log)
    assert read_entries(text) == list(editor.log) and log_text(read_entries(text)) == text
    bare = '\n{"operation": "cut", "arguments": {"node": 3}}\n\n{"operation": "undo"}\n'
    assert read_entries(bare) == [Entry("cut", {"node": 3}), Entry("undo")]


def test_time_is_utc_to_the_second(fork):
    editor = Editor(fork)
    editor.do("lock", node=1)
    assert len(editor.log[0].time) == 20 and editor.log[0].time.endswith("Z") and editor.log[0].user == ""


MISTAKES = [
    ("{", "no JSON"),
    ("[1]", "list instead of an object"),
    ('{"arguments": {}}', "no operation"),
    ('{"operation": "cut", "arguments": [3]}', "arguments are no object"),
    ('{"operation": "cut", "node": 3}', "unknown key 'node', expected one of time, user, operation"),
    ('{"operation": "cutt", "arguments": {"node": 3}}', "Unknown operation 'cutt', .*did you mean 'cut'?"),
    ('{"operation": "cut", "arguments": {"node": "3"}}', "cut got node '3', expected a whole number"),
    ('{"operation": "cut", "arguments": {}}', "cut misses node"),
    ('{"operation": "prune_below", "arguments": {"length_nm": NaN}}', r"no JSON \(NaN is no JSON number\)"),
    (
        '{"operation": "set_radius", "arguments": {"node": 3, "radius_nm": 1e999}}',
        "set_radius got radius_nm inf, expected a finite number",
    ),
    ('{"operation": "cut", "arguments": {"node": 3}, "user": 7}', "user is no text"),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES, ids=[message[:12] for _, message in MISTAKES])
def test_a_bad_line_is_named(line, message):
    with pytest.raises(FormatError, match=rf"'edits.jsonl' has a mistake: line 2: {message}"):
        read_entries(f'{{"operation": "undo"}}\n{line}\n', "edits.jsonl")


def test_all_mistakes_are_told_at_once():
    with pytest.raises(FormatError, match=r"has 11 mistakes: line 1: no JSON.*line 6: Unknown.*line 11: .*nothing was changed"):
        read_entries("\n".join(line for line, _ in MISTAKES))


def test_a_node_that_is_not_there_is_found_at_its_line(editor):
    entries = read_entries('{"operation": "undo"}\n{"operation": "cut", "arguments": {"node": 77}}\n', "edits.jsonl")
    editor.do("lock", node=2)
    with pytest.raises(InputError, match=r"'edits.jsonl', line 2 \(cut\): 'fork' has no node 77.*Remedy: look it up"):
        editor.replay(entries)


def test_a_log_of_another_tree_is_refused(editor, fork):
    editor.do("cut", node=3)
    editor.do("cut", node=6)
    log = read_entries(log_text(editor.log), "log.jsonl")
    moved = Skeleton.of(fork.parent_rows, fork.points_nm + 1e-9, fork.radii_nm, fork.kinds, name="fork")
    with pytest.raises(InputError, match=r"'log.jsonl', line 1 \(cut\): This log was written for a tree of hash"):
        Editor(moved).replay(log)


def test_a_log_that_was_changed_is_refused_at_that_line(editor, fork):
    for node in (3, 6, 8):
        editor.do("cut", node=node)
    text = log_text(editor.log).replace('"node": 6', '"node": 7')
    again = Editor(fork)
    with pytest.raises(InputError, match=r"line 2 \(cut\): The result has hash \w{12}, the log says \w{12}"):
        again.replay(read_entries(text))
    assert len(again.log) == 1


def test_the_hash_sees_every_bit_of_nodes_and_features(fork):
    import dataclasses

    import numpy as np

    others = [
        dataclasses.replace(fork, radii_nm=fork.radii_nm + np.array([0] * 9 + [1e-12])),
        dataclasses.replace(fork, kinds=fork.kinds + 1),
        dataclasses.replace(fork, features={"locked": np.zeros(10, bool)}),
        dataclasses.replace(fork, features={"locked": np.zeros(10)}),
    ]
    assert len({tree_hash(tree) for tree in [fork, *others]}) == 5
    two = {"a": np.zeros(10), "b": np.ones(10)}
    assert tree_hash(dataclasses.replace(fork, features=two)) == tree_hash(
        dataclasses.replace(fork, features=dict(reversed(two.items())))
    )
