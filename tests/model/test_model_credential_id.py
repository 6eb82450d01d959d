from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.model.credential import credential_id, is_credential_id

TIMES = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    timezones=st.just(UTC),
)
RANDOMNESS = st.binary(min_size=10, max_size=10)


@given(TIMES, RANDOMNESS)
def test_it_is_a_uuid_of_version_7_with_the_time_in_it(
    time: datetime, randomness: bytes
) -> None:
    text = credential_id(time, randomness)
    uuid = UUID(text)
    assert is_credential_id(text)
    assert (uuid.version, uuid.variant) == (7, RFC_4122)
    milliseconds = (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert uuid.int >> 80 == milliseconds


def test_it_is_the_example_of_the_rfc() -> None:
    # RFC 9562, appendix A.6: 2022-02-22 14:22:22-05:00, rand_a CC3, rand_b 18C4DC0C0C07398F
    time = datetime(2022, 2, 22, 14, 22, 22, tzinfo=timezone(-timedelta(hours=5)))
    randomness = bytes.fromhex("0CC318C4DC0C0C07398F")
    assert credential_id(time, randomness) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(st.lists(st.tuples(TIMES, RANDOMNESS), min_size=2))
def test_ids_sort_by_the_time_of_their_creation(made: list[tuple[datetime, bytes]]) -> None:
    ids = sorted((credential_id(*one), one[0].replace(microsecond=0)) for one in made)
    seconds = [time for _, time in ids]
    assert seconds == sorted(seconds)


@given(TIMES, RANDOMNESS, RANDOMNESS)
def test_ids_of_the_same_moment_differ_by_their_randomness(
    time: datetime, one: bytes, other: bytes
) -> None:
    used = (1 << 62) - 1 | (0xFFF << 64)  # neither version nor variant
    differ = (int.from_bytes(one) ^ int.from_bytes(other)) & used
    assert (credential_id(time, one) != credential_id(time, other)) == bool(differ)


@pytest.mark.parametrize("size", [0, 9, 11, 16])
def test_too_little_randomness_is_an_error(size: int) -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        credential_id(datetime(2026, 1, 1, tzinfo=UTC), bytes(size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e279b07cc398c4dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
        "../17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    ],
)
def test_any_other_spelling_is_not_a_credential_id(text: str) -> None:
    assert not is_credential_id(text)
