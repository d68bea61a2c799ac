"""Fixtures of this room: receivers that run as long as a test."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from aiosmtpd.controller import Controller
from local_receivers import Mailbox, Receiver


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    box.address = f"mailto://127.0.0.1:{port}?from=kho@example.vn&to=an@example.vn&mode=insecure"
    yield box
    controller.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
