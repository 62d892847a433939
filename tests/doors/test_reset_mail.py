"""Handing a mail to a mail server, which here is a small one of our own."""

import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from skileez.notifications import mail
from skileez.notifications.channels import Failed


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    said: list[str]


class Talk(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.answer("220 here")
        in_data = False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            self.server.said.append(line)
            if in_data:
                in_data = line != "."
                if not in_data:
                    self.answer("250 taken")
            elif (verb := line[:4].upper()) == "EHLO":
                self.answer("250-localhost", "250 AUTH PLAIN")
            elif verb == "DATA":
                in_data = True
                self.answer("354 go on")
            elif verb == "QUIT":
                self.answer("221 bye")
                return
            elif verb == "AUTH":
                self.answer("235 in")
            else:
                self.answer("250 fine")

    def answer(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Talk) as serving:
        serving.said = []
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def a_mail() -> EmailMessage:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = "hello@example.org", "ada@example.org", "Grüße"
    one.set_content("A link.\n")
    return one


def test_a_mail_is_handed_over_with_its_sender_and_reader(server: Server) -> None:
    mail.deliver(f"smtp://127.0.0.1:{server.server_address[1]}", a_mail())
    assert "rcpt TO:<ada@example.org>" in server.said
    assert any(line.startswith("mail FROM:<hello@example.org>") for line in server.said)
    assert "A link." in server.said


def test_a_server_with_a_password_is_told_it(server: Server) -> None:
    port = server.server_address[1]
    mail.deliver(f"smtp://user%40here:pass%2Fword@127.0.0.1:{port}", a_mail())
    import base64

    told = next(line for line in server.said if line.startswith("AUTH"))
    assert base64.b64decode(told.split()[-1]) == b"\0user@here\0pass/word"


def test_a_mail_is_not_sent_in_the_clear_where_tls_was_asked_for(server: Server) -> None:
    port = server.server_address[1]
    with pytest.raises(Failed, match="STARTTLS"):
        mail.deliver(f"smtp+starttls://127.0.0.1:{port}", a_mail())
    assert "A link." not in server.said
