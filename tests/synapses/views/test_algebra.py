import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotome.core import InputError
from neurotome.core.crops import OPERANDS
from neurotome.synapses.views.algebra import Call, Expression, ExpressionError, Not, Operand, Pair, named, parse, wanted


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("pre", "pre"),
        ("  ( ( pre ) )  ", "pre"),
        ("pre|post&cleft", "pre | post & cleft"),
        ("(pre|post)&cleft", "(pre | post) & cleft"),
        ("pre - cleft & post", "pre - cleft & post"),
        ("pre - (cleft & post)", "pre - (cleft & post)"),
        ("~pre & post", "~pre & post"),
        ("~(pre & post)", "~(pre & post)"),
        ("~~pre", "~~pre"),
        ("cleft + pre - dilate(mito, 2)", "(cleft | pre) - dilate(mitochondria, 2)"),
        ("cleft | pre - dilate(mito, 2)", "cleft | pre - dilate(mitochondria, 2)"),
        ("pre - cleft + post", "pre - cleft | post"),
        ("vesicles + cleft & pre", "(vesicles | cleft) & pre"),
        ("pre | (cleft | post)", "pre | (cleft | post)"),
        ("near( pre|post , 12.50 )", "near(pre | post, 12.5)"),
        ("all - all_mito", "all - all_mitochondria"),
        ("box(erode(vesicles,1),25)", "box(erode(vesicles, 1), 25)"),
        ("psd", "psd"),
    ],
)
def test_text_becomes_its_normal_form(text: str, normal: str) -> None:
    assert str(parse(text)) == normal


def test_without_binds_as_tight_as_both_and_tighter_than_union() -> None:
    assert parse("pre | post - cleft & all") == Pair(
        "|", Operand("pre"), Pair("&", Pair("-", Operand("post"), Operand("cleft")), Operand("all"))
    )


def _expressions() -> st.SearchStrategy[Expression]:
    operands = st.sampled_from(["all", "pre", "post", "cleft", "clefts", "all_mitochondria"]).map(Operand)
    return st.recursive(
        operands,
        lambda inner: st.one_of(
            inner.map(Not),
            st.builds(Pair, st.sampled_from("|&-"), inner, inner),
            st.builds(Call, st.sampled_from(["dilate", "erode", "box"]), inner, st.integers(1, 99).map(float)),
            st.builds(Call, st.just("near"), inner, st.integers(1, 400).map(lambda n: n / 4)),
        ),
        max_leaves=12,
    )


@given(_expressions())
def test_normal_form_reads_as_the_same_expression(expression: Expression) -> None:
    assert parse(str(expression)) == expression
    assert str(parse(str(expression))) == str(expression)


@pytest.mark.parametrize(
    ("text", "caret", "says"),
    [
        ("cleft | prex", 8, "Unknown operand 'prex' in the mask"),
        ("pre &", 5, "ends too early"),
        ("", 0, "ends too early"),
        ("(pre | post", 11, "Expected: ')'"),
        ("pre post", 4, "'post' at character 5"),
        ("pre ) ", 4, "')' at character 5"),
        ("pre ^ post", 4, "'^' at character 5"),
        ("dilate(pre, 2.5)", 12, "a whole number of rounds"),
        ("dilate(pre)", 10, "Expected: ','"),
        ("near(pre, far)", 10, "a number of nanometres"),
        ("near(pre, 0)", 10, "a number of nanometres"),
        ("box(pre, 0)", 9, "a whole number of voxels"),
        ("grow(pre, 2)", 0, "Unknown operand 'grow'"),
        ("dilate", 0, "Unknown operand 'dilate'"),
        ("7 | pre", 0, "'7' at character 1"),
        ("pre | | post", 6, "an operand, '~', '(' or one of dilate"),
        ("pre\u00a0& 3", 6, "'3' at character 7"),
    ],
)
def test_error_points_at_its_place(text: str, caret: int, says: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, OPERANDS)
    message, line, pointer = str(caught.value).split("\n")
    assert says in message
    assert line[4:] == text.replace("\u00a0", " ")
    assert pointer == " " * (4 + caret) + "^"


def test_unknown_operand_lists_the_known_ones_and_the_closest() -> None:
    with pytest.raises(InputError, match=r"one of all, .*vesicles.*did you mean 'cleft2'"):
        parse("vesicles | cleft_2", OPERANDS)


def test_names_of_a_legend_are_operands_where_they_are_known() -> None:
    assert parse("psd & pre", (*OPERANDS, "psd")) == Pair("&", Operand("psd"), Operand("pre"))
    with pytest.raises(ExpressionError, match="psd"):
        parse("psd & pre", OPERANDS)


def test_a_legend_may_use_an_alias_for_its_own_structure() -> None:
    assert parse("mito", (*OPERANDS, "mito")) == Operand("mito")
    assert parse("mito", OPERANDS) == Operand("mitochondria")


def test_endless_masks_are_refused_and_not_a_crash() -> None:
    with pytest.raises(ExpressionError, match="nested more than 50 deep"):
        parse("(" * 5000)
    with pytest.raises(ExpressionError, match="more than 300 words"):
        parse("|".join(["pre"] * 500))


def test_error_survives_a_process_border() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("pre |")
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def test_wanted_are_what_can_add_voxels() -> None:
    assert wanted(parse("vesicles - (cleft - pre)")) == {"vesicles", "pre"}
    assert wanted(parse("~(cleft | ~pre)")) == {"pre"}
    assert wanted(parse("near(clefts, 40) & all")) == {"cleft", "cleft2", "all"}
    assert named(parse("vesicles - ~(cleft & dilate(post, 1))")) == {"vesicles", "cleft", "post"}
