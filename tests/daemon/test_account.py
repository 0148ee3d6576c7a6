"""The account adds up at every instant, also while others write; and a ledger of an older version is taken over."""

from __future__ import annotations

import threading

from daemon import ledger as ledgers
from daemon.drops import Drops
from daemon.ledger import Ledger
from daemon.sqlite_store import SqliteStore
from tests.daemon.studios import until


def test_the_account_is_of_one_moment_whatever_is_written_meanwhile(tmp_path):
    path = tmp_path / "ledger.sqlite"
    mine = Ledger(path)
    stop = threading.Event()

    def write():
        own = Ledger(path)
        number = 0
        while not stop.is_set():
            number += 1
            with own.writing() as connection:
                connection.execute(
                    "INSERT INTO drops (path, folder, name, state, seen_at) VALUES (?, '', '', 'open', 0)",
                    (b"%d" % number,),
                )
                connection.execute("UPDATE drops SET state = 'done' WHERE id = ?", (number // 2,))
        own.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        accounts = [Drops(mine).account()]
        until(
            lambda: (
                accounts.append(Drops(mine).account()) or (accounts[-1]["seen"] >= 100 and len(accounts) > 10)
            )
        )
    finally:
        stop.set()
        writer.join()
    assert {account["unexplained"] for account in accounts} == {0}
    mine.close()


def test_a_ledger_from_before_the_batches_goes_on(tmp_path, monkeypatch):
    path = tmp_path / "ledger.sqlite"
    with monkeypatch.context() as before:
        before.setattr(ledgers, "_STEPS", ledgers._STEPS[:1])
        old = Ledger(path)
        for state in ("done", "open"):
            old.connection.execute(
                "INSERT INTO drops (path, folder, name, state, seen_at) VALUES (?, 'rings--overnight', '', ?, 0)",
                (state.encode(), state),
            )
        old.close()
    new = Ledger(path)
    rows = new.connection.execute("SELECT state, window, batch FROM drops ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [("done", "", None), ("open", None, None)]  # old ones are no news
    assert SqliteStore(new).open_jobs(("urgent", "normal", "overnight")) == 0
    assert Drops(new).account()["unexplained"] == 0
    new.close()
