"""The comparison of an answer with the one that a page of docs/ shows notices what is different, and nothing else."""

import json

import pytest

from tests.support.page import LEFT_OUT, Block, unlike, unlike_value

FIT: list[tuple[object, object]] = [
    ({"id": "con_…"}, {"id": "con_1", "more": 1}),
    ({"id": "…"}, {"id": {"any": "value"}}),
    ({"of": []}, {"of": []}),
    (["a", "…"], ["a", "b", "c"]),
    (["a", "…"], ["a"]),
    ({"n": 1, "on": True, "none": None}, {"n": 1, "on": True, "none": None}),
    ("from … to …", "from a\nto b to c"),
]
DIFFERENT: list[tuple[object, object]] = [
    ({"id": "con_…"}, {"id": "hld_1"}),
    ({"id": "…"}, {}),
    ({"of": []}, {"of": [1]}),
    (["a", "b"], ["a"]),
    (["a", "b"], ["b", "a"]),
    (["a", "…"], ["b", "a"]),
    ({"on": True}, {"on": 1}),
    ({"none": None}, {"none": ""}),
    ({"n": 1}, {"n": 2}),
    ("a.c", "abc"),
]


@pytest.mark.parametrize(("shown", "found"), FIT)
def test_an_answer_fits_if_it_has_what_the_page_shows(shown: object, found: object):
    assert unlike_value(shown, found) is None


@pytest.mark.parametrize(("shown", "found"), DIFFERENT)
def test_an_answer_does_not_fit_if_something_shown_is_different(shown: object, found: object):
    assert unlike_value(shown, found)


def test_the_lines_of_an_answer_must_come_in_the_order_of_the_page():
    answer = Block("text", "", f"one\ntwo {LEFT_OUT}\n", is_answered=False)
    assert unlike(answer, "zero\none\n\ntwo three\n") is None
    assert unlike(answer, "two three\none\n")
    assert unlike(answer, "one\n")


def test_commands_without_an_answer_must_print_nothing():
    assert unlike(None, "\n") is None
    assert unlike(None, "curl: (7) Failed to connect")


def test_an_answer_that_is_no_json_does_not_fit():
    answer = Block("json", "", json.dumps({"id": LEFT_OUT}), is_answered=False)
    assert unlike(answer, "Internal Server Error")
