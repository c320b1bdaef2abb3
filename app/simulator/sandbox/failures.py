"""The actions by which Clio stops working for the service: a revoked login, a rate limit, an outage."""

from datetime import timedelta

from app.simulator.sandbox.effects import (
    ACCOUNT,
    Action,
    Given,
    Outcome,
    Parameter,
    Shown,
    clio_id,
    shown_by_run,
)
from app.simulator.sandbox.problems import NotPossible
from app.simulator.sandbox.scene import Scene, named
from app.simulator.store.firm import Record

DEFAULT_SECONDS, MOST_SECONDS = 30, 24 * 60 * 60
_SECONDS = Parameter("seconds", "For how many seconds", MOST_SECONDS, DEFAULT_SECONDS)


def _find_login(scene: Scene, given: Given) -> Record:
    """Return the given user, or the one who connected last."""
    logins = scene.logins
    if not logins:
        raise NotPossible(
            f"Nobody of {scene.firm.account['name']} is connected to the service; connect a user first."
        )
    user = scene.record("user", given.get("user_id", logins[-1]))
    if user["id"] not in logins:
        raise NotPossible(f"{named(user)} is not connected to the service; name one who is.")
    return user


def _revoke(scene: Scene, given: Given) -> Outcome:
    user = _find_login(scene, given)
    scene.oauth.revoke_user(user["id"])
    return Outcome(
        f"{named(user)} has revoked the access of the service.", {"user_id": str(user["id"])}
    )


def _limit(scene: Scene, given: Given) -> Outcome:
    seconds = given["seconds"]
    scene.simulator.limits.exhaust(scene.simulator.now() + timedelta(seconds=seconds))
    done = f"Every request to Clio's API is answered 429 for {seconds} seconds, in all regions."
    return Outcome(done, {})


def _fail(scene: Scene, given: Given) -> Outcome:
    seconds = given["seconds"]
    scene.interruptions.begin_outage(scene.simulator.now() + timedelta(seconds=seconds))
    return Outcome(f"Clio answers 503 for {seconds} seconds, in all regions.", {})


def _end(scene: Scene, _given: Given) -> Outcome:
    scene.interruptions.end_outage()
    scene.simulator.limits.recover()
    return Outcome("Clio works: no outage and no rate limit is on.", {})


REVOKE = Action(
    id="revoke-login",
    title="A revoked login",
    does="A user ends the access of the service inside Clio; by default the one who connected last.",
    perform=_revoke,
    find=_find_login,
    parameters=(clio_id("user_id", "Clio id of the user"),),
    shows=(
        shown_by_run("incremental", "The run succeeds if another login works, else it fails."),
        Shown(
            "The connection of the user has the status needs_reconnect.",
            endpoint=f"GET {ACCOUNT}/connections",
        ),
        Shown("The health is degraded.", endpoint=f"GET {ACCOUNT}/status"),
        Shown("Open until the user connects again.", issue="needs_reconnect"),
        Shown("Sent once: ask the user to connect again.", event="connection.needs_reconnect"),
    ),
)
RATE_LIMIT = Action(
    id="rate-limit",
    title="A rate limit",
    does="Clio's API answers 429 with Retry-After for a while, as if every login had used up its requests.",
    perform=_limit,
    parameters=(_SECONDS,),
    shows=(
        shown_by_run("incremental", "Start it while the limit is on."),
        Shown(
            "The run waits as long as Clio said and then succeeds; clio.rate_limited and clio.waited_seconds count"
            " it.",
            endpoint=f"GET {ACCOUNT}/runs?order=newest",
        ),
        Shown("No issue opens and the health stays.", endpoint=f"GET {ACCOUNT}/status"),
    ),
)
OUTAGE = Action(
    id="outage",
    title="An outage",
    does="Clio answers every request of the service with 503 and an HTML page for a while.",
    perform=_fail,
    parameters=(_SECONDS,),
    shows=(
        shown_by_run("incremental", "Start it while the outage is on."),
        Shown(
            "The run is interrupted with the problem clio_unavailable, continues by itself and succeeds; nothing is"
            " removed. A short outage only makes it slower.",
            endpoint=f"GET {ACCOUNT}/runs?order=newest",
        ),
        Shown("Open when no list could be read for two hours.", issue="clio_outage"),
        Shown("Sent when the run has ended.", event="run.finished"),
    ),
)
END = Action(
    id="end-faults",
    title="End rate limit and outage",
    does="Ends what the two actions above began. The service still waits as long as Clio told it before.",
    perform=_end,
    shows=(
        Shown(
            "Interrupted runs continue by themselves.", endpoint=f"GET {ACCOUNT}/runs?order=newest"
        ),
    ),
)
