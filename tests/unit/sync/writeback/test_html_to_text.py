"""HTML to plain text: it says what the mail said, is safe, and takes seconds at most."""

import asyncio
import html
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.texts import tidied
from app.sync.writeback.formatting import format_body
from app.sync.writeback.html_renderer import MAX_DEPTH
from app.sync.writeback.html_to_text import html_to_text
from app.sync.writeback.plain_text import clean

MAILS = sorted(Path("tests/data/mails").glob("*.html"))
SMALL: list[dict[str, Any]] = json.loads(Path("tests/data/cases.json").read_text())["html"]


@pytest.mark.parametrize("mail", MAILS, ids=[mail.stem for mail in MAILS])
def test_a_mail_becomes_the_text_that_its_reader_sees(mail: Path):
    # WB-9, row 52: each file shows one kind of content, or the replies of one mail program
    assert html_to_text(mail.read_text()) + "\n" == mail.with_suffix(".txt").read_text()


@pytest.mark.parametrize("case", SMALL, ids=[f"{case['id']} {case['kind']}" for case in SMALL])
def test_a_small_input_keeps_what_it_says(case: dict[str, Any]):
    # row 52
    text = html_to_text(case["html"])
    assert [part for part in case.get("has", []) if part not in text] == []
    assert [part for part in case.get("hasnt", []) if part in text] == []
    assert [part for part in case.get("regex", []) if not re.search(part, text)] == []


CASES = [
    ("<p>One</p><p>Two</p>", "One\n\nTwo"),
    ("<div>One</div><div>Two<br>Three</div>", "One\nTwo\nThree"),
    ("One &amp; two &lt;three&gt; &nbsp;&copy;", "One & two <three> ©"),
    ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
    ("<ul><li>One<li>Two</ul>", "- One\n- Two"),
    ("<style>p{}</style><script>alert(1)</script><title>x</title>Hi", "Hi"),
    ("<img src=x onerror=alert(1)>Hi", "Hi"),
    ("<!-- [if mso]><p>Old</p><![endif] -->Hi", "Hi"),
    ('<a href="https://a.test/?x=1&amp;y=2">Read</a>', "Read (https://a.test/?x=1&y=2)"),
    ('<a href="mailto:a@b.test">a@b.test</a>', "a@b.test"),
    ('<a href="javascript:alert(1)">Click</a>', "Click"),
    ("<table><tr><td>A</td><td>B</td></tr></table>", "A | B"),
    ("a\r\n  b", "a b"),
    ("<p>\u202eevil\u202c</p>&#8238;", "evil"),
    ("&#0;&#xd800;", "\ufffd\ufffd"),
    ("", ""),
    ("<!-- nothing -->", ""),
    ("a\0b\ud83d", "ab"),
    ("<p>a</p>" * 3, "a\n\na\n\na"),
    ("<p>unclosed<p>again", "unclosed\n\nagain"),
    ("</p></div>x</span>", "x"),
    ("<b><p>x</b>y</p>", "xy"),
    (
        '<a href="https://a.test">1<a href="https://b.test">2',
        "1 (https://a.test)2 (https://b.test)",
    ),
    ("<s><table><tr><td>a</td></tr></table></s>", "[deleted: a]"),
    ("<del></del><del> <img alt=''></del>x", "x"),
    ("<s>a <s>b</s> c</s>", "[deleted: a b c]"),
    ("<td>no table</td><tr><li>no list</li>", "no table\n- no list"),
    ("<ol start='x'><li value='-2'>a<li>b</ol>", "-2. a\n-1. b"),
    (
        "<ol type=a start=26><li>a<li>b</ol><ol type=I start=4000><li>c</ol>",
        "z. a\naa. b\n\n4000. c",
    ),
    ("<li><ol><li>a</ol>", "- 1. a"),
    ("<ul><li></li><li>a</li></ul>b", "- a\n\nb"),
    ("<p style='display:none'>a</p><p style='DISPLAY : NONE !important'>b</p>c", "c"),
    ("<div style='white-space:pre'>a<div style='white-space:normal'>b  c</div></div>", "a\nb c"),
    ("<pre>\n\na\r\nb</pre>", "a\nb"),
    ("<table><tr><td>a<td hidden>b<td>c</table>", "a | c"),
    ("<table><tr><td><td>a<tr><td>b", "a\nb"),
    ("<meta charset=iso-8859-1>é", "é"),
    ("<p> </p>", ""),
    (  # what Apple Mail indents is the author's own text
        'a<blockquote class="webkit-indent-blockquote" style="margin: 0 0 0 40px; border: none; padding: 0px;">b'
        "</blockquote>c",
        "a\n    b\nc",
    ),
    ("2 < 3 and 4 > 3", "2 < 3 and 4 > 3"),
    (f'<img src="data:image/png;base64,{"A" * 100_000}">Hi', "Hi"),
]


