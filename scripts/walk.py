"""Walk one session through a running demo over HTTP: ``python scripts/walk.py http://host:port``.

A coach and a student sign in as in a browser: they read the pages, fill in the forms that stand
on them and send those, nothing else. It ends with exit code 1 where the demo stops them.
"""

import re
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import Self
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

PASSWORD = "skileez-demo-2026"
REASON = "The train is late, could we meet at another time?"
PATIENCE = 60.0


@dataclass
class Form:
    """A form of a page, as the page filled it in."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)

    def names(self) -> set[str]:
        return {name for name, _ in self.fields} | set(self.choices)


class Page(HTMLParser):
    """What a browser would see: the address, the text, the links and the forms."""

    def __init__(self, url: str, status: int, html: str) -> None:
        super().__init__()
        self.url, self.status, self.html = url, status, html
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._area: str | None = None
        self._select: str | None = None
        self.feed(html)

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def instants(self) -> set[datetime]:
        """Every instant that the page names in a ``<time>``."""
        said = re.findall(r'<time[^>]* datetime="([^"]+T[^"]+)"', self.html)
        return {datetime.fromisoformat(one).astimezone(UTC) for one in said}

    def form(self, ending: str) -> Form:
        """The form that is sent to an address with this ending."""
        for form in self.forms:
            if urlsplit(form.action).path.endswith(ending):
                return form
        raise SystemExit(f"{self.path} ({self.status}) has no form for {ending}:\n{self.text}")

    def has(self, ending: str) -> bool:
        return any(urlsplit(form.action).path.endswith(ending) for form in self.forms)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {key: value or "" for key, value in attrs}
        if tag == "a" and "href" in said:
            self.links.append(urljoin(self.url, said["href"]))
        elif tag == "form":
            action = urljoin(self.url, said.get("action") or self.url)
            self._form = Form(action)
            self.forms.append(self._form)
        elif self._form and tag == "option":
            if self._select and "selected" in said:
                self._form.fields.append((self._select, said.get("value", "")))
        elif self._form and said.get("name"):
            self._control(self._form, tag, said["name"], said)

    def _control(self, form: Form, tag: str, name: str, said: dict[str, str]) -> None:
        kind = said.get("type")
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area = name
            form.fields.append((name, ""))
        elif tag == "button" or kind in ("radio", "checkbox"):
            form.choices.setdefault(name, []).append(said.get("value", "on"))
            if "checked" in said:
                form.fields.append((name, said.get("value", "on")))
        elif tag == "input" and kind != "submit":
            form.fields.append((name, said.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is None:
            self.words.append(data)


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, base: str, email: str) -> None:
        self.base, self.email = base, email
        self._browser = build_opener(HTTPCookieProcessor(CookieJar()))

    def open(self, path: str) -> Page:
        return self._ask(urljoin(self.base, path), None)

    def send(self, form: Form, **typed: str) -> Page:
        """Send ``form`` with what is ``typed`` in place of what stood there."""
        unknown = typed.keys() - form.names()
        assert not unknown, f"{form.action} has no {unknown}, only {sorted(form.names())}"
        kept = [(name, value) for name, value in form.fields if name not in typed]
        return self._ask(form.action, urlencode([*kept, *typed.items()]).encode())

    def sign_in(self) -> Self:
        page = self.open("/sign-in")
        page = self.send(page.form("/sign-in"), email=self.email, password=PASSWORD)
        assert page.status == 200 and page.path != "/sign-in", f"sign-in failed: {page.text}"
        print(f"{self.email} is signed in")
        return self

    def _ask(self, url: str, data: bytes | None) -> Page:
        try:
            answer: HTTPResponse = self._browser.open(url, data, timeout=20)
        except HTTPError as refused:
            if refused.code >= 500:
                raise SystemExit(f"{url} answered {refused.code}") from None
            return Page(refused.url, refused.code, refused.read().decode())
        return Page(answer.url, answer.status, answer.read().decode())


def wait_for(base: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            urlopen(f"{base}/livez", timeout=5).close()
            return
        except (URLError, OSError):
            if time.monotonic() > until:
                raise SystemExit(f"{base} does not answer") from None
            time.sleep(0.2)


def open_contracts(person: Person) -> list[str]:
    """Addresses of the contracts in which this person can book."""
    links = dict.fromkeys(urlsplit(link).path for link in person.open("/contracts").links)
    pages = [path for path in links if re.fullmatch(r"/contracts/\d+", path)]
    assert pages, f"{person.email} has no contract"
    return [path for path in pages if person.open(f"{path}/schedule").has("/schedule")]


def free_starts() -> list[datetime]:
    """Starts far enough ahead for any notice, most within the coach's hours; some are taken."""
    # time.time: this stands outside the product, where there is no clock to ask.
    today = datetime.fromtimestamp(time.time(), UTC).replace(  # noqa: TID251
        hour=0, minute=0, second=0, microsecond=0
    )
    return [today + timedelta(days=20 + n, hours=14 + n % 3) for n in range(40)]


def book(person: Person, contract: str, starts: list[datetime]) -> tuple[Page, datetime]:
    """The page of a new session and its start."""
    for start in list(starts):
        starts.remove(start)
        form = person.open(f"{contract}/schedule").form("/schedule")
        page = person.send(form, scheduled_at=start.isoformat(), timezone="UTC")
        if re.fullmatch(r"/sessions/\d+", page.path):
            print(f"booked {page.path} at {start:%d %b %H:%M} UTC")
            return page, start
        assert page.status in (409, 422), f"{page.status}: {page.text}"
    raise SystemExit(f"no free time:\n{page.text}")


def main() -> None:
    base = sys.argv[1].rstrip("/")
    wait_for(base)
    coach = Person(base, "coach@demo.example").sign_in()
    student = Person(base, "student@demo.example").sign_in()

    shared = [path for path in open_contracts(student) if path in open_contracts(coach)]
    assert shared, "the coach and the student share no contract to book in"
    starts = free_starts()
    session, _ = book(student, shared[0], starts)

    page = coach.send(coach.open(session.path).form("/confirm"))
    assert page.status == 200 and "Confirmed" in page.text, page.text
    print("the coach confirmed it")

    new = ask_to_move(student, session.path, starts)
    page = coach.open(f"{session.path}/reschedule-approval")
    form = page.form("/approve-reschedule")
    offered = form.choices.get("new_scheduled_at", [])
    chosen = next(value for value in offered if datetime.fromisoformat(value) == new)
    page = coach.send(form, new_scheduled_at=chosen)
    assert page.status == 200 and page.path == session.path, f"{page.status}: {page.text}"
    print("the coach approved it")

    for person in (student, coach):
        page = person.open(session.path)
        assert not page.has("/approve-reschedule")
        assert new in page.instants, page.text
    stranger = Person(base, "stranger@demo.example").sign_in()
    assert stranger.open(session.path).status == 404
    print("it has moved, for both; a stranger finds nothing there")


def ask_to_move(person: Person, path: str, starts: list[datetime]) -> datetime:
    """Ask to move the session to a free time, and that time."""
    for start in list(starts):
        starts.remove(start)
        form = person.open(f"{path}/reschedule").form("/reschedule")
        first = min(name for name in form.names() if name.startswith("proposed_times"))
        page = person.send(form, reason=REASON, **{first: start.isoformat()})
        if page.path == path and page.status == 200:
            print(f"the student asked to move it to {start:%d %b %H:%M} UTC")
            return start
        assert page.status in (409, 422), f"{page.status}: {page.text}"
    raise SystemExit(f"no free time:\n{page.text}")


if __name__ == "__main__":
    main()
