"""The state while a seeded firm is built: random numbers, the firm and the current time."""

import random
from datetime import datetime, timedelta

from app.simulator.store.firm import Firm, Record


class Seeding:
    """The source of all generated data. The same seed gives the same firm."""

    def __init__(self, firm: Firm, seed: int, today: datetime) -> None:
        self.firm = firm
        self.today = today
        self.rng = random.Random(seed)  # noqa: S311  # test data, not a secret

    def random_time(self, days: int) -> datetime:
        """Return a random time of the last `days`."""
        return self.today - timedelta(seconds=self.rng.randrange(days * 86_400))

    def put(self, kind: str, record: Record, days: int = 900) -> None:
        """Add a record with random times of creation and of the last change."""
        changed = self.random_time(days)
        made = changed - timedelta(days=self.rng.choice((0, 0, 3, 400)))
        self.firm.put(kind, {**record, "created_at": self.firm.format_time(made)}, at=changed)