@pytest.mark.parametrize(("source", "text"), CASES, ids=range(len(CASES)))
def test_html_becomes_the_text_that_a_reader_sees(source: str, text: str):
    # WB-9
    assert html_to_text(source) == text


def test_many_elements_side_by_side_are_not_deeply_nested():
    # WB-9
    assert html_to_text("<p><i>x</i>" * (MAX_DEPTH + 1)) == "\n\n".join(["x"] * (MAX_DEPTH + 1))


def test_a_mail_that_is_nested_too_deeply_keeps_its_text_without_comments_scripts_and_styles():
    # WB-9: Word's comments and style sheets were in the note
    word = "<!--[if mso]><div><style>p{}</style><![endif]--><style>a > b {}</style><script>'<p>'</script>"
    source = (
        "<div><span>" * MAX_DEPTH
        + f"{word}<p>O<b>n</b>e</p><ul><li>Two</li></ul>"
        + "</span></div>" * MAX_DEPTH
        + "Three"
    )
    assert html_to_text(source) == "One\n\n- Two\n\nThree"
    shallow = "<div>" * (MAX_DEPTH - 10) + f"{word}<blockquote>One</blockquote>"
    assert html_to_text(shallow) == "> One"


@given(st.text())
def test_escaped_text_says_the_same(text: str):
    # WB-9
    said = html_to_text(f"<p>{html.escape(text)}</p>")
    assert said.split() == clean(tidied(text)).split()


TAGS = [
    "p", "div", "table", "tr", "td", "li", "ol", "ul", "del", "s", "a href=https://x.test", "blockquote", "pre", "sup",
    "br", "p hidden", "b style=font-size:0", "span style=white-space:pre",
]  # fmt: skip
OTHERS = ["<!--", "-->", "<![if x]>", "word ", "\n", "&lt;", "&", "<", ">", "\xa0"]
PIECES = st.sampled_from([*(f"<{tag}>" for tag in TAGS), *(f"</{tag}>" for tag in TAGS), *OTHERS])


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_nesting_is_converted_and_is_clean(source: str):
    # T12
    text = html_to_text(source)
    assert text == clean(text)


SHARE = int(os.environ.get("HTML_SHARE", "4"))  # noqa: TID251  # size of a test, not configuration


def many(count: int) -> int:
    """Return how often a part is repeated; all of it in `make nightly`."""
    return count // SHARE


HOSTILE = {
    "ampersands": "&" * many(2_000_000),
    "entities": "&amp;" * many(400_000),
    "deep": "<div>" * many(400_000),
    "deep as allowed": "<div>" * 499 + "<p>x</p>" * many(200_000),
    "attributes": "<img" + "".join(f" b{nth}=c" for nth in range(many(200_000))) + ">",
    "open tags": "<a " * many(600_000),
    "less-than signs": "<" * many(2_000_000),
    "comments": "<!--" * many(500_000),
    "misnested": "<b><p></b></p>" * many(140_000),
    "spaces": "a" + "&#32;" * many(400_000) + "b",
    "links": '<a href="x">' * many(160_000),
    "cells": "<table><td>" * many(180_000),
    "end tags of nothing": "<div>" * 490 + "</b>" * many(490_000),
    "deep, then end tags": "<div>" * many(200_000) + "</b>" * many(250_000),
    "struck out": "<del>" * 490 + "<p>x" * many(60_000),
    "quotes": "<blockquote>" * 490 + "<p>x" * many(60_000),
    "lists": "<ul><li>" * 240 + "<li>x" * many(60_000),
    "tables": "<table><tr><td>" * 160 + "<p>x" * many(60_000),
    "styles": "".join(f'<p style="a{nth}:b">x' for nth in range(many(40_000))),
    "deep, then a long name": "<div>" * 600 + "<" + "a" * many(1_900_000),
    "scripts": "<script><!--" * many(160_000),
    "lines as typed": "<pre>" + "\n" * many(1_900_000),
    "invisible": "\u200b" * many(660_000),
    "no character": "\0" * many(2_000_000),
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_mail_of_megabytes_is_converted_in_seconds(source: str):
    # T12: with a parser that builds a tree, some took minutes or did not end
    began = time.process_time()
    html_to_text(source)
    assert time.process_time() - began < 15


async def test_other_requests_go_on_while_a_mail_is_converted():
    # WB-9
    turns = 0
    async with asyncio.TaskGroup() as group:
        task = group.create_task(asyncio.to_thread(format_body, "<p>x" * 40_000, "html"))
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
    assert task.result().startswith("x\n\nx")
    assert turns > 20
