"""The words by which a person or a company is found, and what a search asks for.

A search finds beginnings of words: of names and of the company's name, of e-mail addresses and their domains, and of
the digits of phone numbers, also from the end. All words are in the compared form [row 51]. An exact Clio id finds its
record.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TypeVar

import phonenumbers

from app.rules.phone_numbers import find_numbers
from app.rules.records import ContactRecord, Email, Phone
from app.rules.results import Profile
from app.rules.texts import compared, shown, usable_address

F = TypeVar("F", Email, Phone)

VERSION = 2  # of the words: raise it when contacts get other words, and an upgrade makes them again
MOST_WORDS = 500  # of one record: the names come first, then addresses and numbers in their order
MOST_CHARACTERS = 64  # of a word
MOST_TERMS = 8  # of a search
FROM_THE_END = "#"  # begins the digits of a number in reverse order; no other word begins with it
MARK = "="  # begins the words of lists' conditions on what is published, which no search finds
LEAST_FROM_THE_END = 4  # digits
_MOST_PARTS = 6  # of a name with hyphens or the like
_MOST_DIGITS = 20
_FIELDS_WITH_WORDS = (
    *("is_person", "name", "first_name", "middle_name", "last_name", "company_name"),
    *("emails", "phones"),
)
_LAST = "\U0010ffff"
# Signs that begin, end or divide words: those of ASCII, Latin-1 and the general, Asian and wide forms.
_SIGNS = (
    r"!-/:-@\[-`{-~\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u2010-\u2027\u2030-\u205e"
    r"\u3001-\u3003\u3008-\u301f\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_EDGES = re.compile(f"^[{_SIGNS}]+|[{_SIGNS}]+$")
_DIVIDED = re.compile(f"[{_SIGNS}]+")
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\uff07", "'"))
_NUMBER = re.compile(r"[+(]*[0-9][0-9().\-/+]*|[().\-/+]+")


@dataclass(frozen=True)
class Term:
    """One word of a search. A record has it if a word of it begins with one of `starts`, or if it has the Clio id."""

    starts: tuple[str, ...]
    clio_id: int | None = None


def words_of_record(record: ContactRecord, country: str) -> frozenset[str]:
    """Return the words of a Clio contact; phone numbers without a country code belong to the account's country."""
    texts = (record.first_name, record.middle_name, record.last_name, record.company_name)
    found = _text_words(texts)
    if not record.is_person or not (shown(record.first_name) or shown(record.last_name)):
        found |= _text_words((record.name,))
    for email in _primary_first(record.emails):
        if address := usable_address(email.address):
            found |= dict.fromkeys(_address_words(address))
    for phone in _primary_first(record.phones):
        if compared(phone.number):
            raw = phone.number.strip()
            for number in find_numbers(raw, country) or (None,):
                found |= dict.fromkeys(_number_words(number, raw, country))
    return _bounded(found)


def may_differ_in_words(one: ContactRecord, other: ContactRecord) -> bool:
    """Return whether two versions of a contact have different values in a field that has words."""
    return any(getattr(one, name) != getattr(other, name) for name in _FIELDS_WITH_WORDS)


def words_of_profile(profile: Profile, country: str) -> frozenset[str]:
    """Return the words of a person as Levitate holds it."""
    company = profile.company.name if profile.company else None
    found = _text_words((profile.first_name, profile.middle_name, profile.last_name, company))
    for email in profile.emails:
        found |= dict.fromkeys(_address_words(email.address))
    for phone in profile.phones:
        found |= dict.fromkeys(_number_words(phone.number, phone.raw, country))
    return _bounded(found)


def parse_search(text: str, country: str) -> tuple[Term, ...]:
    """Return what a search in an account of this country asks for: a record must have all terms.

    Without a letter or digit there are none. Groups of digits are one number, as in `919 555 0102`, if they have five
    digits or more or begin with a country code. Of more terms than `MOST_TERMS` the longest count.
    """
    found: dict[str, Term] = {}
    code = _code_of(country)
    for word in _joined(compared(text.translate(_APOSTROPHES)).split(), code):
        if term := _term(word, code):
            found.setdefault(term.starts[0], term)
    needed = [
        term
        for first, term in found.items()
        if not any(other != first and other.startswith(first) for other in found)
    ]
    return tuple(sorted(needed, key=lambda term: -len(term.starts[0]))[:MOST_TERMS])


