"""Long random sessions: what must always hold, and the way back, forth and again."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurotome.core import InputError, Skeleton, ValueRangeError
from neurotome.io.node_table import write_node_table
from neurotome.io.swc import write_swc
from neurotome.tracing.edit import OPERATIONS, Change, Editor, log_text, read_entries, tree_hash
from neurotome.tracing.sparse.bricks import Bricks

AUTOMATIC = ("retrace_from", "bridge", "prune_below")
SLOW = ("retrace_from", "bridge")
STEPS = 250


def neuron(seed=0, nodes=40):
    """A random tree of two roots in a box of 40 x 40 x 40 voxels of 100 nm, and a volume with bright noise in it."""
    rng = np.random.default_rng(seed)
    parents = [-1, -1, *(int(rng.integers(0, k)) for k in range(2, nodes))]
    points = np.empty((nodes, 3))
    for k, parent in enumerate(parents):
        points[k] = rng.uniform(1000, 3000, 3) if parent < 0 else np.clip(points[parent] + rng.normal(0, 300, 3), 300, 3700)
    jump = (rng.random(nodes) < 0.2) & (np.array(parents) >= 0)
    features = {"jump": jump, "confidence": np.where(jump, 0.5, 1.0), "gap_nm": jump * 700.0}
    tree = Skeleton.of(parents, points, rng.uniform(50, 200, nodes), rng.integers(0, 5, nodes), features)
    volume = np.where(rng.random((40, 40, 40)) < 0.12, 200, 20).astype(np.uint8)
    return tree, Bricks.of(volume, (100.0, 100.0, 100.0))


def random_arguments(rng, operation, tree):
    """Arguments that could be meant, of which some are refused."""
    made = {}
    jumps = tree.ids[tree.features.get("jump", np.zeros(len(tree), bool))]
    likely = jumps if "jump" in operation and len(jumps) else tree.ids
    for name, argument in OPERATIONS[operation].arguments.items():
        if not argument.required and rng.random() < 0.5:
            continue
        if name in ("node", "parent", "a", "b"):
            made[name] = int(rng.choice(likely)) if len(tree) else 1
        elif name == "point_nm":
            made[name] = tuple(rng.uniform(300, 3700, 3).round(1))
        else:
            choices = {
                "children": ["reattach", "reattach", "reattach", "drop"],
                "subtree": [False, False, False, True],
                "kind": [0, 2, 3],
                "threshold": [128],
            }
            made[name] = rng.choice(choices[name]).item() if name in choices else float(rng.uniform(20, 400))
    return made


def guarded(tree):
    """What no automatic step may change: place, radius and kind of locked and hand-drawn nodes, by id."""
    nobody = np.zeros(len(tree), bool)
    held = tree.features.get("locked", nobody) | tree.features.get("drawn", nobody)
    return {
        int(i): (tuple(p), float(r), int(k))
        for i, p, r, k in zip(tree.ids[held], tree.points_nm[held], tree.radii_nm[held], tree.kinds[held], strict=True)
    }


def locked(tree):
    held = tree.features.get("locked", np.zeros(len(tree), bool))
    points = map(tuple, tree.points_nm[held])
    return dict(zip(tree.ids[held].tolist(), zip(points, tree.radii_nm[held], tree.kinds[held], strict=True), strict=True))


def run(seed, steps=STEPS):
    """A random session. Gives the editor, and the number of operations done of each name."""
    rng = np.random.default_rng(seed)
    tree, bricks = neuron(seed)
    editor = Editor(tree, probability=bricks, user="ann", clock=lambda: "2026-01-31T12:00:00Z")
    done = dict.fromkeys([*OPERATIONS, "undo", "redo"], 0)
    names = [
        *(name for name in OPERATIONS for _ in range(1 if name in SLOW else 3)),
        "undo",
        "undo",
        "redo",
        "add_node",
        "add_node",
    ]
    while sum(done.values()) < steps:
        name = str(rng.choice(names))
        before, seen = editor.tree, editor.log
        try:
            editor.do(name, **({} if name in ("undo", "redo") else random_arguments(rng, name, before)))
        except (InputError, ValueRangeError):
            assert editor.tree is before and editor.log == seen
            continue
        done[name] += 1
        after = editor.tree
        if name in AUTOMATIC:
            now = {
                int(i): (tuple(p), float(r), int(k))
                for i, p, r, k in zip(after.ids, after.points_nm, after.radii_nm, after.kinds)
            }
            assert guarded(before).items() <= now.items()
        if name not in ("undo", "redo", "unlock"):
            assert locked(before).items() <= locked(after).items()
        assert (after.parent_rows < np.arange(len(after))).all() and after.trees.min(initial=0) >= 0
        roots = after.parent_rows < 0
        assert not after.features["jump"][roots].any() and (after.features["confidence"][roots] == 1).all()
    return editor, done


def files(tree, folder):
    """The bytes of the SWC file and of the table beside it."""
    write_swc(folder / "t.swc", tree)
    write_node_table(folder / "t.nodes.csv", tree)
    return (folder / "t.swc").read_bytes(), (folder / "t.nodes.csv").read_bytes()


@pytest.fixture(scope="module")
def session():
    return run(seed=1)


def test_a_long_session_does_everything(session):
    editor, done = session
    assert len(editor.log) == STEPS and min(done.values()) > 0, done


def test_all_the_way_back_and_forth_gives_the_same_bytes(session, tmp_path):
    editor, _ = session
    tree, bricks = neuron(1)
    again = Editor(tree, probability=bricks)
    again.replay(editor.log)
    end = files(again.tree, tmp_path)
    assert end == files(editor.tree, tmp_path)
    count = 0
    while again.can_undo:
        again.undo()
        count += 1
    assert files(again.tree, tmp_path) == files(tree, tmp_path) and tree_hash(again.tree) == tree_hash(tree)
    assert list(again.tree.features) == list(tree.features)
    for _ in range(count):
        again.redo()
    assert count > 100 and files(again.tree, tmp_path) == end and not again.can_redo


def test_the_log_replays_to_the_same_log(session):
    editor, _ = session
    text = log_text(editor.log)
    tree, bricks = neuron(1)
    again = Editor(tree, probability=bricks, user="somebody else")
    again.replay(read_entries(text))
    assert log_text(again.log) == text and tree_hash(again.tree) == tree_hash(editor.tree)


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(2, 10**6))
def test_undo_is_exact_in_any_session(seed):
    editor, _ = run(seed, steps=40)
    tree, _ = neuron(seed)
    hashes = {entry.hash_before for entry in editor.log}
    while editor.can_undo:
        editor.undo()
        assert tree_hash(editor.tree) in hashes
    assert tree_hash(editor.tree) == tree_hash(tree)


def test_a_change_keeps_only_the_rows_that_changed():
    tree, bricks = neuron(0, nodes=1000)
    editor = Editor(tree, probability=bricks)
    moved = editor.do("move_node", node=500, point_nm=(0, 0, 0))
    assert Change.between(editor.undo(), moved).splices["points_nm"].old.tolist() == [tree.points_nm[499].tolist()]
    longer = editor.do("add_node", point_nm=(0, 0, 0), parent=7)
    assert Change.between(tree, longer).splices["points_nm"].old.shape == (0, 3)
