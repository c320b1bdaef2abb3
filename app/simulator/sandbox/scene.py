"""What an action works on: a firm of one region, its logins at the service, and the simulator."""

from dataclasses import dataclass
from datetime import datetime
from itertools import count

from app.simulator.faults.faults import Fault
from app.simulator.http.oauth import OAuth
from app.simulator.http.server import Simulator
from app.simulator.sandbox.problems import InvalidParameter, NotPossible
from app.simulator.store.firm import Firm, Record


class Interruptions:
    """The outage and the rate limit that the sandbox has switched on, for all firms and regions."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._outage: Fault | None = None
        self.numbers = count(1)  # of the people that the sandbox invents

    @property
    def outage_until(self) -> datetime | None:
        """Until when every request is answered 503; None if there is no outage."""
        return self._ahead(self._outage.until if self._outage else None)

    @property
    def rate_limit_until(self) -> datetime | None:
        """Until when every request to the API is answered 429; None if requests are counted as usual."""
        return self._ahead(self._simulator.limits.exhausted_until)

    def _ahead(self, moment: datetime | None) -> datetime | None:
        return moment if moment is not None and moment > self._simulator.now() else None

    def begin_outage(self, until: datetime) -> None:
        """Answer 503 until then, in place of an outage that is on."""
        self.end_outage()
        every = 2**63  # it ends by time, not by number
        self._outage = self._simulator.faults.add(
            Fault("status", value="503", times=every, until=until)
        )

    def end_outage(self) -> None:
        """End the outage, if there is one."""
        if self._outage is not None:
            self._simulator.faults.remove(self._outage)
            self._outage = None


@dataclass(frozen=True)
class Scene:
    """The firm on which an action is done."""

    simulator: Simulator
    oauth: OAuth
    firm: Firm
    interruptions: Interruptions

    @property
    def logins(self) -> list[int]:
        """The users of the firm who are connected to the service, in the order in which they connected."""
        return self.oauth.logins(self.firm)

    @property
    def user_id(self) -> int:
        """The user as whom the sandbox works: the first login that sees all contacts, else an account owner."""
        users = [self.firm.find("user", user_id) or {} for user_id in self.firm.ids("user")]
        full = {user["id"] for user in users if user.get("roles")}
        owners = [user["id"] for user in users if user.get("account_owner")]
        chosen: int = [*(one for one in self.logins if one in full), *owners][0]
        return chosen

    def record(self, kind: str, record_id: int) -> Record:
        """Return a record of the firm; raises NotPossible if there is none."""
        found = self.firm.find(kind, record_id)
        if found is None:
            raise NotPossible(
                f"The firm {self.firm.account['name']} has no {kind} with Clio id {record_id}."
            )
        return found

    def person(self, contact_id: int) -> Record:
        """Return a person of the firm; raises NotPossible if there is none, or if it is a company."""
        found = self.record("contact", contact_id)
        if found["type"] != "Person":
            raise NotPossible(
                f"{named(found)} is a company. The service publishes people only; name a person."
            )
        return found


def named(record: Record) -> str:
    """Return how a text names a contact or a user: the name and the Clio id."""
    return f"{(record.get('name') or '').strip() or 'A contact without a name'} (Clio id {record['id']})"


def scene_of(
    simulator: Simulator, region: str, interruptions: Interruptions, account_id: int | None
) -> Scene:
    """Return the scene of a firm of a region: the one with this Clio account id, else the first with a login."""
    oauth = simulator.oauth[region]
    if not oauth.firms:
        raise NotPossible(f"There is no firm in the region {region}.")
    firms = {firm.account["id"]: firm for firm in oauth.firms}
    if account_id is not None and account_id not in firms:
        known = ", ".join(f"{one} ({firm.account['name']})" for one, firm in firms.items())
        raise InvalidParameter(f"`firm` is the Clio account id of a firm of this region: {known}.")
    connected = (firm for firm in oauth.firms if oauth.logins(firm))
    firm = firms[account_id] if account_id is not None else next(connected, oauth.firms[0])
    return Scene(simulator, oauth, firm, interruptions)
