"""The wire of the stand-in for Instagram: a proxy on the loopback that answers for every host, over TLS, as HTTP/2 or HTTP/1.1.

The client is told to go through this proxy and to trust this certificate; so the real client speaks over its real transport, and no byte
leaves the machine. A connection can be cut before or after a request was heard, which is what the proofs are about.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.exceptions

HOSTS = "i.instagram.com,b.i.instagram.com,www.instagram.com,graph.instagram.com,z-p42.i.instagram.com"


@dataclass
class Heard:
    """One request as it arrived. connection: number of the connection, counted from 1."""

    method: str
    host: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int = 0


@dataclass
class Answer:
    """What is sent back. cut: nothing is, the connection ends. hang: nothing is, for so many seconds."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang_s: float = 0.0


@functools.cache
def certificate():
    """(server's chain and key, authority): files made once by openssl."""
    folder = Path(tempfile.mkdtemp(prefix="vitrine-standin-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    authority, key = folder / "authority.pem", folder / "key.pem"
    names = ",".join(f"DNS:{host}" for host in HOSTS.split(","))
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-keyout", key, "-out", authority, "-subj", "/CN=Stand-in", "-addext", f"subjectAltName={names}",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return authority, key


class Wire:
    """Serves until it is closed. answer: called with each Heard, one at a time."""

    def __init__(self, answer):
        self._answer = answer
        self._turn = threading.Lock()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate())
        self._context.set_alpn_protocols(["h2", "http/1.1"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self._open = set()
        self._closed = threading.Event()
        self._threads = []
        self._start(self._accept)

    @property
    def proxy(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def ca_file(self):
        return str(certificate()[0])

    def close(self):
        self._closed.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in list(self._open):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)

    def _start(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def _accept(self):
        while not self._closed.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, line, self.connections)

    def _serve(self, line, number):
        self._open.add(line)
        secured = None
        try:
            line.settimeout(60)
            host = _connect(line)
            secured = self._context.wrap_socket(line, server_side=True)
            self._open.add(secured)
            if secured.selected_alpn_protocol() == "h2":
                self._http2(secured, host, number)
            else:
                self._http1(secured, host, number)
        except (OSError, h2.exceptions.H2Error, ValueError):
            pass  # the client went away, or we cut the line
        finally:
            for one in (secured, line):
                if one is not None:
                    self._open.discard(one)
                    one.close()

    def _ask(self, heard):
        with self._turn:
            answer = self._answer(heard)
        if answer.hang_s:
            self._closed.wait(answer.hang_s)
        if answer.cut or answer.hang_s:
            raise OSError("cut")
        return answer

    def _http2(self, line, host, number):
        talk = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )
        talk.initiate_connection()
        line.sendall(talk.data_to_send())
        streams = {}
        while data := line.recv(65536):
            for event in talk.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    streams[event.stream_id] = (dict(event.headers), [])
                elif isinstance(event, h2.events.DataReceived):
                    streams[event.stream_id][1].append(event.data)
                    talk.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    headers, body = streams.pop(event.stream_id)
                    asked = Heard(headers[":method"], host, headers[":path"], headers, b"".join(body), number)
                    answer = self._ask(asked)
                    named = {"content-type": "application/json", "content-length": str(len(answer.body))}
                    sent = [(":status", str(answer.status)), *(named | answer.headers).items()]
                    talk.send_headers(event.stream_id, sent)
                    for start in range(0, len(answer.body), talk.max_outbound_frame_size):
                        part = answer.body[start : start + talk.max_outbound_frame_size]
                        talk.send_data(event.stream_id, part)
                    talk.end_stream(event.stream_id)
            line.sendall(talk.data_to_send())

    def _http1(self, line, host, number):
        stream = line.makefile("rb")
        with stream:
            while first := stream.readline().decode().strip():
                method, path, _ = first.split(" ", 2)
                headers = _headers(stream)
                body = stream.read(int(headers.get("content-length", "0")))
                answer = self._ask(Heard(method, host, path, headers, body, number))
                named = {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(answer.body)),
                } | answer.headers
                head = [f"HTTP/1.1 {answer.status} OK", *(f"{key}: {value}" for key, value in named.items())]
                line.sendall("\r\n".join([*head, "", ""]).encode() + answer.body)


def _headers(stream):
    found = {}
    while text := stream.readline().decode().strip():
        key, _, value = text.partition(":")
        found[key.lower()] = value.strip()
    return found


def _connect(line):
    """Answer the client's CONNECT; which host it wants."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = line.recv(1)
        if not more:
            raise OSError("gone")
        head += more
    method, target, _ = head.decode().split(" ", 2)
    if method != "CONNECT":
        raise ValueError(method)
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    return target.rpartition(":")[0]
