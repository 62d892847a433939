"""Who is in the demo. Addresses end in ``demo.example``, where no mail can arrive."""

from dataclasses import dataclass
from typing import Final

PASSWORD: Final = "skileez-demo-2026"
DOMAIN: Final = "demo.example"


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody with an account; ``part`` says what for, where it is one of the four doors."""

    key: str
    name: str
    zone: str
    coaches: bool = False
    part: str = ""

    @property
    def email(self) -> str:
        """Their address."""
        return f"{self.key}@{DOMAIN}"


DOORS: Final = (
    Player("student", "Lina Hoffmann", "America/New_York", part="studies with the coach, twice"),
    Player("coach", "Daniel Okafor", "Europe/Berlin", coaches=True, part="coaches four people"),
    Player("stranger", "Sam Whitfield", "Europe/London", part="has contracts with others only"),
    Player("admin", "Camille Moreau", "Europe/Paris", part="administrator"),
)
OTHERS: Final = (
    Player("ananya.shrestha", "Ananya Shrestha", "Asia/Kathmandu", coaches=True),
    Player("beatriz.carvalho", "Beatriz Carvalho", "America/Sao_Paulo", coaches=True),
    Player("tom.gallagher", "Tom Gallagher", "Australia/Sydney", coaches=True),
    Player("sofia.marchetti", "Sofia Marchetti", "Europe/Rome", coaches=True),
    Player("kenji.watanabe", "Kenji Watanabe", "Asia/Tokyo", coaches=True),
    Player("amina.diallo", "Amina Diallo", "Africa/Dakar", coaches=True),
    Player("jonas.weber", "Jonas Weber", "Europe/Berlin", coaches=True),
    Player("priya.raman", "Priya Raman", "Asia/Kolkata"),
    Player("chloe.bernard", "Chloé Bernard", "Europe/Paris"),
    Player("mateo.alvarez", "Mateo Álvarez", "America/Mexico_City"),
    Player("noor.haddad", "Noor Haddad", "Asia/Amman"),
    Player("grace.kim", "Grace Kim", "America/Los_Angeles"),
    Player("seun.adeyemi", "Oluwaseun Adeyemi", "Africa/Lagos"),
    Player("ingrid.solberg", "Ingrid Solberg", "Europe/Oslo"),
    Player("lucas.pereira", "Lucas Pereira", "America/Sao_Paulo"),
    Player("wei.zhang", "Wei Zhang", "Asia/Shanghai"),
    Player("hannah.cole", "Hannah Cole", "America/Chicago"),
)
ZONE_OF: Final = {player.key: player.zone for player in (*DOORS, *OTHERS)}
