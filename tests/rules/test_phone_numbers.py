"""Phone numbers among what people type beside them: DM-5, rows 16, 50."""

import os
import random
import re
import time
import unicodedata
from collections import Counter

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.rules.phone_numbers import MOST_CHARACTERS, find_numbers

NUMBERS = [
    # plain numbers, of the account's country and with a country code
    ("919 555 0101", "US", ["+19195550101"]),
    ("(919) 555-0101", "US", ["+19195550101"]),
    ("1.919.555.0101", "CA", ["+19195550101"]),
    ("+1 919-555-0101", "GB", ["+19195550101"]),
    ("020 7946 0958", "GB", ["+442079460958"]),
    ("030/123456", "DE", ["+4930123456"]),
    ("+49/30/123456", "DE", ["+4930123456"]),
    ("919/555-0102", "US", ["+19195550102"]),
    ("03-1234-5678", "JP", ["+81312345678"]),
    ("９１９-555-0102", "US", ["+19195550102"]),
    ("011 49 30 123456", "US", ["+4930123456"]),
    ("0911 1234567", "US", []),
    ("555 0101", "US", []),
    ("1 111 555 0101", "US", []),
    ("+999 12345", "US", []),
    ("919 555 0101", "ZZ", []),
    # extensions
    ("919 555 0101 ext. 22", "US", ["+19195550101"]),
    ("919-555-0102x22", "US", ["+19195550102"]),
    ("030 123456-0 Durchwahl 12", "DE", ["+49301234560"]),
    ("919-555-0102 #", "US", ["+19195550102"]),
    ("919-555-0102 (#22)", "US", ["+19195550102"]),
    # remarks
    ("919-555-0102cell", "US", ["+19195550102"]),
    ("cell919-555-0102", "US", ["+19195550102"]),
    ("Home: (919) 555-0102 - call after 5", "US", ["+19195550102"]),
    ("30 123456 (Mutter)", "DE", ["+4930123456"]),
    ("03-1234-5678（自宅）", "JP", ["+81312345678"]),
    ("*67 919-555-0102", "US", ["+19195550102"]),
    ("call the office", "US", []),
    ("12 Elm St, Raleigh 27601", "US", []),
    ("", "US", []),
    # several numbers
    ("919-555-0102 919-555-0103", "US", ["+19195550102", "+19195550103"]),
    ("919-555-0102/919-555-0103", "US", ["+19195550102", "+19195550103"]),
    ("919-555-0102; 919-555-0103, 919-555-0104", "US", ["+19195550102", "+19195550103", "+19195550104"]),
    ("919-555-0102\n919-555-0103", "US", ["+19195550102", "+19195550103"]),
    ("919-555-0102 & 1-919-555-0102", "US", ["+19195550102"]),
    ("030 1234\n030 1235", "DE", ["+49301234", "+49301235"]),
    ("030 1234/030 1235", "DE", ["+49301234", "+49301235"]),
    ("030/123456 (Mutter) / 030/654321", "DE", ["+4930123456", "+4930654321"]),
    ("020 7946 0958 or +33 6 12 34 56 78", "GB", ["+442079460958", "+33612345678"]),
    ("030 123456/7", "DE", ["+4930123456"]),
    ("919-555-0102/03", "US", ["+19195550102"]),
    # letters as digits
    ("1-800-flowers", "US", ["+18003569377"]),
    ("(800) Flowers", "US", ["+18003569377"]),
    ("1 800 FLOWERS (toll free)", "US", ["+18003569377"]),
    ("1-800-GO-FEDEX ext 4", "US", ["+18004633339"]),
    ("1-800-FLOWERS / 919-555-0102", "US", ["+18003569377", "+19195550102"]),
    ("+1 800 FLOWERS", "GB", ["+18003569377"]),
    ("919-555-HELP", "US", ["+19195554357"]),
    ("0800 MUTTERN", "DE", ["+498006888376"]),
    # a number of an island without its area code, and the end of a number that is not valid
    ("321-7921", "BS", ["+12423217921"]),
    ("321-7921 (cell)", "BS", ["+12423217921"]),
    ("(085) 321-7921", "BS", []),
    ("(085) 321-7921 (cell)", "BS", []),
    ("(187) 310-2972", "US", []),
    ("011 15-2345-6789 (celu)", "AR", ["+5491123456789"]),
    # no letters as digits: the number that would come out is not there
    ("919 555 (home)", "US", []),
    ("919 555 home", "US", []),
    ("919-2102 FAX", "US", []),
    ("0800 123 Mutter", "DE", []),
    ("069 12 Mutter", "DE", []),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "country", "expected"), NUMBERS)
