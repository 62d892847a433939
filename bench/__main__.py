"""Time the product beside its floor: ``python -m bench --help``."""

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import cases, servers, stage
from bench.browser import Browser
from bench.cases import GROWTH, Case
from bench.stage import Stage, Subject
from skileez import clock, db

ROUNDS, READS, PRESSES = 5, 60, 15
WARM_UP = 5
LARGE = 100_000


@dataclass
class Result:
    """One case on one engine; times in milliseconds, medians over the rounds."""

    engine: str
    case: str
    product_ms: float
    floor_ms: float
    ratio: float
    ratios: list[float]
    product_processor_ms: float
    floor_processor_ms: float
    target: float
    product_queries: list[int]
    floor_queries: list[int]
    kilobytes: float
    most_queries: int | None = None

    @property
    def processor_ratio(self) -> float:
        """The ratio of the processor times alone."""
        return self.product_processor_ms / self.floor_processor_ms

    @property
    def met(self) -> bool:
        """Whether the target is met, the number of queries being one and the same."""
        few = self.most_queries is None or max(self.product_queries) <= self.most_queries
        return self.ratio <= self.target and len(self.product_queries) == 1 and few


class Player:
    """Sends one case's requests to one server."""

    def __init__(self, case: Case, play: Stage, port: int, cookie: str) -> None:
        self.case, self.cookie = case, cookie
        self.browser = Browser(port, cookie)
        subjects = (
            play.pages if case.subjects == "pages" else play.subjects.get(case.subjects or "")
        )
        self.subjects = stage.pages(subjects or [Subject(0, clock.now())])
        if case.writes:
            self.subjects = iter(subjects or [])
        self.when = cases.soon(clock.now())
        self.token = ""
        self.queries: set[int] = set()
        self.sizes: list[int] = []
        self.processor: list[float] = []

    def send(self) -> float:
        """One request; how many milliseconds it took."""
        subject = next(self.subjects)
        path = self.case.path.format(id=subject.id, **self.when)
        if self.case.form:
            form = {"version": "1", "csrf_token": self.token, **self.case.form(subject)}
            answer = self.browser.post(path, form)
        else:
            answer = self.browser.get(path)
        if answer.status != (303 if self.case.writes else 200):
            said = answer.body.decode(errors="replace")
            raise RuntimeError(f"{self.case.name}: {path} answered {answer.status}\n{said[-3000:]}")
        self.queries.add(answer.queries)
        self.sizes.append(len(answer.body))
        self.processor.append(answer.processor)
        return answer.seconds * 1000


def pair(
    engine: str, case: Case, product: Player, floor: Player, *, reads: int, rounds: int
) -> Result:
    """Time one case: the two take turns, request by request, and in who goes first."""
    for player in (product, floor):
        for _ in range(WARM_UP):
            player.send()
        player.queries.clear()
        player.processor.clear()
    times: list[tuple[float, float]] = []
    for _ in range(rounds):
        ours: list[float] = []
        its: list[float] = []
        for turn in range(PRESSES if case.writes else reads):
            order = [(product, ours), (floor, its)]
            for player, kept in order if turn % 2 else reversed(order):
                kept.append(player.send())
        times.append((statistics.median(ours), statistics.median(its)))
    ratios = [one / other for one, other in times]
    return Result(
        engine,
        case.name,
        statistics.median(one for one, _other in times),
        statistics.median(other for _one, other in times),
        statistics.median(ratios),
        ratios,
        statistics.median(product.processor),
        statistics.median(floor.processor),
        case.target,
        sorted(product.queries),
        sorted(floor.queries),
        statistics.median(product.sizes) / 1000,
        case.queries,
    )


@contextmanager
def databases(engine: str, folder: Path) -> Iterator[Any]:
    """A maker of databases by name: ``make(name, copy_of)`` gives a URL."""
    if engine == "sqlite":

        def make(name: str, copy_of: str | None = None) -> str:
            path = folder / f"{name}.sqlite3"
            if copy_of:
                shutil.copy(stage.file_of(copy_of), path)
            return f"sqlite:///{path}"

        yield make
        return
    from tests import postgres

    with postgres.running() as server:

        def make_there(name: str, copy_of: str | None = None) -> str:
            template = copy_of.split("/")[3].split("?")[0] if copy_of else "template0"
            return server.create(name, template=template)

        yield make_there


def _hash() -> str:
    from skileez.accounts import passwords

    passwords.configure(time_cost=1, memory_kib=8, at_once=1)
    return str(passwords.current().hash(stage.PASSWORD))


def _raise(url: str, *, sessions: int, presses: int) -> Stage:
    db.migrate(url)
    rows, made = stage.make(clock.now(), _hash(), sessions=sessions, presses=presses)
    stage.fill(url, rows)
    return made


