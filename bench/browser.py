"""A client that costs next to nothing: one kept-alive connection, bytes in and bytes out.

A library's client takes as long as the floor's whole answer, and that would flatter the product.
"""

import re
import socket
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlencode

_TOKEN = re.compile(rb'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes
    seconds: float

    @property
    def queries(self) -> int:
        """How many statements it took."""
        return int(self.headers.get("x-queries", 0))

    @property
    def processor(self) -> float:
        """Milliseconds of processor time that the server took."""
        return int(self.headers.get("x-processor", 0)) / 1000


class Browser:
    """One person at one server."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.port, self.cookie = port, cookie
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self.send(self.request("GET", path))

    def post(self, path: str, form: dict[str, str]) -> Answer:
        """Send a form."""
        return self.send(self.request("POST", path, form))

    def request(self, method: str, path: str, form: dict[str, str] | None = None) -> bytes:
        """The bytes of a request as a browser sends them."""
        body = urlencode(form or {}).encode()
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "User-Agent: Mozilla/5.0 (bench)",
            "Accept: text/html,application/xhtml+xml",
            "Accept-Language: en-GB,en;q=0.8",
            f"Cookie: {self.cookie}",
        ]
        if method == "POST":
            lines += [
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(body)}",
                f"Origin: http://127.0.0.1:{self.port}",
                "Sec-Fetch-Site: same-origin",
            ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def send(self, request: bytes) -> Answer:
        """Send the bytes; the time runs until the last byte of the answer is here."""
        began = perf_counter()
        self.socket.sendall(request)
        read = self._read()
        while b"\r\n\r\n" not in read:
            read += self._read()
        head, _, body = read.partition(b"\r\n\r\n")
        status, headers, cookies = _parse(head)
        length = int(headers.get("content-length", 0))
        while len(body) < length:
            body += self._read()
        return Answer(status, headers, cookies, body, perf_counter() - began)

    def _read(self) -> bytes:
        return self.socket.recv(262144) or _hung_up()

    def token(self, path: str) -> str:
        """The CSRF token on a page."""
        found = _TOKEN.search(self.get(path).body)
        if not found:
            raise RuntimeError(f"there is no form on {path}")
        return found[1].decode()

    def sign_in(self, email: str, password: str) -> str:
        """Sign in through the page; the cookie, from then on sent."""
        self._keep(self.get("/sign-in"))
        form = {"email": email, "password": password, "csrf_token": self.token("/sign-in")}
        answer = self.post("/sign-in", form)
        if answer.status != 303:
            raise RuntimeError(f"{email} could not sign in: {answer.status}")
        self._keep(answer)
        # The first page gives its forms a token, whose other half the cookie keeps.
        self._keep(self.get("/sessions"))
        return self.cookie

    def _keep(self, answer: Answer) -> None:
        for cookie in answer.cookies:
            self.cookie = cookie.split(";")[0]


def _parse(head: bytes) -> tuple[int, dict[str, str], list[str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers, cookies = {}, []
    for line in lines:
        name, _, value = line.partition(": ")
        if name.lower() == "set-cookie":
            cookies.append(value)
        headers[name.lower()] = value
    return int(first.split(" ", 2)[1]), headers, cookies


def _hung_up() -> bytes:
    raise ConnectionError("the server hung up")
