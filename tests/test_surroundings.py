"""What a person has set, and what lies in a person's home, is not there in a test."""

import os

from tests.surroundings import AS_STARTED, KEPT


def test_nothing_that_a_person_has_set_decides_whether_a_test_passes() -> None:
    assert {name for name in os.environ if not KEPT.fullmatch(name)} == {"HOME", "LANG"}


def test_no_test_finds_what_lies_in_a_persons_home() -> None:
    assert os.environ["HOME"] != AS_STARTED.get("HOME")
