"""What the drivers' clients say when they are asked something: always the same, and made of the question."""

TEXTS = {"email": "ann@example.com", "uri": "https://example.com/", "date": "2000-01-02"}


def choice(field: dict):
    """The first of the values that a field offers."""
    offered = field.get("enum") or [one["const"] for one in field.get("oneOf", field.get("anyOf", []))]
    return offered[0] if offered else None


def value(field: dict):
    """The default of a field, else something that fits."""
    if "default" in field:
        return field["default"]
    kind = field.get("type")
    if kind == "array":
        return [choice(field["items"])]
    if kind in ("integer", "number"):
        return field.get("minimum", 7)
    if kind == "boolean":
        return True
    return choice(field) or TEXTS.get(field.get("format"), "Ann")


def elicited(params: dict) -> dict:
    """The answer to `elicitation/create`."""
    if params.get("mode") == "url":
        return {"action": "accept"}
    fields = params["requestedSchema"].get("properties", {})
    return {"action": "accept", "content": {name: value(field) for name, field in fields.items()}}


def sampled(params: dict) -> dict:
    """The answer to `sampling/createMessage`: it repeats what it heard last."""
    heard = params["messages"][-1]["content"]
    text = f"I heard: {heard['text']}"
    return {"role": "assistant", "content": {"type": "text", "text": text}, "model": "parrot", "stopReason": "endTurn"}


def roots() -> dict:
    """The answer to `roots/list`."""
    return {"roots": [{"uri": "file:///home/ann/one", "name": "one"}, {"uri": "file:///home/ann/tw%C3%B6", "name": "twö"}]}
