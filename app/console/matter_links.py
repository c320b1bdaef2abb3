"""Links into Clio for the numbers of matters that a sentence names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.api import schemas


@dataclass(frozen=True)
class MatterLinks:
    """The numbers of matters by Clio id, and the address of Clio."""

    origin: str
    numbers: Mapping[int, str]

    def href(self, matter_id: str | int) -> str:
        """Return the address of a matter in Clio."""
        return f"{self.origin}/nc/#/matters/{matter_id}"

    def number(self, matter_id: str | int) -> str:
        """Return the number of a matter, or that it has none."""
        return self.numbers.get(int(matter_id), "a matter without a number")

    def parts(self, text: str) -> list[tuple[str, str | None]]:
        """Return a sentence in parts: its text, and the address of those parts that are numbers of matters."""
        addresses = {number: self.href(key) for key, number in self.numbers.items()}
        if not addresses:
            return [(text, None)]
        longest_first = sorted(addresses, key=len, reverse=True)
        found = re.split(f"({'|'.join(map(re.escape, longest_first))})", text)
        return [(part, addresses.get(part)) for part in found if part]


def matter_ids(explained: schemas.Decision) -> set[int]:
    """Return the Clio ids of the matters that an explanation names."""
    owner = explained.owner
    granted: Iterable[str] = (
        key for tag in explained.tags for one in tag.grants for key in one.matter_clio_ids
    )
    considered = (one.matter_clio_id for one in owner.considered) if owner else ()
    return {int(key) for key in (*granted, *considered)}
