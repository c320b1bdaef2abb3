"""Clients of Clio's API for stored connections and for logins that have just approved."""

from app.clio.call_budget import CallBudget
from app.clio.client import ClioClient
from app.clio.errors import ClioMisconfigured, ClioReauthRequired
from app.clio.local_rate_limit import LocalLimit
from app.clio.models import WhoAmI
from app.clio.oauth import Tokens
from app.clio.regions import Region
from app.db.connections.connections import ClioLogin, Connection
from app.lanes import Lane
from app.sync.connections.rate_limit import limit_of
from app.sync.connections.tokens import StoredTokens
from app.sync.services import OfferedRegion, Services


def clio_for(
    services: Services, connection: Connection, lane: Lane, budget: CallBudget | None = None
) -> ClioClient:
    """Return a client that acts as this connection's user, with the priority of a lane and within a budget, if any.

    Raises ClioMisconfigured when the connection's region is no longer configured.
    """
    app = offered_region(services, connection.region).app
    limit = limit_of(services, connection)
    return services.open_clio(app, StoredTokens(services, connection), limit, lane, budget)


def clio_for_new_login(
    services: Services, region: str, tokens: Tokens, budget: CallBudget | None = None
) -> ClioClient:
    """Return a client for tokens that were just issued. A new token has a rate limit of its own that nobody shares."""
    app = offered_region(services, region).app
    return services.open_clio(app, _IssuedTokens(tokens), LocalLimit(), Lane.PERSON, budget)


class _IssuedTokens:
    """The token source of a login that is not stored yet. It never refreshes."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def token(self) -> str:
        return self._tokens.access_token.get_secret_value()

    async def renew(self, refused: str) -> str:
        raise ClioReauthRequired("Clio refused the access token it had just issued")


def offered_region(services: Services, region: str) -> OfferedRegion:
    """Return the app of a region. Raises ClioMisconfigured when the region is no longer configured."""
    offered = services.regions.get(Region(region))
    if offered is None:
        raise ClioMisconfigured(f"No Clio app of the region {region} is configured any more")
    return offered


def login_of(me: WhoAmI) -> ClioLogin:
    """Return the login that a connection acts as; Clio restricts the view of users without roles only [row 32]."""
    return ClioLogin(me.id, me.name, me.email, full_view=bool(me.account_owner or me.roles))
