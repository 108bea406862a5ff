from typing import Any

import pytest
from sqlalchemy import select

from store import keys
from store.database import Database
from store.errors import NotFound
from store.keys import LOCAL, Caller
from store.tables import Table


def create(database: Database, owner: str = "ana", scopes: tuple[str, ...] = ("read",), **given: Any) -> tuple[str, str]:
    """The key's id and its secret."""
    with database.transaction() as session:
        key, secret = keys.create(session, owner, list(scopes), **given)
        return key.id, secret


def ask(database: Database, secret: str) -> Caller | None:
    with database.reading() as session:
        return keys.caller(session, secret)


def test_a_secret_speaks_for_its_owner(database: Database) -> None:
    _, secret = create(database, "ana", ("read", "write"))
    _, other = create(database, "rui", ("admin",))
    assert ask(database, secret) == Caller("ana", frozenset({"read", "write"}))
    assert ask(database, other) == Caller("rui", frozenset({"admin"}))


@pytest.mark.parametrize("secret", ["", "vidro_", "vidro_ana", "é", "'; DROP TABLE api_keys; --", "a" * 10_000])
def test_any_other_speaks_for_nobody(database: Database, secret: str) -> None:
    create(database)
    assert ask(database, secret) is None


def test_the_secret_is_nowhere_in_the_database(database: Database) -> None:
    _, secret = create(database)
    with database.reading() as session:
        stored = repr([session.execute(select(table)).all() for table in Table.metadata.sorted_tables])
    assert "'ana'" in stored
    assert secret not in stored
    assert secret.removeprefix("vidro_") not in stored


def test_secrets_are_long_and_differ(database: Database) -> None:
    secrets = {create(database)[1] for _ in range(20)}
    assert len(secrets) == 20
    assert all(secret.startswith("vidro_") and len(secret) >= 49 for secret in secrets)


def test_revoked_it_speaks_for_nobody(database: Database) -> None:
    key_id, secret = create(database)
    _, kept = create(database)
    with database.transaction() as session:
        keys.revoke(session, key_id)
    assert ask(database, secret) is None
    assert ask(database, kept) is not None


def test_revoking_what_is_not_there(database: Database) -> None:
    with pytest.raises(NotFound, match="key_none"), database.transaction() as session:
        keys.revoke(session, "key_none")


def test_a_given_secret_is_taken_up_once(database: Database) -> None:
    first, secret = create(database, secret="a secret of one's own")
    assert create(database, secret=secret) == (first, secret)
    assert ask(database, secret) == Caller("ana", frozenset({"read"}))


def test_configured_says_whether_there_is_any(database: Database) -> None:
    with database.transaction() as session:
        assert not keys.configured(session)
        key, _ = keys.create(session, "ana", ["read"])
        assert keys.configured(session)
        keys.revoke(session, key.id)
        assert not keys.configured(session)


@pytest.mark.parametrize(
    ("caller", "sees"),
    [(Caller("ana", frozenset({"read", "write"})), "ana"), (Caller("ana", frozenset({"admin"})), None), (LOCAL, None)],
)
def test_an_admin_sees_what_is_others(caller: Caller, sees: str | None) -> None:
    assert caller.sees == sees
