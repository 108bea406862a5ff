"""Wrong keys are slowed by address; a right one never is; an address is believed of named proxies alone."""

import time
from collections.abc import Callable

import pytest

from service import wrong_keys
from service.addresses import address_of, network_of
from store import keys
from store.settings import Settings, networks
from tests.service.conftest import Stage

WRONG = {"Authorization": "Bearer wrong"}


@pytest.fixture
def stage(make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(wrong_keys, "MOST_SECONDS", 0.05)
    return make_stage()


def test_wrong_keys_are_slowed_and_right_ones_are_not(stage: Stage) -> None:
    with stage.place.database.transaction() as session:
        _, secret = keys.create(session, "somebody", ["read"])
    right = {"Authorization": f"Bearer {secret}"}
    answers = [stage.client.get("/v1/jobs", headers=WRONG) for _ in range(wrong_keys.FREE + 3)]
    assert [answer.status_code for answer in answers] == [401] * wrong_keys.FREE + [429] * 3
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers[-3:])
    assert all(answer.headers["WWW-Authenticate"] == "Bearer" for answer in answers)
    began = time.monotonic()
    assert stage.client.get("/v1/jobs", headers=right).status_code == 200
    assert time.monotonic() - began < 5
    assert stage.client.get("/v1/jobs").status_code == 401  # no key is no wrong key


PROXIES = networks("10.0.0.0/8, ::1")
CHAINS: list[tuple[str, dict[str, str], str]] = [
    ("203.0.113.7", {"X-Forwarded-For": "1.2.3.4"}, "203.0.113.7"),
    ("203.0.113.7", {"Forwarded": "for=1.2.3.4"}, "203.0.113.7"),
    ("10.0.0.1", {}, "10.0.0.1"),
    ("10.0.0.1", {"X-Forwarded-For": "1.2.3.4"}, "1.2.3.4"),
    ("10.0.0.1", {"X-Forwarded-For": "6.6.6.6, 1.2.3.4, 10.0.0.9"}, "1.2.3.4"),
    ("10.0.0.1", {"X-Forwarded-For": "1.2.3.4:5678"}, "1.2.3.4"),
    ("10.0.0.1", {"Forwarded": 'for=6.6.6.6, for="[2001:db8::7]:4711";proto=https'}, "2001:db8::7"),
    ("10.0.0.1", {"Forwarded": "proto=https;for=1.2.3.4", "X-Forwarded-For": "6.6.6.6"}, "1.2.3.4"),
    ("10.0.0.1", {"Forwarded": "for=6.6.6.6, for=unknown"}, "10.0.0.1"),
    ("::1", {"X-Forwarded-For": "nonsense"}, "::1"),
]


@pytest.mark.parametrize(("peer", "fields", "expected"), CHAINS)
def test_the_address_behind_proxies(peer: str, fields: dict[str, str], expected: str) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    assert address_of({"type": "http", "client": (peer, 1), "headers": raw}, PROXIES) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("testclient", "testclient"),
    ],
)
def test_addresses_are_counted_by_subscriber(address: str, expected: str) -> None:
    assert network_of(address) == expected


def test_the_table_of_addresses_is_bounded() -> None:
    counts = wrong_keys.WrongKeys(Settings())._counts
    for number in range(wrong_keys.MOST_ADDRESSES + 100):
        counts[str(number)] = 1
    assert len(counts) == wrong_keys.MOST_ADDRESSES
