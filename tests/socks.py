"""A SOCKS5 proxy on this machine, for tests: it takes one user and password, or anybody, and hands bytes on."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator


class SocksServer(socketserver.ThreadingTCPServer):
    """`asked` lists the addresses that connections were asked for; `login` is the one that is taken, None for anybody."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, login: tuple[str, str] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.login = login
        self.asked: list[str] = []

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.BaseRequestHandler):
    server: SocksServer

    def handle(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            if self._greet():
                self._connect()

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.request.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _greet(self) -> bool:
        _, count = self._read(2)
        methods = self._read(count)
        wanted = 2 if self.server.login else 0
        if wanted not in methods:
            self.request.sendall(b"\x05\xff")
            return False
        self.request.sendall(bytes([5, wanted]))
        if not self.server.login:
            return True
        self._read(1)
        user = self._read(self._read(1)[0]).decode()
        password = self._read(self._read(1)[0]).decode()
        is_right = (user, password) == self.server.login
        self.request.sendall(b"\x01\x00" if is_right else b"\x01\x01")
        return is_right

    def _connect(self) -> None:
        *_, kind = self._read(4)
        host = socket.inet_ntoa(self._read(4)) if kind == 1 else self._read(self._read(1)[0]).decode()
        (port,) = struct.unpack("!H", self._read(2))
        self.server.asked.append(f"{host}:{port}")
        try:
            far = socket.create_connection((host, port), 10)
        except OSError:
            self.request.sendall(b"\x05\x05\x00\x01" + b"\0" * 6)
            return
        self.request.sendall(b"\x05\x00\x00\x01" + b"\0" * 6)
        with far:
            back = threading.Thread(target=_hand_on, args=(far, self.request), daemon=True)
            back.start()
            _hand_on(self.request, far)
            back.join(10)


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def socks_server(login: tuple[str, str] | None = None) -> Iterator[SocksServer]:
    """A proxy that runs while the block does."""
    server = SocksServer(login)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
