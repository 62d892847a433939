"""``python -m tests.sim [SEEDS] [COACHES]``: many half years, on every core, each from its seed.

SEEDS is a number (1 to it) or ``from-to``; a seed that fails prints itself and what was wrong.
"""

import sys
import tempfile
import traceback
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import monotonic

from skileez import db, logs
from tests.sim.invariants import live
from tests.sim.world import in_memory

ACTIVE = 10
"""Contracts of each half year under which something happens."""
RECURRING = 0.5
"""The share of them that recur, in every third half year."""


def one(seed: int, coaches: int, template: Path) -> tuple[int, dict[str, int], str]:
    """One half year; what happened in it, and what was wrong."""
    logs.configure("CRITICAL")
    with in_memory(template) as engine:
        try:
            recurring = 0 if seed % 3 else RECURRING
            world = live(seed, engine, coaches, active=ACTIVE, recurring=recurring)
        except Exception as error:  # noqa: BLE001 (told with its seed)
            last = traceback.format_exception_only(error)
            return seed, {}, "".join(last)
    return seed, {"steps": world.steps, "messages": len(world.post.received), **world.did}, ""


def main(seeds: str = "20", coaches: str = "50") -> int:
    """Run them all; the exit status is 1 when one failed."""
    first, _, last = seeds.rpartition("-")
    every = range(int(first or 1), int(last) + 1)
    total: dict[str, int] = {}
    failed, began = [], monotonic()
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor() as pool:
        template = Path(folder) / "template.sqlite3"
        db.migrate(f"sqlite:///{template}")
        jobs = [pool.submit(one, seed, int(coaches), template) for seed in every]
        for n, job in enumerate(jobs, 1):
            seed, did, wrong = job.result()
            for name, count in did.items():
                total[name] = total.get(name, 0) + count
            if wrong:
                failed.append(seed)
                print(f"seed {seed} failed (python -m tests.sim {seed}-{seed} {coaches}):\n{wrong}")
            if n % 50 == 0 or n == len(every):
                print(f"{n} of {len(every)}, {len(failed)} failed, {monotonic() - began:.0f} s")
    print(", ".join(f"{count} {name}" for name, count in sorted(total.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
