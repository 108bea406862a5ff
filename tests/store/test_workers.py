from sqlalchemy import update

from store import workers
from store.database import Database
from store.tables import Entry, Worker
from tests.store.staging import count


def test_workers_are_alive_while_they_are_heard_of(database: Database) -> None:
    def beat(*names: str) -> None:
        with database.transaction() as session:
            for name in names:
                workers.beat(session, name, ["train"])

    def live(seconds: float) -> list[str]:
        with database.reading() as session:
            return workers.live(session, seconds)

    beat("b", "a", "c")
    beat("a")
    assert live(60) == ["a", "b", "c"]
    with database.transaction() as session:
        session.execute(update(Worker).where(Worker.name == "b").values(seen_at=Worker.seen_at - 100))
        session.execute(update(Worker).where(Worker.name == "c").values(seen_at=Worker.seen_at - 4000))
    assert live(60) == ["a"]
    assert live(5000) == ["a", "b", "c"]
    beat("a")
    assert live(5000) == ["a", "b"]
    assert count(database, Entry) == 0


def test_the_takers_of_a_queue_say_what_room_they_give(database: Database) -> None:
    with database.transaction() as session:
        for name, queues, most in (("a", ["train"], None), ("b", ["train", "gpu"], 7), ("c", ["train"], 9), ("d", ["gpu"], 99)):
            workers.beat(session, name, queues, most)
        session.execute(update(Worker).where(Worker.name == "d").values(seen_at=Worker.seen_at - 100))
    with database.reading() as session:
        found, all_of = workers.takers(session, 60), workers.takers(session, 1000)
    assert [found.serve(queue) for queue in ("train", "gpu", "none")] == [True, True, False]
    assert [found.room(queue) for queue in ("train", "gpu", "none")] == [9, 7, None]
    assert (all_of.room("gpu"), workers.Takers([(["train"], None)]).room("train")) == (99, None)
