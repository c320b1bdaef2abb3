"""Phone numbers in the texts that people type into a phone field [DM-5, rows 16, 50].

libphonenumber knows the numbers of all countries and finds them among remarks. Most numbers of a firm are plain numbers
of North America, for which one expression made from its metadata gives the same answer 20 times faster.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import (
    Leniency,
    PhoneNumber,
    PhoneNumberMatch,
    PhoneNumberMatcher,
    PhoneNumberType,
    phonemetadata,
)

from app.rules.texts import without_format_characters

MOST_CHARACTERS = 250  # of a field are read; libphonenumber takes no longer number either
MOST_PIECES = 4  # between slashes; a text with more of them is not split

_NORTH_AMERICA = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1])
_PLAIN = re.compile(r"\+?[0-9 ().\-]{3,40}")
_SIGNS = str.maketrans("", "", "+ ().-")  # of what _PLAIN matches, all but the digits
_PLAIN_START = re.compile(r"\+[0-9 ().\-/]*[0-9]|[0-9 ().\-]*[0-9]")
_LETTER_BY_DIGIT = re.compile(r"(?<=[^\W\d_])(?=[+(\d])|(?<=\d)(?=[^\W\d_])")
_BRACKETS = re.compile(r"\([^()]*[^\W\d_][^()]*\)|\[[^][]*\]")
_VANITY = re.compile(r"\+?([0-9 ().\-]*[0-9])([ ().\-]*)([A-Za-z][A-Za-z0-9 .\-]*)")
_TYPES = (
    "premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail",
    "fixed_line", "mobile",
)  # fmt: skip
_WITHOUT_AREA = frozenset(
    [
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.UAN,
    ]
)


def find_numbers(raw: str, country: str) -> tuple[str, ...]:
    """Return the valid numbers of a phone field in E.164, in its order, each once, without extensions.

    A number without a country code belongs to `country`. A remark is not part of a number. Letters become digits, as on
    a phone's keys, only where they complete a number: `1-800-FLOWERS`.
    """
    raw = raw if raw.isascii() else without_format_characters(raw)
    if _PLAIN.fullmatch(raw) and (digits := _north_american(raw, country)):
        return (f"+1{digits}",) if _is_valid_north_american(digits) else ()
    return _find(raw[:MOST_CHARACTERS].strip(), country)


@lru_cache(maxsize=10_000)
def _find(text: str, country: str) -> tuple[str, ...]:
    """Return the numbers of a text, whatever it is.

    A slash separates two numbers, or the area code from the rest. So what follows a piece that has no number belongs
    to it, and what follows a number does not: `030 123456/7` is not `030 1234567`.
    """
    if _PLAIN.fullmatch(text) and (number := _parse(text, country)):
        return (_e164(number),)
    pieces = re.split("/+", text, maxsplit=MOST_PIECES)
    found: dict[str, None] = {}
    begun: list[str] = []
    for piece in pieces if len(pieces) <= MOST_PIECES else [text]:
        begun.append(piece)
        if numbers := _find_in_piece("/".join(begun), country):
            found |= dict.fromkeys(map(_e164, numbers))
            begun.clear()
    return tuple(found)


def _find_in_piece(piece: str, country: str) -> list[PhoneNumber]:
    """Return the numbers of a piece: as libphonenumber finds them, or at its start, or a number with letters."""
    spaced = _LETTER_BY_DIGIT.sub(" ", piece)
    matcher = PhoneNumberMatcher(spaced, country, leniency=Leniency.VALID)
    if found := [match.number for match in matcher if _is_whole(match)]:
        return found
    start = _PLAIN_START.match(piece)
    number = start and _parse(start[0], country)
    number = number or _parse_vanity(_BRACKETS.sub("", piece).strip(), country)
    return [number] if number else []


def _is_whole(match: PhoneNumberMatch) -> bool:
    """Return whether it is a whole number: not one that lacks its area code, nor the end of a longer one."""
    national = phonenumbers.national_significant_number(match.number)
    if match.number.country_code == 1 and len(national) < 10:
        return False
    return len(national) <= sum(char.isdigit() for char in match.raw_string)


def _parse_vanity(text: str, country: str) -> PhoneNumber | None:
    """Return a number with letters.

    The letters may be a remark unless they follow an area code, or an area code and an exchange of North America, and
    are capitals or joined to the digits. Numbers that belong to no area, like toll-free ones, need only one of this.
    """
    parts = _VANITY.fullmatch(text)
    number = parts and _parse(text, country)
    if not parts or not number:
        return None
    digits = len(
        re.sub("[^0-9]", "", parts[1]).removeprefix("1" if number.country_code == 1 else "")
    )
    is_joined = parts[3].isupper() or " " not in parts[2]
    if phonenumbers.number_type(number) in _WITHOUT_AREA:
        return number if is_joined or digits <= 4 else None
    return number if is_joined and number.country_code == 1 and digits in (3, 6) else None


def _parse(text: str, country: str) -> PhoneNumber | None:
    """Return the whole text as a valid number, or None."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _north_american(raw: str, country: str) -> str | None:
    """Return the ten digits of a plain number of North America, or None if it may be something else."""
    digits = raw.translate(_SIGNS)
    has_code = len(digits) == 11 and digits[0] == "1"
    if not has_code and not (len(digits) == 10 and raw[0] != "+"):
        return None
    if raw[0] != "+" and country not in _NORTH_AMERICA:
        return None
    national = digits[-10:]
    return national if national[0] not in "01" else None


def _expression() -> re.Pattern[str]:
    """Return an expression for the ten digits of every valid number of North America, from the library's metadata."""
    found = []
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1]:  # the United States are the first
        known = phonemetadata.PhoneMetadata.metadata_for_region(region)
        if known is None or known.general_desc is None:
            continue
        kinds = (getattr(known, name) for name in _TYPES)
        patterns = [kind.national_number_pattern for kind in kinds if kind]
        any_kind = "|".join(f"(?:{pattern})" for pattern in patterns if pattern)
        start = f"(?={known.leading_digits})" if known.leading_digits else ""
        found.append(f"{start}(?=(?:{known.general_desc.national_number_pattern})$)(?:{any_kind})$")
    return re.compile("|".join(f"(?:{one})" for one in found))


_is_valid_north_american = _expression().match
