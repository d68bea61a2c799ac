"""Receivers of alerts on this machine: a mail server and an HTTP server, both real."""

import email
import email.policy
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Message(NamedTuple):
    """As somebody reads it."""

    title: str
    body: str


class Mailbox:
    """A mail server's handler; also how tests look into the mails."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.address = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = mail.get_body(("plain", "html"))
        assert part is not None
        self.messages.append(Message(str(mail["subject"]), part.get_content()))
        return "250 OK"


class Receiver(ThreadingHTTPServer):
    """Takes messages at /alert as JSON, and counts what asks for /ping; `status` is what it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status = 200
        self.messages: list[Message] = []
        self.pings = 0

    @property
    def address(self) -> str:
        return f"json://an:secret-word@127.0.0.1:{self.server_port}/alert"

    @property
    def ping_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/ping/secret-word"


class _Answer(BaseHTTPRequestHandler):
    server: Receiver

    def do_GET(self) -> None:
        self.server.pings += self.server.status == 200
        self._end()

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.server.status == 200:
            self.server.messages.append(Message(told["title"], told["message"]))
        self._end()

    def _end(self) -> None:
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Not on the console of the tests."""
