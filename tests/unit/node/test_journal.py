"""The journal loses nothing: kill, torn lines, a full disk, several processes."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from callcenter.domain.records import RecordKind
from callcenter.errors import StoreError
from callcenter.node.ids import minted_at, uuid7
from callcenter.node.journal import COMPACT_AT_BYTES, Journal, close_open_calls


def ring(journal: Journal, call: UUID | None = None) -> UUID:
    call = call or uuid7()
    journal.append(RecordKind.CALL_RINGING, site="s", call=call, body={"from_number": None, "line": 1})
    return call


def end(journal: Journal, call: UUID) -> None:
    journal.append(RecordKind.CALL_ENDED, site="s", call=call, body={"reason": "caller", "answered": False})


def seqs(journal: Journal, after: int = 0) -> list[int]:
    return [record.seq for record in journal.tail(after).more()]


async def test_what_is_settled_is_in_the_file_and_private(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path)
    call = ring(journal)
    await journal.settle()
    (line,) = journal.path.read_bytes().splitlines()
    assert str(call).encode() in line
    assert journal.path.stat().st_mode & 0o777 == 0o600
    journal.close()


def test_a_living_owner_keeps_its_journal(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path)
    ring(journal)
    assert Journal.adopt_dead(tmp_path) == []
    journal.close()
    assert [adopted.id for adopted in Journal.adopt_dead(tmp_path)] == [journal.id]


def test_a_killed_process_leaves_its_calls_to_the_next(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from callcenter.domain.records import RecordKind as K\n"
        "from callcenter.node.ids import uuid7\n"
        "from callcenter.node.journal import Journal\n"
        "j = Journal.create(Path(sys.argv[1]))\n"
        "done, left = uuid7(), uuid7()\n"
        "for call in (done, left):\n"
        "    j.append(K.CALL_RINGING, site='s', call=call, body={})\n"
        "j.append(K.CALL_ENDED, site='s', call=done, body={})\n"
        "j.append(K.CALL_ANSWERED, site='s', call=left, body={})\n"
        "print(left, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    (adopted,) = Journal.adopt_dead(tmp_path)
    assert [str(call.call) for call in adopted.open_calls] == [ended.stdout.strip()]
    (closed,) = close_open_calls(adopted)
    assert closed.answered
    assert adopted.open_calls == ()
    last = list(adopted.tail(0).more())[-1]
    assert (last.seq, last.kind, last.body["reason"]) == (5, RecordKind.CALL_ENDED, "line_died")
    adopted.close()


def test_a_torn_last_line_is_cut_and_the_sequence_goes_on(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path)
    call = ring(journal)
    journal.close()
    with journal.path.open("ab") as file:
        file.write(b'{"journal":"torn')
    (adopted,) = Journal.adopt_dead(tmp_path)
    end(adopted, call)
    assert seqs(adopted) == [1, 2]
    adopted.close()


def test_a_stored_journal_of_a_dead_process_is_removed(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path)
    end(journal, ring(journal))
    journal.note_ack(2)
    journal.close()
    assert Journal.adopt_dead(tmp_path) == []
    assert list(tmp_path.glob("*.jsonl")) == list(tmp_path.glob("*.ack")) == []


def test_a_tail_goes_on_where_it_stopped(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path)
    ring(journal)
    tail = journal.tail(0)
    assert [r.seq for r in tail.more()] == [1]
    ring(journal)
    assert [r.seq for r in tail.more()] == [2]
    assert seqs(journal, after=1) == [2]
    journal.close()


def test_a_stored_journal_does_not_grow_for_ever_and_never_repeats_a_number(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path)
    tail = journal.tail(0)
    call, body = ring(journal), {"text": "字" * 1000}
    while journal.path.stat().st_size <= COMPACT_AT_BYTES:
        journal.append(RecordKind.CALL_STEP, site="s", call=call, body=body)
    journal.note_ack(journal.last_seq)
    assert journal.path.stat().st_size > COMPACT_AT_BYTES, "a call is open: its ringing must stay readable"
    end(journal, call)
    assert [r.seq for r in tail.more()][-1] == journal.last_seq
    journal.note_ack(journal.last_seq)
    assert journal.path.stat().st_size == 0
    before = journal.last_seq
    ring(journal)
    assert [r.seq for r in tail.more()] == [before + 1]
    journal.close()
    (adopted,) = Journal.adopt_dead(tmp_path)
    assert adopted.last_seq == before + 1
    adopted.close()


@pytest.fixture
def file_size_limit() -> object:
    """A real refusal of the kernel (EFBIG) past a file size, lifted by calling with None."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def set_limit(size: int | None) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft if size is None else size, hard))

    yield set_limit
    set_limit(None)
    signal.signal(signal.SIGXFSZ, handler)


async def test_a_full_disk_loses_nothing(tmp_path: Path, file_size_limit: object) -> None:
    journal = Journal.create(tmp_path)
    call = ring(journal)
    file_size_limit(journal.path.stat().st_size + 30)  # type: ignore[operator]
    end(journal, call)
    ring(journal)
    assert not (tmp_path / "reserve").exists(), "the reserve is given up first"
    assert journal.trouble is not None
    assert journal.trouble.mend
    assert seqs(journal) == [1, 2, 3], "what waits in memory is shipped all the same"
    assert journal.path.read_bytes().endswith(b"\n"), "no half line stays"
    with pytest.raises(StoreError, match="cannot be written"):
        await journal.settle()
    file_size_limit(None)  # type: ignore[operator]
    ring(journal)
    await journal.settle()
    assert journal.trouble is None
    assert len(journal.path.read_bytes().splitlines()) == 4
    assert seqs(journal) == [1, 2, 3, 4]
    journal.close()


def test_a_folder_that_takes_nothing_is_said_with_its_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as raised:
        Journal.create(tmp_path / "file" / "journals")
    assert raised.value.mend
    assert str(tmp_path) in str(raised.value)


def test_call_ids_are_in_order_and_carry_their_time() -> None:
    ids = [uuid7() for _ in range(5000)]
    assert ids == sorted(set(ids))
    assert {i.version for i in ids} == {7}
    assert minted_at(ids[0]) <= minted_at(ids[-1])