def has_terms(words: Collection[str], clio_id: int, terms: Iterable[Term]) -> bool:
    """Return whether a record with these words has all terms."""
    return all(
        term.clio_id == clio_id or any(word.startswith(term.starts) for word in words)
        for term in terms
    )


def after_all(start: str) -> str:
    """Return a text that sorts after every word that begins with `start`, by code points."""
    return start + _LAST


def _bounded(found: Iterable[str]) -> frozenset[str]:
    return frozenset(islice(found, MOST_WORDS))


def _primary_first(listed: Sequence[F]) -> Sequence[F]:
    return sorted(listed, key=lambda one: not one.primary) if len(listed) > 1 else listed


def _text_words(texts: Iterable[str | None]) -> dict[str, None]:
    found: dict[str, None] = {}
    for text in texts:
        if text:
            found |= dict.fromkeys(_name_words(text))
    return found


@lru_cache(maxsize=20_000)
def _name_words(text: str) -> tuple[str, ...]:
    """Return the words of a name, and the parts that follow a hyphen or another sign within a word."""
    found = list[str]()
    for word in compared(text.translate(_APOSTROPHES)).split():
        if word.isalnum():  # most are
            found.append(word[:MOST_CHARACTERS])
            continue
        whole = _EDGES.sub("", word)
        parts = [match.end() for match in _DIVIDED.finditer(whole)][: _MOST_PARTS - 1]
        found += [whole[begin : begin + MOST_CHARACTERS] for begin in (0, *parts)]
    return tuple(word for word in found if word)


def _address_words(address: str) -> Iterator[str]:
    """Yield the words of an e-mail address: the whole one, which its local part begins, and its domain."""
    whole = compared(address).replace(" ", "")
    if not (whole[:1].isalnum() and whole[-1:].isalnum()):
        whole = _EDGES.sub("", whole)
    for word in (whole, whole.rpartition("@")[2]):
        if word:
            yield word[:MOST_CHARACTERS]


def _number_words(number: str | None, raw: str, country: str) -> Iterator[str]:
    """Yield the digits of a number, from the front and from the end.

    Those of the account's country are without its code, which a search leaves out too. Others are with and without.
    """
    if number is None:
        digits = _digits(raw)[:_MOST_DIGITS]
        if digits:
            yield digits
            yield FROM_THE_END + digits[::-1]
        return
    digits, own = number[1:], _code_of(country)
    if own and digits.startswith(own):
        yield digits[len(own) :]
    else:
        yield digits
        if code := _country_code(digits):
            yield digits[len(code) :]
    yield FROM_THE_END + digits[::-1]


@lru_cache(maxsize=300)
def _code_of(country: str) -> str:
    """Return the country code of a country, empty if it is not known."""
    code = phonenumbers.country_code_for_region(country)
    return str(code) if code else ""


def _country_code(digits: str) -> str | None:
    """Return the country code with which the digits of a number begin: no code is the beginning of another one."""
    codes = (digits[:length] for length in (1, 2, 3))
    return next(
        (code for code in codes if int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), None
    )


def _digits(text: str) -> str:
    return re.sub("[^0-9]", "", text)


def _joined(words: Iterable[str], code: str) -> Iterator[str]:
    """Yield the words of a search; neighbours that are parts of a phone number are one word."""
    run: list[str] = []
    for word in (*words, ""):
        if word and _NUMBER.fullmatch(word):
            run.append(word)
            continue
        number = "".join(run)
        is_one = number.startswith("+") or (run and run[0].lstrip("0") == code)
        yield from [number] if is_one or len(_digits(number)) >= _LEAST_JOINED else run
        run = []
        if word:
            yield word


_LEAST_JOINED = 5  # digits


def _term(word: str, code: str) -> Term | None:
    """Return the term of a word of a search, None if it has only signs; `code` is that of the account's country."""
    start = _EDGES.sub("", word)[:MOST_CHARACTERS]
    if not start:
        return None
    if not _NUMBER.fullmatch(word):
        return Term((start,))
    digits = _digits(word)[:_MOST_DIGITS]
    significant = digits.lstrip("0")
    national = significant.removeprefix(code)
    starts = dict.fromkeys(one for one in (digits, start, significant, national) if one)
    if len(digits) >= LEAST_FROM_THE_END:
        starts[FROM_THE_END + digits[::-1]] = None
    return Term(tuple(starts), int(digits) if 0 < int(digits) < 2**63 else None)
