"""The page and the API of the sandbox, for one region.

- `GET /sandbox`: the page. `POST /sandbox` does the action of a form of the page.
- `GET /sandbox/actions`: the actions. `POST /sandbox/actions/{id}` does one; the body is JSON, also an empty object.

An error is a problem document (RFC 9457), and for a form the page with the reason.
"""

import hmac
import json
import secrets
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from typing_extensions import override

from app.simulator.http.server import Simulator
from app.simulator.sandbox import actions
from app.simulator.sandbox.actions import ACTIONS, Done
from app.simulator.sandbox.effects import Action, Parameter, clio_id
from app.simulator.sandbox.guard import only_from_here, read_body
from app.simulator.sandbox.problems import ForeignRequest, InvalidParameter, SandboxProblem
from app.simulator.sandbox.scene import Interruptions, Scene, scene_of

FIRM = clio_id("firm", "Clio account id of the firm")
REMEMBERED = 20  # results that the page lists
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # without a referrer, a form would send `Origin: null`
    "X-Content-Type-Options": "nosniff",
}
_templates = Environment(
    loader=PackageLoader("app.simulator.sandbox", "files"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Result:
    """What was done at a time, and the number by which the page finds it."""

    number: int
    at: datetime
    title: str
    result: Done


@dataclass
class Sandbox:
    """The sandbox of one simulator: what it did last, and the token of its forms."""

    simulator: Simulator
    interruptions: Interruptions = field(init=False)
    results: deque[Result] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def __post_init__(self) -> None:
        self.interruptions = Interruptions(self.simulator)

    def scene(self, region: str, firm: Any) -> Scene:
        """Return the scene of the firm that a request names; raises SandboxProblem."""
        account_id = None if firm in (None, "") else actions.read_number(FIRM, firm)
        return scene_of(self.simulator, region, self.interruptions, account_id)

    def do(self, scene: Scene, action: Action, sent: Mapping[str, Any]) -> Result:
        """Do an action and remember the result; raises SandboxProblem."""
        done = actions.perform(scene, action, actions.read_parameters(action, sent))
        number = self.results[-1].number + 1 if self.results else 1
        self.results.append(Result(number, self.simulator.now(), action.title, done))
        return self.results[-1]


class SafeRoute(APIRoute):
    """A route whose refusals are problem documents, and whose answers have the headers of the sandbox."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_safely(request: Request) -> Response:
            try:
                answer = await handle(request)
            except SandboxProblem as problem:
                answer = _problem(problem)
            answer.headers.update(_HEADERS)
            return answer

        return handle_safely


def _problem(problem: SandboxProblem) -> Response:
    document = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    return JSONResponse(document, problem.status, media_type="application/problem+json")


def router(sandbox: Sandbox, region: str, host: str) -> APIRouter:
    """Return the routes for one region of a simulator that listens on this host."""
    made = APIRouter(
        prefix="/sandbox", route_class=SafeRoute, dependencies=[Depends(only_from_here(host))]
    )
    _add_api(made, sandbox, region)

    @made.get("")
    async def page(request: Request, firm: str = "", done: str = "") -> Response:
        scene = sandbox.scene(region, firm)
        last = next((one for one in sandbox.results if str(one.number) == done), None)
        return _page(sandbox, scene, region, last=last)

    @made.post("")
    async def do(request: Request) -> Response:
        body = await read_body(request, "application/x-www-form-urlencoded")
        sent = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        if not hmac.compare_digest(
            sent.pop("form_token", "").encode(), sandbox.form_token.encode()
        ):
            raise ForeignRequest(
                "The form is not of this run of the simulator; load the page again."
            )
        scene = sandbox.scene(region, sent.pop("firm", ""))
        action = actions.find_action(sent.pop("action", ""))
        try:
            result = sandbox.do(scene, action, sent)
        except SandboxProblem as problem:
            return _page(sandbox, scene, region, problem=problem)
        firm = scene.firm.account["id"]
        return RedirectResponse(f"/sandbox?firm={firm}&done={result.number}#result", 303)

    @made.get("/sandbox.css")
    async def stylesheet() -> Response:
        file = resources.files("app.simulator.sandbox") / "files" / "sandbox.css"
        return Response(file.read_text(), media_type="text/css")

    return made


def _add_api(made: APIRouter, sandbox: Sandbox, region: str) -> None:
    @made.get("/actions")
    async def list_actions(firm: str = "") -> Response:
        scene = sandbox.scene(region, firm)
        users = [scene.record("user", user_id) for user_id in scene.logins]
        account = scene.firm.account
        return JSONResponse({
            "firm": {"id": str(account["id"]), "name": account["name"]},
            "logins": [{"user_id": str(user["id"]), "name": user["name"]} for user in users],
            "data": [actions.describe(scene, action) for action in ACTIONS],
        })  # fmt: skip

    @made.post("/actions/{action_id}")
    async def do_action(request: Request, action_id: str) -> Response:
        action = actions.find_action(action_id)
        sent = _object(await read_body(request, "application/json"))
        scene = sandbox.scene(region, sent.pop("firm", None))
        return JSONResponse(sandbox.do(scene, action, sent).result.document())


def _object(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; an empty body is an empty object. Raises InvalidParameter."""
    try:
        sent = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise InvalidParameter('The body must be a JSON object, such as {"seconds": 30} or {}.')
    return sent


def _page(
    sandbox: Sandbox,
    scene: Scene,
    region: str,
    *,
    last: Result | None = None,
    problem: SandboxProblem | None = None,
) -> Response:
    rows = [(action, actions.why_not(scene, action)) for action in ACTIONS]
    text = _templates.get_template("sandbox.html").render(
        rows=rows,
        scene=scene,
        region=region.upper(),
        users=[scene.record("user", user_id) for user_id in scene.logins],
        results=list(reversed(sandbox.results)),
        last=last,
        problem=problem,
        form_token=sandbox.form_token,
        utc=lambda moment: moment.astimezone(UTC).strftime("%H:%M:%S UTC"),
        is_id=lambda parameter: isinstance(parameter, Parameter) and parameter.default is None,
    )
    return HTMLResponse(text, problem.status if problem else 200)
