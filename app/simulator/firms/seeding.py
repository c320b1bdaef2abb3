"""One seeded firm on its way: the dice, the firm, and today."""

import random
from datetime import datetime, timedelta

from app.simulator.store.firm import Firm, Record


class Seeding:
    """What everything that is made up draws from. The same seed, the same firm."""

    def __init__(self, firm: Firm, seed: int, today: datetime) -> None:
        self.firm = firm
        self.today = today
        self.dice = random.Random(seed)  # noqa: S311  # a repeatable firm, no secret

    def moment(self, days: int) -> datetime:
        """Some moment of the last days."""
        return self.today - timedelta(seconds=self.dice.randrange(days * 86_400))

    def put(self, kind: str, record: Record, days: int = 900) -> None:
        """Add a record that was made at some time and changed at a later one, or never."""
        changed = self.moment(days)
        made = changed - timedelta(days=self.dice.choice((0, 0, 3, 400)))
        self.firm.put(kind, {**record, "created_at": self.firm.format_time(made)}, at=changed)
