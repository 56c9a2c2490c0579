# SPDX-License-Identifier: ISC
"""
The table of telephone numbers (host/call/number_table.c) is what the library that it was made from
says: its region, its type and its time zones, for the library's own examples and for many others.
"""
import random
import subprocess

import pytest

import program

phonenumbers = pytest.importorskip("phonenumbers", reason="needs python3-phonenumbers")

from phonenumbers import timezone  # noqa: E402

TYPES = {phonenumbers.PhoneNumberType.FIXED_LINE: "fixed_line",
         phonenumbers.PhoneNumberType.MOBILE: "mobile",
         phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
         phonenumbers.PhoneNumberType.TOLL_FREE: "toll_free",
         phonenumbers.PhoneNumberType.PREMIUM_RATE: "premium_rate",
         phonenumbers.PhoneNumberType.SHARED_COST: "shared_cost",
         phonenumbers.PhoneNumberType.VOIP: "voip",
         phonenumbers.PhoneNumberType.PERSONAL_NUMBER: "personal_number",
         phonenumbers.PhoneNumberType.PAGER: "pager",
         phonenumbers.PhoneNumberType.UAN: "uan",
         phonenumbers.PhoneNumberType.VOICEMAIL: "voicemail"}
CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
LEAST_DIGITS = 7
RANDOM_PER_CODE = 60
NEIGHBOURS = 6


def look_up(numbers):
    """What our table says of each: (kind, region, type, zones)."""
    result = subprocess.run([program.BUILD / "tests/number_facts"], input="\n".join(numbers) + "\n",
                            capture_output=True, text=True, check=True, timeout=60)
    facts = []
    for line in result.stdout.splitlines():
        kind, region, found, *zones = line.split(" ")
        facts.append((kind, region, found, sorted(zones[0].split(",")) if zones else []))
    return facts


def number_of(text):
    """The library's object for a number in E.164, without the liberties that its parser takes."""
    code = next((int(text[1:1 + n]) for n in (1, 2, 3) if int(text[1:1 + n]) in CODES), None)
    if code is None:
        return None
    national = text[1 + len(str(code)):]
    zeros = len(national) - len(national.lstrip("0"))
    return phonenumbers.PhoneNumber(country_code=code, national_number=int(national),
                                    italian_leading_zero=zeros > 0 or None,
                                    number_of_leading_zeros=zeros if zeros > 1 else None)


def expected(text):
    number = number_of(text)
    if number is None:
        return None
    found = phonenumbers.number_type(number)
    zones = [z for z in timezone.time_zones_for_number(number) if z != timezone.UNKNOWN_TIMEZONE]
    region = phonenumbers.region_code_for_number(number)
    return ("known", region, TYPES[found], sorted(zones)) if found in TYPES else None


def agree(text, wanted, facts):
    """
    The zones of a number that does not say where it is are its region's. The library knows only
    those of its country code, which regions may share.
    """
    if wanted is None or facts[:3] != wanted[:3]:
        return wanted is None and facts[0] != "known"
    code = number_of(text).country_code
    is_placed = phonenumbers.is_number_geographical(number_of(text))
    is_shared = len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) > 1
    if is_shared and not is_placed:
        return set(facts[3]) <= set(wanted[3]) and facts[3]
    return facts[3] == wanted[3]


def examples():
    kinds = [k for k in TYPES if k != phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE]
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in kinds:
            number = phonenumbers.example_number_for_type(region, kind)
            if number:
                yield phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        number = phonenumbers.example_number_for_non_geo_entity(code)
        yield phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def neighbours(text, chance):
    """The same number with one digit changed, one more, one less."""
    for _ in range(NEIGHBOURS):
        at = chance.randrange(2, len(text))
        yield text[:at] + chance.choice("0123456789") + text[at + 1:]
    yield text[:-1]
    yield text + chance.choice("0123456789")


def sample():
    chance = random.Random(20221026)
    numbers = {n for example in examples() for n in (example, *neighbours(example, chance))}
    for code in CODES:
        for _ in range(RANDOM_PER_CODE):
            length = chance.randrange(LEAST_DIGITS - len(str(code)), 14 - len(str(code)))
            numbers.add(f"+{code}" + "".join(chance.choice("0123456789") for _ in range(length)))
    # North America shares one code among 25 regions and more than 40 zones.
    numbers |= {f"+1{area}555{line:04}" for area in range(200, 1000) for line in (100, 4321)}
    return sorted(n for n in numbers if LEAST_DIGITS < len(n) <= 16)


def test_the_table_says_what_the_library_says():
    numbers = sample()
    assert len(numbers) > 15000
    wrong, known = [], 0
    for text, facts in zip(numbers, look_up(numbers), strict=True):
        wanted = expected(text)
        known += wanted is not None
        if not agree(text, wanted, facts):
            wrong.append((text, wanted, facts))
    assert known > 5000
    assert not wrong, f"{len(wrong)} of {len(numbers)}, among them {wrong[:5]}"


def test_a_beginning_of_a_number_is_short():
    numbers = ["911", "112", "+1911", "+91100", "+4420", "+12025550"]
    assert [facts[0] for facts in look_up(numbers)] == ["short"] * len(numbers)
    assert look_up(["*100#"])[0][0] == "not_e164"


def test_the_table_is_what_its_script_makes_of_the_installed_package():
    script = program.ROOT / "packaging/make_numbers"
    made_from = (program.ROOT / "host/call/number_table.c").read_text("ascii").split("\n", 4)[2]
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "python3-phonenumbers"],
                             capture_output=True, text=True, check=False).stdout
    if f"python3-phonenumbers {version}," not in made_from:
        pytest.skip(f"the table was made from another version than {version}")
    result = subprocess.run([script, "--check"], capture_output=True, text=True, check=False,
                            timeout=120)
    assert result.returncode == 0, result.stderr
