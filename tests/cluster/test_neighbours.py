import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.cluster import Neighbours
from neurotome.core import ShapeError, UnknownNameError, ValueRangeError


def by_definition(vectors, query, k, metric):
    vectors, query = vectors.astype(np.float64), query.astype(np.float64)
    if metric == "cosine":
        distances = 1 - vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    else:
        distances = np.linalg.norm(vectors - query, axis=1)
    best = np.lexsort((np.arange(len(vectors)), np.round(distances, 10)))[:k]
    return best, distances[best]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("offset", [0.0, 100.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_finds_what_a_full_search_finds(rng, metric, offset, dtype):
    # Columns of very different size, far from 0: the worst that an eight-bit copy can meet.
    vectors = (rng.standard_normal((3000, 64)) * np.exp(2 * rng.standard_normal(64)) + offset).astype(dtype)
    queries = vectors[:5] + rng.standard_normal((5, 64)).astype(dtype)
    found = Neighbours.of(vectors, metric).nearest(queries, k=12)
    for q in range(5):
        rows, distances = by_definition(vectors, queries[q], 12, metric)
        assert found.rows[q].tolist() == rows.tolist()
        np.testing.assert_allclose(found.distances[q], distances, atol=1e-9)


@given(st.integers(1, 60), st.integers(1, 9), st.sampled_from(["euclidean", "cosine"]), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_table_any_k(n, width, metric, seed, few_values):
    rng = np.random.default_rng(seed)
    # Few values make many equal rows and equal distances.
    vectors = rng.integers(1, 3, (n, width)).astype(float) if few_values else rng.standard_normal((n, width)) * 1e-3
    query = vectors[rng.integers(n)]
    k = int(rng.integers(1, n + 1))
    found = Neighbours.of(vectors, metric).nearest(query, k)
    rows, distances = by_definition(vectors, query, k, metric)
    np.testing.assert_allclose(found.distances[0], distances, atol=1e-7)
    assert (np.diff(found.distances[0]) >= 0).all()
    assert len(set(found.rows[0])) == k
    if metric == "euclidean" and few_values:
        assert found.rows[0].tolist() == rows.tolist()


def test_equal_distances_come_in_the_order_of_the_rows():
    vectors = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1], [2, 2]])
    assert Neighbours.of(vectors).nearest(np.zeros(2), k=4).rows.tolist() == [[0, 1, 2, 3]]


def test_every_row_finds_others_and_distances_are_symmetric(rng):
    vectors = rng.standard_normal((300, 20)).astype(np.float32)
    vectors[17] = vectors[203]
    found = Neighbours.of(vectors).of_every_row(299)
    assert found.rows[17, 0] == 203
    assert found.distances[17, 0] == 0
    assert not (found.rows == np.arange(300)[:, None]).any()
    full = np.zeros((300, 300))
    np.put_along_axis(full, found.rows, found.distances, axis=1)
    assert (full == full.T).all()


def test_one_or_two_threads_give_the_same_bytes(rng):
    vectors = rng.standard_normal((20_000, 32)).astype(np.float32)
    queries = rng.standard_normal((7, 32))
    one, two = (Neighbours.of(vectors, threads=n).nearest(queries, 20, threads=n) for n in (1, 2))
    assert one.rows.tobytes() == two.rows.tobytes()
    assert one.distances.tobytes() == two.distances.tobytes()


def test_few_rows_are_left_to_look_at(rng):
    """What makes it quick: the bounds of the copies leave a few rows in a thousand."""
    vectors = rng.standard_normal((20_000, 128)).astype(np.float32)
    table = Neighbours.of(vectors)
    queries = rng.standard_normal((4, 128))
    left = [len(rows) for rows in table._candidates(queries, 10, np.full(4, -1), 1)]
    assert max(left) < 100


def test_bad_tables_and_queries_are_refused():
    vectors = np.arange(12.0).reshape(4, 3)
    with pytest.raises(ValueRangeError, match="the first is row 2"):
        Neighbours.of(np.where(vectors == 7, np.nan, vectors))
    with pytest.raises(ValueRangeError, match="Row 0 is all zeros"):
        Neighbours.of(vectors * (np.arange(4) > 0)[:, None], "cosine")
    with pytest.raises(UnknownNameError, match="did you mean 'euclidean'"):
        Neighbours.of(vectors, "euclid")
    with pytest.raises(ShapeError, match="Queries have 2 numbers"):
        Neighbours.of(vectors).nearest(np.zeros(2))
    with pytest.raises(ValueRangeError, match="1 to 4"):
        Neighbours.of(vectors).nearest(np.zeros(3), k=5)
    with pytest.raises(ValueRangeError, match="1 to 3"):
        Neighbours.of(vectors).of_every_row(4)
