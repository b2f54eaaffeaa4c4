# SPDX-License-Identifier: Apache-2.0
"""Uploads, the stream of answers, origins and quotas through the API and the command line."""

import asyncio
import contextlib
import gc
import json
import socket
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import httpx
import pytest

from api import Api, Caller, finding, report
from clearwell.clearinghouse.intake import upload as upload_noun
from clearwell.faces.api import stream as answer_stream
from clearwell.faces.api.door import Door
from clearwell.faces.cli import sending
from clearwell.faces.cli.hub import ComeBack, Hub
from clearwell.faces.cli.sending import Sending
from clearwell.ground.identity.actor import OrganizationKind
from clearwell.vocabulary.errors import Unavailable
from clearwell.vocabulary.ids import SubmissionId


def _upload(lab: Caller, raw: bytes, key: str = "k") -> dict[str, object]:
    started: dict[str, object] = lab.call("POST", "/uploads", 201, params={"size": len(raw)}, headers={"Idempotency-Key": key})
    return started


def test_a_report_comes_in_pieces(api: Api) -> None:
    lab, raw = api.caller(OrganizationKind.LAB), report(finding()) + b" " * 100_000
    begun = _upload(lab, raw)

    lab.call("PUT", f"/uploads/{begun['id']}", 400, params={"offset": 0}, content=raw[:1])
    first = lab.call("PUT", f"/uploads/{begun['id']}", 200, params={"offset": 0}, content=raw[:70_000])
    lab.call("PUT", f"/uploads/{begun['id']}", 409, params={"offset": 0}, content=raw[:70_000])
    lab.call("POST", f"/uploads/{begun['id']}/submission", 409, params={"name": "r.json"})
    assert (first["received"], lab.get(f"/uploads/{begun['id']}")["received"], _upload(lab, raw)["received"]) == (70_000, 70_000, 70_000)
    lab.call("PUT", f"/uploads/{begun['id']}", 200, params={"offset": 70_000}, content=raw[70_000:])
    sent = lab.call("POST", f"/uploads/{begun['id']}/submission", 202, params={"name": "r.json"})

    assert lab.submit(raw, name="r.json")["id"] == sent["id"] == _upload(lab, raw)["submission"]
    api.caller(OrganizationKind.LAB).get(f"/uploads/{begun['id']}", 404)


def _lines(lab: Caller, submission: str, **headers: str) -> list[tuple[str, dict[str, object]]]:
    text = lab.call("GET", f"/submissions/{submission}/answers", 200, headers={"Accept": "text/event-stream", **headers})
    blocks = [dict(line.split(": ", 1) for line in block.split("\r\n") if line) for block in text.strip().split("\r\n\r\n")]
    return [(block["event"], {"id": block["id"], **json.loads(block["data"])}) for block in blocks]


def test_answers_are_streamed_and_the_stream_ends_with_the_submission(api: Api) -> None:
    lab = api.caller(OrganizationKind.LAB)
    sent = lab.submit(report(finding(), finding("Other", locations=[{"file": "o.c"}])))["id"]
    api.hub.work()

    lines = _lines(lab, sent)

    assert [(kind, data["id"]) for kind, data in lines] == [("answer", "0"), ("answer", "1"), ("end", "1")]
    assert lines[0][1]["answer"] == "needs_proof" and lines[-1][1]["findings"] == 2
    assert [kind for kind, _ in _lines(lab, sent, **{"Last-Event-ID": "0"})] == ["answer", "end"]
    api.caller(OrganizationKind.LAB).call("GET", f"/submissions/{sent}/answers", 404, headers={"Accept": "text/event-stream"})


def test_a_stream_is_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = api.caller(OrganizationKind.LAB)
    sent = lab.submit(report(finding()))["id"]
    monkeypatch.setattr(answer_stream, "LONGEST", 0.0)

    assert [(kind, data["state"]) for kind, data in _lines(lab, sent)] == [("cut", "received")]
    monkeypatch.setattr(answer_stream, "STREAMS", 0)
    lab.call("GET", f"/submissions/{sent}/answers", 503, headers={"Accept": "text/event-stream"})


