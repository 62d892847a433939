"""What coaches in the demo offered that is no contract: waiting, declined, withdrawn."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Offer:
    """A proposal's terms; ``price`` in minor units of ``currency``, ``minutes`` a session."""

    coach: str
    student: str
    title: str
    sessions: int
    minutes: int
    price: int
    currency: str
    zone: str
    message: str


WAITING: Final = (
    Offer(
        "coach",
        "student",
        "Your conference talk, from idea to stage",
        6,
        90,
        13500,
        "EUR",
        "Europe/Berlin",
        "Lina, the call for papers is open. Six longer sessions: story, slides, three rehearsals, "
        "and one evening before the day itself.",
    ),
    Offer(
        "ananya.shrestha",
        "student",
        "Calm under questions",
        5,
        45,
        5000,
        "EUR",
        "Europe/Berlin",
        "Daniel told me about your talk. I help people stay present when the room asks back.",
    ),
    Offer(
        "coach",
        "noor.haddad",
        "Interview preparation",
        8,
        60,
        11000,
        "USD",
        "Asia/Amman",
        "Eight mock interviews with written feedback, at a pace that fits around your job.",
    ),
    Offer(
        "kenji.watanabe",
        "coach",
        "Statistics you will actually use",
        10,
        60,
        13000,
        "JPY",
        "America/New_York",
        "From the questions you asked me last month. No proofs, plenty of bad charts to mend.",
    ),
    Offer(
        "tom.gallagher",
        "stranger",
        "Your first hiring round",
        4,
        60,
        14500,
        "GBP",
        "Europe/London",
        "Job advert, screening, interviews, the offer. One session each.",
    ),
)
DECLINED: Final = (
    Offer(
        "coach",
        "hannah.cole",
        "Speaking up in meetings",
        8,
        45,
        9000,
        "USD",
        "America/Chicago",
        "Small steps: one sentence in one meeting a week, then two.",
    ),
    Offer(
        "beatriz.carvalho",
        "student",
        "English for presentations",
        12,
        45,
        4800,
        "EUR",
        "Europe/Berlin",
        "Your English is good; we make it comfortable.",
    ),
)
WITHDRAWN: Final = (
    Offer(
        "coach",
        "mateo.alvarez",
        "Negotiating a remote contract",
        4,
        60,
        9900,
        "USD",
        "America/Mexico_City",
        "Four sessions before your start date.",
    ),
)
