"""The HTML pages: how to connect, approve or decline access, and the page after a decline without a redirect."""

from collections.abc import Iterable, Mapping
from html import escape

from app.simulator.http.oauth import App
from app.simulator.store.firm import Firm

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: Clio (simulated)</title>
<style>
  body {{ margin: 0; background: #f2f4f7; color: #1b2430; font: 1rem/1.5 system-ui, sans-serif; }}
  main {{ max-width: 32rem; margin: 3rem auto; padding: 1.5rem 2rem; background: #fff; border: 1px solid #c9d1dc; }}
  h1 {{ font-size: 1.35rem; margin: 0 0 .5rem; }}
  .where {{ color: #4a5563; margin: 0 0 1rem; }}
  label {{ display: block; font-weight: 600; margin: 1.25rem 0 .25rem; }}
  select, button {{ font: inherit; width: 100%; min-height: 2.75rem; padding: .5rem .75rem; box-sizing: border-box; }}
  button {{ margin-top: .75rem; border: 2px solid #0b5cad; border-radius: .25rem; cursor: pointer; }}
  .yes {{ margin-top: 1.25rem; background: #0b5cad; color: #fff; }}
  .no {{ background: #fff; color: #0b5cad; }}
  :focus-visible {{ outline: 3px solid #f2a900; outline-offset: 2px; }}
</style>
</head>
<body><main>
<p class="where">Clio (simulated), region {region}</p>
<h1>{title}</h1>
{body}
</main></body>
</html>
"""


def home(region: str, app: App, firms: Iterable[Firm], redirect_uris: Iterable[str]) -> str:
    """Return the page of the address alone, which Clio does not have: what this is, and what is needed to connect."""
    callbacks = ", ".join(f"<code>{escape(uri)}</code>" for uri in redirect_uris)
    names = ", ".join(escape(firm.account["name"]) for firm in firms)
    body = f"""<p>It answers <code>/oauth/…</code> and <code>/api/v4/…</code> as Clio does, with invented data.</p>
<dl>
<dt>Firms</dt><dd>{names}</dd>
<dt>Client id</dt><dd><code>{escape(app.client_id)}</code></dd>
<dt>Client secret</dt><dd><code>{escape(app.secret)}</code></dd>
<dt>Redirect URI</dt><dd>{callbacks}</dd>
</dl>
<p>The API needs a token, as Clio does: connect a user of the service first. Then
<code>/_simulator/log</code> lists the requests that were received.</p>
<p>The <a href="/sandbox">sandbox</a> makes something happen in a firm: a new client, a merge, an outage.</p>"""
    return _PAGE.format(title="A simulated Clio", region=escape(region.upper()), body=body)


def approve(region: str, app: App, firms: Iterable[Firm], params: Mapping[str, str]) -> str:
    """Return the page on which a person chooses a user, and approves or declines."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
        for name, value in params.items()
    )
    writable = escape(", ".join(sorted(app.writes)))
    body = f"""<p>It can read the contacts, matters, users and custom fields that you can see in Clio.</p>
<p>It can write: {writable}.</p>
<form method="post" action="/oauth/authorize">
{hidden}<label for="as_user">Log in as</label>
<select id="as_user" name="as_user" required autofocus>
{"".join(_user_options(firm) for firm in firms)}</select>
<button class="yes">Approve access</button>
<button class="no" name="as_user" value="decline">Decline</button>
</form>"""
    title = f"{escape(app.client_id)} asks for access to your firm's data"
    return _PAGE.format(title=title, region=escape(region.upper()), body=body)


def _user_options(firm: Firm) -> str:
    """Return the options for a firm's users who may log in."""
    users = (firm.find("user", user_id) or {} for user_id in firm.ids("user"))
    options = "".join(
        f'<option value="{user["id"]}">{escape(str(user["name"]))}, {escape(firm.account["name"])}</option>\n'
        for user in users
        if user.get("enabled", True)
    )
    return f'<optgroup label="{escape(firm.account["name"])}">\n{options}</optgroup>\n'


def declined(region: str) -> str:
    """Return the page for a user who declined when the app asked for no redirect."""
    body = "<p>Nothing was shared. You may close this page.</p>"
    return _PAGE.format(title="You declined", region=escape(region.upper()), body=body)
