import time
from sqlalchemy import text
from tests.conftest import ALL_TABLES
from store.tables import Table
from store.database import Database
from tests.conftest import *
def test_x(postgresql_database, _postgresql_url):
    db=postgresql_database
    for name, sqls in {'trunc':[f"TRUNCATE {ALL_TABLES} RESTART IDENTITY"], 'trunc2':[f"TRUNCATE {ALL_TABLES} RESTART IDENTITY"],'delete':[f"DELETE FROM {t.name}" for t in reversed(Table.metadata.sorted_tables)], 'del1':["; ".join(f"DELETE FROM {t.name}" for t in reversed(Table.metadata.sorted_tables))]}.items():
        t=time.perf_counter()
        for _ in range(10):
            with db.transaction() as s:
                for q in sqls: s.execute(text(q))
        print(name,(time.perf_counter()-t)/10)
    t=time.perf_counter()
    for _ in range(10):
        d=Database(_postgresql_url)
        with d.transaction() as s: s.execute(text('select 1'))
        d.close()
    print('open',(time.perf_counter()-t)/10)
def test_y(sqlite_database, tmp_path, _sqlite_template):
    t=time.perf_counter()
    for i in range(10):
        d=Database(f"sqlite:///{shutil.copy(_sqlite_template, tmp_path/str(i))}")
        with d.transaction() as s: s.execute(text('select 1'))
        d.close()
    print('open sqlite',(time.perf_counter()-t)/10)
