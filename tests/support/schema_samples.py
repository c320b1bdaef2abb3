"""Makes values that a JSON schema of the OpenAPI document allows, with everything that a later release may add."""

from typing import Any

NEW_FIELD = "a_field_of_next_year"
NEW_WORD = "a_word_of_next_year"
TIME = "2026-03-03T11:04:09.512000+00:00"
SIMPLE = {"string": "text", "integer": 7, "number": 1.5, "boolean": True, "null": None}


class Samples:
    """Values for the schemas of one document. Of alternatives the one at the position `choice` is taken."""

    def __init__(self, document: dict[str, Any], *, choice: int, new: bool) -> None:
        self._named = document["components"]["schemas"]
        self._choice = choice
        self._new = new

    def sample(self, schema: dict[str, Any]) -> Any:
        """Return a value with every field, and with unknown fields and words if `new` is set."""
        if "$ref" in schema:
            return self.sample(self._named[schema["$ref"].rpartition("/")[2]])
        for alternatives in ("anyOf", "oneOf"):
            if alternatives in schema:
                return self.sample(schema[alternatives][self._choice])
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("type") == "object":
            return self._object(schema)
        if schema.get("type") == "array":
            return [self.sample(schema["items"])]
        return self._simple(schema)

    def _object(self, schema: dict[str, Any]) -> dict[str, Any]:
        made = {name: self.sample(part) for name, part in schema.get("properties", {}).items()}
        others = schema.get("additionalProperties", True)
        if isinstance(others, dict):
            return made | {"a key": self.sample(others)}
        return made | {NEW_FIELD: {"deep": [1]}} if others and self._new else made

    def _simple(self, schema: dict[str, Any]) -> Any:
        if schema.get("format") == "date-time":
            return TIME
        if schema.get("format") == "date":
            return TIME[:10]
        if "x-extensible-enum" in schema and schema["type"] == "string":
            return NEW_WORD if self._new else schema["x-extensible-enum"][0]
        return SIMPLE[schema.get("type", "string")]