def run(
    engine: str, options: argparse.Namespace, folder: Path
) -> tuple[list[Result], dict[str, int]]:
    """All cases on one engine."""
    presses = WARM_UP + PRESSES * options.rounds
    with databases(engine, folder) as make:
        small, large = make("small"), make("large")
        few = _raise(small, sessions=stage.OWN, presses=0)
        many = _raise(large, sessions=options.sessions, presses=presses)
        say(f"{engine}: {few.sessions:,} and {many.sessions:,} sessions are in place")
        floor_small, floor_large = make("floor_small", small), make("floor_large", large)
        wanted = {
            "large": ("product", large),
            "floor": ("floor", floor_large),
            "small": ("product", small),
            "floor_small": ("floor", floor_small),
        }
        with servers.serving_all(wanted) as ports:
            cookies = {
                name: Browser(ports["large"]).sign_in(email, stage.PASSWORD)
                for name, email in many.people.items()
            }
            here = {
                name: Browser(ports["small"]).sign_in(email, stage.PASSWORD)
                for name, email in few.people.items()
            }
            stage.copy_sign_ins(large, floor_large)
            stage.copy_sign_ins(small, floor_small)
            results = _time(engine, options, many, ports, cookies)
            results += _growth(engine, options, few, many, ports, (cookies, here))
        return results, {"small": few.sessions, "large": many.sessions}


def _time(
    engine: str,
    options: argparse.Namespace,
    many: Stage,
    ports: dict[str, int],
    cookies: dict[str, str],
) -> list[Result]:
    results = []
    for case in cases.PAGES + cases.SLOTS + cases.VERBS:
        if options.only and not any(word in case.name for word in options.only):
            continue
        product = Player(case, many, ports["large"], cookies[case.who])
        floor = Player(case, many, ports["floor"], cookies[case.who])
        if case.writes:
            product.token = Browser(ports["large"], cookies[case.who]).token("/sessions")
        results.append(
            pair(engine, case, product, floor, reads=options.reads, rounds=options.rounds)
        )
        tell(results[-1])
    return results


def _growth(
    engine: str,
    options: argparse.Namespace,
    few: Stage,
    many: Stage,
    ports: dict[str, int],
    cookies: tuple[dict[str, str], dict[str, str]],
) -> list[Result]:
    """A page in the large database over the same page in the small one."""
    results = []
    for case in cases.GROWING:
        if options.only and not any(word in case.name for word in options.only):
            continue
        name = f"{case.name}: {options.sessions:,} in the database ÷ {stage.OWN:,}"
        grown = replace(case, name=name, target=GROWTH)
        large = Player(grown, many, ports["large"], cookies[0][case.who])
        small = Player(grown, few, ports["small"], cookies[1][case.who])
        results.append(
            pair(engine, grown, large, small, reads=options.reads, rounds=options.rounds)
        )
        tell(results[-1])
    return results


HEADINGS = ("", "engine", "case", "product", "floor", "ratio", "target", "cpu", "queries", "kB")
LAYOUT = "{:4} {:10} {:55} {:>9} {:>9} {:>6} {:>6} {:>6} {:>8} {:>6}"


def tell(result: Result) -> None:
    """One line of the table."""
    say(
        LAYOUT.format(
            "ok" if result.met else "MISS",
            result.engine,
            result.case,
            f"{result.product_ms:.2f} ms",
            f"{result.floor_ms:.2f} ms",
            f"{result.ratio:.2f}",
            f"{result.target:g}",
            f"{result.processor_ratio:.2f}",
            " ".join(
                "/".join(map(str, one)) for one in (result.product_queries, result.floor_queries)
            ),
            f"{result.kilobytes:.1f}",
        )
    )


def say(text: str) -> None:
    """To the terminal, at once."""
    print(text, flush=True)


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--sessions", type=int, default=LARGE, help="in the large database")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--reads", type=int, default=READS, help="requests to a page in a round")
    parser.add_argument("--only", nargs="*", help="only the cases whose name contains one of these")
    parser.add_argument("--out", type=Path, default=Path("bench/results.json"))
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    return parser.parse_args()


def main() -> None:
    """Run it, print the table, write the JSON."""
    given = options()
    engines = ("sqlite", "postgresql") if given.engine == "both" else (given.engine,)
    results: list[Result] = []
    sizes: dict[str, dict[str, int]] = {}
    say(LAYOUT.format(*HEADINGS))
    for engine in engines:
        with tempfile.TemporaryDirectory(prefix="skileez-bench-") as folder:
            made, sizes[engine] = run(engine, given, Path(folder))
            results += made
    missed = [one for one in results if not one.met]
    report = {
        "at": clock.now().isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": os.getloadavg(),
        "versions": {name: version(name) for name in ("flask", "sqlalchemy", "granian")},
        "rounds": given.rounds,
        "sessions": sizes,
        "results": [{**asdict(one), "met": one.met} for one in results],
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=2) + "\n")
    say(f"\n{len(results) - len(missed)} of {len(results)} targets met; written to {given.out}")
    if missed and given.check:
        sys.exit(1)


if __name__ == "__main__":
    main()