def test_one_organization_has_a_quarter_of_the_streams_and_who_hung_up_has_none(api: Api) -> None:
    lab, other = api.hub.member(OrganizationKind.LAB), api.hub.member(OrganizationKind.LAB)
    streams, submission, house = answer_stream.Streams(), SubmissionId(api.hub.house.new_id("sub")), api.hub.house
    held = [answer_stream.stream(house, lab, submission, -1, streams) for _ in range(answer_stream.STREAMS // 4)]

    with pytest.raises(Unavailable, match="your organization's"):
        answer_stream.stream(house, lab, submission, -1, streams)
    answer_stream.stream(house, other, submission, -1, streams)  # nobody asks for a line of it
    held.clear()
    gc.collect()

    assert streams.open.total() == 0


def test_who_found_it_and_with_what_is_shown_wherever_the_finding_is(api: Api) -> None:
    lab, coordinator = api.caller(OrganizationKind.LAB), api.caller(OrganizationKind.COORDINATOR)
    words = {"model": "lantern", "model_version": "4.1", "human_reviewer": "R. Stone"}
    sent = lab.submit(report(finding(), model=None), **words)
    api.hub.work()

    assert lab.member is not None
    read = lab.get(f"/submissions/{sent['id']}")
    assert read["organization"] == lab.member.organization and {**read["origin"], **words} == read["origin"]
    (answer,) = lab.get(f"/submissions/{sent['id']}/answers")["answers"]
    assert answer["ai"] and answer["origin"] == {"tool": "scout", "tool_version": "3", **words}
    assert lab.get(f"/findings/{answer['finding']}")["origin"] == answer["origin"]
    (case,) = coordinator.get("/cases")["cases"]
    (seen,) = coordinator.get(f"/cases/{case['id']}")["findings"]
    assert seen["ai"] and seen["origin"] == answer["origin"] and seen["organization"] == lab.member.organization


def test_a_quota_says_when_to_come_back(make_api: Callable[..., Api]) -> None:
    api = make_api(submissions_in_flight=1)
    lab = api.caller(OrganizationKind.LAB)
    lab.submit(report(finding()))

    answer = lab.client.post("/api/v1/submissions?name=b", content=b"other", headers=lab.headers)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    assert "come back in 5 seconds" in answer.json()["detail"]
    api.hub.work()
    lab.submit(b"other", name="b")


# -- the command line ---------------------------------------------------------------------------------------------------


class Flaky(httpx.HTTPTransport):
    """A connection that is cut: before the hub hears (`lost`), or after it heard and before it answers (`unheard`)."""

    def __init__(self, lost: set[int], unheard: set[int]) -> None:
        super().__init__()
        self.lost, self.unheard, self.calls = lost, unheard, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self.calls in self.lost:
            raise httpx.ReadError("cut")
        answer = super().handle_request(request)
        if self.calls in self.unheard:
            answer.close()
            raise httpx.ReadError("cut")
        return answer


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pieces of 70,000 bytes, so that a small file is a big one."""
    monkeypatch.setattr(sending, "WHOLE", 70_000)
    monkeypatch.setattr(upload_noun, "PIECE", 70_000)
    monkeypatch.setattr("clearwell.faces.api.uploads.PIECE", 70_000)
    monkeypatch.setattr("clearwell.clearinghouse.flow.uploading.PIECE", 70_000)
    yield


@pytest.mark.usefixtures("small")
def test_a_cut_connection_costs_one_piece(api: Api, address: str, tmp_path: Path) -> None:
    lab, file, raw = api.caller(OrganizationKind.LAB), tmp_path / "r.json", report(finding()) + b" " * 350_000
    file.write_bytes(raw)
    moved: list[int] = []
    pauses: list[float] = []
    with Hub(address, lab.secret, Flaky(lost={1, 4}, unheard={6, 8, 11})) as hub:
        sent = Sending(hub, {}, pauses.append).send(file, moved.append)
        again = Sending(hub, {}, pauses.append).send(file, moved.append)

    assert sent["id"] == again["id"] and moved[-1] <= len(raw) and len(pauses) >= 5
    api.hub.work()
    assert lab.get(f"/submissions/{sent['id']}")["size"] == len(raw)
    assert len(lab.get("/submissions")["submissions"]) == 1


class Cutter:
    """A line between a sender and the hub that is cut, as often as `cuts` says: once so many bytes went through it towards the hub.

    In the middle of whatever was under way the sender sees a reset, and the hub the end of the line.
    """

    def __init__(self, hub: str, cuts: list[int]) -> None:
        self._hub, self.cuts, self.cut = urlsplit(hub), cuts, 0
        self._passed = 0
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._threads = [Thread(target=self._open)]
        self._threads[0].start()

    def __enter__(self) -> "Cutter":
        return self

    def __exit__(self, *reason: object) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._door.close()

    def _open(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            far = socket.create_connection((self._hub.hostname, self._hub.port))
            for act, ends in ((self._towards, (near, far)), (self._back, (far, near))):
                self._threads.append(Thread(target=act, args=ends))
                self._threads[-1].start()

    def _towards(self, near: socket.socket, far: socket.socket) -> None:
        with near, far, contextlib.suppress(OSError):
            while data := near.recv(4096):
                self._passed += len(data)
                if self.cuts and self._passed >= self.cuts[0]:
                    self.cuts.pop(0)
                    self.cut += 1
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its close is a reset
                    far.shutdown(socket.SHUT_RDWR)
                    return
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(4096):
                near.sendall(data)
            near.shutdown(socket.SHUT_WR)


@pytest.mark.usefixtures("small")
def test_a_line_that_is_cut_in_the_middle_of_a_piece_costs_that_piece(api: Api, address: str, tmp_path: Path) -> None:
    lab, file, raw = api.caller(OrganizationKind.LAB), tmp_path / "r.json", report(finding()) + b" " * 350_000
    file.write_bytes(raw)
    moved: list[int] = []
    with Cutter(address, [40_000, 200_000, 300_000]) as line, Hub(line.address, lab.secret) as hub:
        sent = Sending(hub, {}, lambda pause: None).send(file, moved.append)

    assert line.cut == 3
    assert [b for a, b in pairwise(moved) if b < a] != [] and moved[-1] == len(raw)  # progress went back to where the hub was
    api.hub.work()
    read = lab.get(f"/submissions/{sent['id']}")
    assert (read["size"], read["findings"]) == (len(raw), 1)
    assert len(lab.get("/submissions")["submissions"]) == 1


@pytest.mark.usefixtures("small")
def test_another_run_goes_on_where_the_last_stopped(api: Api, address: str, tmp_path: Path) -> None:
    lab, file, raw = api.caller(OrganizationKind.LAB), tmp_path / "r.json", report(finding()) + b" " * 350_000
    file.write_bytes(raw)
    with Hub(address, lab.secret, Flaky(lost=set(range(6, 99)), unheard=set())) as hub, pytest.raises(Unavailable):
        Sending(hub, {}, lambda pause: None).send(file, lambda done: None)
    moved: list[int] = []

    with Hub(address, lab.secret) as hub:
        Sending(hub, {}).send(file, moved.append)

    assert moved[0] >= 140_000 and moved[-1] == len(raw)


def test_a_quota_of_today_is_told_and_a_short_one_is_waited_for(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_bytes(report(finding()))
    told = [httpx.Response(429, headers={"Retry-After": "5"}, json={"detail": "soon"}), httpx.Response(202, json={"id": "sub_x"})]
    pauses: list[float] = []
    with Hub("http://hub.example", "t", httpx.MockTransport(lambda request: told.pop(0))) as hub:
        assert Sending(hub, {}, pauses.append).send(file, lambda done: None) == {"id": "sub_x"}
    assert pauses == [5]
    later = httpx.MockTransport(lambda request: httpx.Response(429, headers={"Retry-After": "7200"}, json={"detail": "tomorrow"}))
    with Hub("http://hub.example", "t", later) as hub, pytest.raises(ComeBack, match="tomorrow"):
        Sending(hub, {}, pauses.append).send(file, lambda done: None)


# -- the door -----------------------------------------------------------------------------------------------------------


def test_a_flood_keeps_nobody_else_outside() -> None:
    async def play() -> list[str]:
        done: list[str] = []
        with ThreadPoolExecutor(8) as threads:
            door = Door(threads, shared=4, most=8)
            hold = asyncio.Event()
            loop = asyncio.get_running_loop()

            def work(who: str) -> None:
                if who == "flood":
                    asyncio.run_coroutine_threadsafe(hold.wait(), loop).result()
                done.append(who)

            floods = [asyncio.create_task(door.run("flood", lambda: work("flood"))) for _ in range(50)]
            await asyncio.sleep(0)
            await door.run("maintainer", lambda: work("maintainer"))
            floods.pop().cancel()
            hold.set()
            await asyncio.gather(*floods)
            await door.run("flood", lambda: work("flood"))
        return done

    assert asyncio.run(play()) == ["maintainer"] + ["flood"] * 50
