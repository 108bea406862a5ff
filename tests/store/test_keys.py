from typing import Any

import pytest
from sqlalchemy import event, select

from store import keys
from store.database import Database
from store.errors import Conflict, InvalidKey, KeyExpired, NotFound
from store.key_uses import KeyUses
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


def test_a_server_that_had_keys_stays_closed_until_told_otherwise(database: Database) -> None:
    with database.transaction() as session:
        assert not keys.configured(session)
        key, _ = keys.create(session, "ana", ["read"])
        assert keys.configured(session)
        keys.revoke(session, key.id)
    with database.transaction() as session:
        assert keys.configured(session)
        assert keys.open_to_all(session) == 1
        assert not keys.configured(session)


def test_a_revoked_key_stays_listed_and_is_not_taken_up_again(database: Database) -> None:
    key_id, secret = create(database)
    with database.transaction() as session:
        keys.revoke(session, key_id)
    with database.reading() as session:
        (key,) = keys.listed(session)
        assert key.id == key_id
        revoked_at = key.revoked_at
        assert revoked_at is not None
    with database.transaction() as session:
        keys.revoke(session, key_id)
        assert keys.listed(session)[0].revoked_at == revoked_at
    with pytest.raises(Conflict, match="is revoked"):
        create(database, secret=secret)


def test_a_key_ends_when_it_was_said_to(database: Database) -> None:
    with database.reading() as session:
        clock = database.clock(session)
    over, secret = create(database, expires_at=clock - 1)
    to_come, other = create(database, expires_at=clock + 60)
    with pytest.raises(KeyExpired, match=f"{over} expired at 20"):
        ask(database, secret)
    assert ask(database, other) == Caller("ana", frozenset({"read"}))
    with database.reading() as session:
        assert keys.valid(session, [over, to_come]) == {to_come}
        assert keys.configured(session)


def test_which_callers_would_be_let_in_now(database: Database) -> None:
    with database.transaction() as session:
        assert keys.valid(session, [None, "key_none"]) == {None}
        assert keys.valid(session, []) == set()
        first, second = (keys.create(session, "ana", ["read"])[0].id for _ in range(2))
        assert keys.valid(session, [None, first, second]) == {first, second}
        keys.revoke(session, first)
    with database.reading() as session:
        assert keys.valid(session, [None, first, second]) == {second}


@pytest.mark.parametrize("owner", ["", " ", " ana", "ana\n", "a\x00na", "a\x1b[31mna", "a\u202ena", "a" * 201])
def test_an_owner_that_is_none_is_refused(database: Database, owner: str) -> None:
    with pytest.raises(InvalidKey, match="owner"):
        create(database, owner)
    with pytest.raises(InvalidKey, match="name"):
        create(database, name=owner)
    with database.reading() as session:
        assert not keys.configured(session)


@pytest.mark.parametrize("scopes", [(), ("",), ("read", "root")])
def test_scopes_that_are_none_are_refused(database: Database, scopes: tuple[str, ...]) -> None:
    with pytest.raises(InvalidKey, match="read, write, admin"):
        create(database, "ana", scopes)


def test_a_given_secret_is_not_taken_up_for_another(database: Database) -> None:
    key_id, secret = create(database, "ana", ("read", "write"))
    assert create(database, "ana", ("write", "read"), secret=secret) == (key_id, secret)
    for owner, scopes in (("rui", ("read", "write")), ("ana", ("read", "write", "admin"))):
        with pytest.raises(Conflict, match="ana's"):
            create(database, owner, scopes, secret=secret)


def test_the_last_use_is_written_once_for_many(database: Database) -> None:
    used, unused = create(database)[0], create(database)[0]
    writes: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: writes.append(given[2]))
    with KeyUses(database, seconds=3600) as uses:
        for _ in range(100):
            uses.note(used)
            uses.note(None)
        assert writes == []
    assert len([statement for statement in writes if statement.startswith("UPDATE")]) == 1
    with database.reading() as session:
        last = {key.id: key.last_used_at for key in keys.listed(session)}
        assert last[unused] is None
        assert abs((last[used] or 0) - database.clock(session)) < 60


def test_an_earlier_use_does_not_hide_a_later_one(database: Database) -> None:
    """As where two processes write what they noted."""
    key_id, _ = create(database)
    for seconds, expected in ((30, 30), (5, 5), (20, 5)):
        with database.transaction() as session:
            keys.note_uses(session, {key_id: seconds})
            (key,) = keys.listed(session)
            assert database.clock(session) - (key.last_used_at or 0) == pytest.approx(expected, abs=3)


@pytest.mark.parametrize(
    ("caller", "sees"),
    [(Caller("ana", frozenset({"read", "write"})), "ana"), (Caller("ana", frozenset({"admin"})), None), (LOCAL, None)],
)
def test_an_admin_sees_what_is_others(caller: Caller, sees: str | None) -> None:
    assert caller.sees == sees