def test_the_numbers_of_a_field_are_found_without_what_is_written_beside_them(
    raw: str, country: str, expected: list[str]
):
    assert list(find_numbers(raw, country)) == expected


DIGITS = st.text("0123456789", min_size=2, max_size=11)
REMARKS = ["cell", "HOME", "Mutter", "(work)", "or", "x", "ext.", "#", "c/o", "FAX"]
STARTS = ["1-800-", "+49 ", "+1 ", "0", "030 ", "919", "555"]
SIGNS = [" ", " ", "-", "/", ",", "(", ")", ".", "\n", "\u202d"]
PARTS = DIGITS | st.sampled_from([*REMARKS, *STARTS, *SIGNS])
FIELDS = st.lists(PARTS, max_size=9).map("".join)
COUNTRIES = st.sampled_from(["US", "CA", "DE", "GB", "FR", "AU", "IE", "JP"])
KEYS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")


@given(FIELDS, COUNTRIES)
@example("1-800-FLOWERS or 919 555 0102", "US")
@example("030 123456/030 123457", "DE")
def test_the_digits_of_a_number_stand_in_the_field_in_this_order(raw: str, country: str):
    # row 50: never a number that is not there
    typed = raw.upper().translate(KEYS)
    for number in find_numbers(raw, country):
        parsed = phonenumbers.parse(number)
        assert phonenumbers.is_valid_number(parsed)
        there = iter([unicodedata.digit(char) for char in typed if char.isdigit()])
        national = phonenumbers.national_significant_number(parsed)
        assert all(int(digit) in there for digit in national), "each behind the one before it"


SHAPES = [
    "{}{}{}",
    "({}) {}-{}",
    "{}-{}-{}",
    "{}.{}.{}",
    "+1 {} {} {}",
    "+1{}{}{}",
    "1 {} {} {}",
    " {} {} {} ",
]
NORTH_AMERICAN = st.builds(
    lambda shape, digits: shape.format(digits[:3], digits[3:6], digits[6:]),
    st.sampled_from(SHAPES),
    st.text("0123456789", min_size=10, max_size=10) | st.from_regex(r"\A[2-9][0-8]\d[2-9]\d{6}\Z"),
)


@given(
    NORTH_AMERICAN | st.text("0123456789 ()-.+", max_size=20),
    st.sampled_from(["US", "CA", "BS", "JM", "GB"]),
)
def test_a_plain_number_of_north_america_is_read_as_libphonenumber_reads_it(raw: str, country: str):
    # the expression made from the library's metadata gives the library's answer
    try:
        number = phonenumbers.parse(raw, country)
    except phonenumbers.NumberParseException:
        return
    if phonenumbers.is_valid_number(number):
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        assert find_numbers(raw, country) == (e164,)
    elif re.fullmatch(r"\D*1?\d{10}\D*", re.sub("[ ().-]", "", raw)):
        assert find_numbers(raw, country) == ()


def test_numbers_of_every_area_are_valid_exactly_when_libphonenumber_says_so():
    """Of each area code some numbers; `PHONE_NUMBERS` says how many in all."""
    dice = random.Random(50)  # noqa: S311
    each = int(os.environ.get("PHONE_NUMBERS", "4000")) // 800  # noqa: TID251  # size of a test
    found = Counter[bool]()
    for area in range(200, 1000):
        for _ in range(each):
            raw = f"{area}{dice.randrange(10**7):07}"
            is_valid = phonenumbers.is_valid_number(phonenumbers.parse(raw, "US"))
            assert find_numbers(raw, "US") == ((f"+1{raw}",) if is_valid else ()), raw
            found[is_valid] += 1
    assert min(found.values()) > each * 100
    assert found.total() == each * 800


HOSTILE = [
    "1/",
    "12 ",
    "(1",
    "1x",
    "+1 ",
    "1 ext ",
    "123456 x",
    "9195550102 ",
    "1,",
    "(A",
    "1-A",
    "919-555-010x/",
]


@pytest.mark.parametrize("part", HOSTILE)
def test_a_field_of_megabytes_is_read_in_no_time(part: str):
    # T12: only its beginning is read
    raw = part * (2_000_000 // len(part))
    began = time.process_time()
    find_numbers(raw, "US")
    assert time.process_time() - began < 2
    late = " " * MOST_CHARACTERS + "x" * MOST_CHARACTERS + " 919-555-0102"
    assert find_numbers(late, "US") == ()
