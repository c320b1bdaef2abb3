"""`Config`: the process's configuration, read once from environment variables. Secrets have no default."""

import os
import re
from ipaddress import ip_network
from itertools import product
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    ValidationInfo,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "LEVITATE_CLIO_"
SHORTEST_TOKEN = 32  # characters: fewer could be guessed [T14]
FEWEST_CHARACTERS = (
    8  # different ones: a text with fewer is not random, as in `app.crypto` for keys
)
NO_ORIGIN = "must be an origin such as https://app.example.com, with no path"
_HOST = re.compile(r"[\w.:-]+")  # no wildcard: origins are compared as they are


def _origin(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(NO_ORIGIN) from None
    bare = f"{parts.scheme}://{parts.netloc}"
    is_host = _HOST.fullmatch(parts.hostname or "") and "@" not in parts.netloc
    if parts.scheme not in ("http", "https") or not is_host or value.rstrip("/") != bare:
        raise ValueError(NO_ORIGIN)
    return bare


def _origins(value: str) -> str:
    for origin in _items(value):
        _as_browsers_write(origin)
    return value


def _as_browsers_write(origin: str) -> str:
    """Return an origin in the form in which it is compared: small letters, no port that is the default."""
    try:
        return str(HttpUrl(_origin(origin))).rstrip("/")
    except ValidationError:
        raise ValueError(NO_ORIGIN) from None


def _slots(value: str) -> str:
    for slot in _items(value):
        hour, _, minute = slot.partition(":")
        if not (len(slot) == 5 and hour.isdecimal() and minute.isdecimal()):
            raise ValueError("must be a comma-separated list of HH:MM such as 06:00,18:00")
        if int(hour) > 23 or int(minute) > 59:
            raise ValueError("must be a comma-separated list of HH:MM such as 06:00,18:00")
    if not _items(value):
        raise ValueError("must name at least one slot such as 06:00")
    return value


def _dsn(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith("postgresql://"):
        raise ValueError("must begin with postgresql://")
    try:
        _ = urlsplit(value.get_secret_value()).port
    except ValueError:
        raise ValueError("must be postgresql://user:password@host:port/database") from None
    return value


def _pooler(value: str, info: ValidationInfo) -> str:
    if value != "none" and info.data.get("database_url") is None:
        raise ValueError(
            "is set without LEVITATE_CLIO_DATABASE_URL; set that to the pooler's address"
        )
    return value


def _direct(value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    """Check that there is a direct address exactly if there is a pooler; the fields before were checked."""
    pooled = info.data.get("database_pooler") == "transaction"
    if pooled and value is None:
        raise ValueError(
            "is missing; set it to the address of the PostgreSQL server itself, because workers listen there"
        )
    if pooled and value == info.data.get("database_url"):
        raise ValueError("is the address of the pooler; set it to that of the PostgreSQL server")
    if value is not None and info.data.get("database_pooler") == "none":
        raise ValueError(
            "is used only behind a pooler; set LEVITATE_CLIO_DATABASE_POOLER=transaction, or unset it"
        )
    return value


def _of_a_role(value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    if value is not None and info.data.get("database_url") is None:
        raise ValueError(
            "is set without LEVITATE_CLIO_DATABASE_URL; the embedded database has its own roles"
        )
    return value


RoleAddress = Annotated[
    Annotated[SecretStr, AfterValidator(_dsn)] | None, AfterValidator(_of_a_role)
]


def _token(value: SecretStr) -> SecretStr:
    advice = "random text, or unset it and use `levitate-clio token create`"
    if len(value.get_secret_value()) < SHORTEST_TOKEN:
        raise ValueError(f"has fewer than {SHORTEST_TOKEN} characters; set a longer {advice}")
    if len(set(value.get_secret_value())) < FEWEST_CHARACTERS:
        raise ValueError(f"has fewer than {FEWEST_CHARACTERS} different characters; set a {advice}")
    return value


def _hosts(value: str) -> str:
    for host in _items(value):
        if "/" in host or "@" in host or (":" in host and not host.strip("[]").count(":") > 1):
            raise ValueError(
                "must be a comma-separated list of host names or addresses, without scheme and port"
            )
    return value


def _networks(value: str) -> str:
    try:
        _ = [ip_network(item) for item in _items(value)]
    except ValueError:
        raise ValueError(
            "must be a comma-separated list of addresses or networks such as 10.0.0.5,10.1.0.0/16"
        ) from None
    return value


def _items(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


Region = Literal["us", "eu", "ca", "au"]


class RegisteredApp(BaseModel):
    """The app registered with Clio in one region; set `origin` only for a simulator."""

    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[SecretStr, Field(min_length=1)]
    origin: Annotated[str, AfterValidator(_origin)] | None = None


class Config(BaseSettings):
    """The process's configuration: LEVITATE_CLIO_… (docs/operations.md lists the variables)."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, hide_input_in_errors=True
    )

    database_url: Annotated[SecretStr, AfterValidator(_dsn)] | None = None
    database_pooler: Annotated[
        Literal["none", "transaction"], AfterValidator(_pooler), Field(validate_default=True)
    ] = "none"
    direct_database_url: Annotated[
        Annotated[SecretStr, AfterValidator(_dsn)] | None,
        AfterValidator(_direct),
        Field(validate_default=True),
    ] = None
    system_database_url: RoleAddress = None
    migrate_database_url: RoleAddress = None
    data_dir: str = "./data"
    public_url: Annotated[str, AfterValidator(_origin)] = "http://127.0.0.1:8000"
    encryption_keys: SecretStr | None = None
    return_origins: Annotated[str, AfterValidator(_origins)] = ""
    regions: dict[Region, RegisteredApp] = {}
    service_token: Annotated[SecretStr, AfterValidator(_token)] | None = None
    slots: Annotated[str, AfterValidator(_slots)] = "06:00,18:00"
    slot_spread_seconds: Annotated[int, Field(ge=0, le=6 * 3600)] = 3600
    api_rate: Annotated[int, Field(ge=0)] = 100
    # Seconds after a lost response in which Clio may still create the record: at least twice the deadline of a write.
    settle_seconds: Annotated[float, Field(ge=0.05, le=600)] = 60.0
    heartbeat_seconds: Annotated[float, Field(ge=0.2, le=60)] = 10.0
    webhook_hosts: Annotated[str, AfterValidator(_hosts)] = ""
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = ""
    # Days. The lower limits are what other parts of the service rely on.
    retention_runs_days: Annotated[int, Field(ge=30, le=36_500)] = 400
    retention_activities_days: Annotated[int, Field(ge=30, le=36_500)] = 400
    retention_attempts_days: Annotated[int, Field(ge=7, le=36_500)] = 30
    retention_events_days: Annotated[int, Field(ge=7, le=36_500)] = 30
    retention_audit_days: Annotated[int, Field(ge=365, le=36_500)] = 2555
    worker_port: Annotated[int, Field(ge=0, le=65535)] = 8001
    docs: Literal["on", "off"] | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"

    @property
    def serves_docs(self) -> bool:
        """Whether `/docs` is served: as configured, else only with the embedded database."""
        return self.database_url is None if self.docs is None else self.docs == "on"

    def slot_list(self) -> tuple[str, ...]:
        """Return the slots, each as `HH:MM`."""
        return tuple(_items(self.slots))

    def return_origin_list(self) -> frozenset[str]:
        """Return the origins that a browser may be redirected to after connecting."""
        return frozenset(_as_browsers_write(origin) for origin in _items(self.return_origins))

    def webhook_host_list(self) -> frozenset[str]:
        """Return the hosts that events may be posted to over plain http or at private addresses."""
        return frozenset(host.strip("[]").lower() for host in _items(self.webhook_hosts))

    def trusted_proxy_list(self) -> list[str]:
        """Return the addresses and networks of proxies that say from where a request comes."""
        return _items(self.trusted_proxies)

    def encryption_key_list(self) -> tuple[str, ...]:
        """Return the keys that encrypt secrets, the newest first; empty if none is configured."""
        return (
            tuple(_items(self.encryption_keys.get_secret_value())) if self.encryption_keys else ()
        )


def describe_errors(error: ValidationError) -> list[str]:
    """Return one line for each mistake: the variable and what to do. A line never contains a value."""
    return [
        f"{PREFIX}{_variable(fault['loc'])}: {_advice(fault['msg'], fault['type'])}"
        for fault in error.errors(include_input=False, include_url=False)
    ]


def _variable(location: tuple[int | str, ...]) -> str:
    return "__".join(str(part) for part in location if part != "[key]").upper()


def _advice(message: str, kind: str) -> str:
    if kind == "missing":
        return "is missing; set it"
    return message.removeprefix("Value error, ").replace("Input should", "should")


def find_unknown_variables() -> list[str]:
    """Return variables with our prefix that do not exist, so that a typing mistake does not go unnoticed."""
    return sorted(
        name
        for name in os.environ  # noqa: TID251  # the one place that reads the environment
        if name.upper().startswith(PREFIX) and name.upper() not in _known_variables()
    )


def is_about_a_region(name: str) -> bool:
    """Return whether a variable that does not exist was meant for a region, whose default is Clio's own host."""
    return name.upper().startswith(f"{PREFIX}REGION")


def _known_variables() -> set[str]:
    names = {name for name in Config.model_fields if name != "regions"}
    for region, part in product(get_args(Region), RegisteredApp.model_fields):
        names.add(f"regions__{region}__{part}")
    return {f"{PREFIX}{name.upper()}" for name in names}
