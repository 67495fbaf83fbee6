"""All shipped bundles, with documents as the road makes them, and some that it never makes."""

import itertools
import json
import pathlib
import random
from dataclasses import dataclass

import oracle

POLICIES = pathlib.Path(__file__).resolve().parent.parent.parent / "policies"

READS = ["search", "fetch", "get_conversation", "search_contacts", "list_companies", "get_article", "nobody_knows"]
WRITES = ["create_article", "update_article", "add_internal_note"]
LABELS = [[], [], ["instructions"], ["encoded_data", "hidden_text"]]
METHODS = ["initialize", "ping", "tools/list", "resources/read", "prompts/get", "tasks/get", "session/end", "a/b"]
KINDS = ["result", "tool_error", "error", "list", "notification", "server_request", "input_required", "text", "x"]
ASKED = ["sampling/createMessage", "elicitation/create", "roots/list", None]
RECORDS = [
    {"ref": "conversation:1", "type": "conversation", "id": "1", "row": True, "partial": False, "text_bytes": 10, "tags": ["legal", "9"], "team": "2", "admin": "0", "state": "open",
     "segments": ["vip"], "contacts": ["c"], "companies": ["5"], "author": {"type": "user", "id": "c"}},
    {"ref": "note:2", "type": "note", "id": "2", "row": False, "partial": False, "text_bytes": 5, "parent": "conversation:1", "part_type": "note"},
    {"ref": "article:3", "type": "article", "id": "3", "row": True, "partial": True, "text_bytes": 0},
]
COUNTS = {"contacts": 1, "companies": 1, "conversations": 1, "articles": 1, "notes": 1, "parts": 1, "rows": 2}
CONTENTS = [
    {"understood": True, "records": RECORDS, "counts": COUNTS},
    {"understood": True, "records": [], "counts": dict.fromkeys(COUNTS, 0)},
    {"understood": False, "records": [], "counts": dict.fromkeys(COUNTS, 0)},
]
SUMS = ["calls", "denials", "writes", "rows", "bytes", "contacts", "companies", "conversations", "articles"]


@dataclass
class Bundle:
    """A folder with what it is asked."""

    name: str
    folder: pathlib.Path
    requests: list


def bundles():
    """Every folder of `policies` that has rules for the four questions."""
    found = []
    for folder in sorted(path for path in POLICIES.iterdir() if path.is_dir()):
        rules = [path for path in folder.glob("*.rego") if "package portcullis.rules." in path.read_text()]
        if rules:
            found.append(Bundle(f"bundle {folder.name}", folder, list(_requests(folder))))
    if not found:
        raise RuntimeError(f"there is no bundle in {POLICIES}")
    return found


def _requests(folder):
    chance = random.Random(1)
    principals = list(_principals(folder))
    for principal in principals:
        for pinned in (True, False):
            tools = [{"name": name, "effect": "read", "pinned": pinned, "labels": chance.choice(LABELS)} for name in READS]
            tools += [{"name": name, "effect": "write", "pinned": True, "labels": []} for name in WRITES]
            yield "visible", {**_common(principal), "tools": tools}
        for call in _calls():
            document = {**_common(principal), **call, **chance.choice(SEEN)}
            yield "admit", document
            yield "admit", _broken(chance, document)
        for call in chance.sample(list(_calls()), 6):
            for kind, method in itertools.product(KINDS, ASKED):
                answer = {"kind": kind, "bytes": chance.choice([0, 100, 10**7]), "is_error": kind in ("error", "tool_error")}
                answer = {**answer, **chance.choice(CONTENTS)}
                document = {**_common(principal), **call, **chance.choice(SEEN), "answer": {**answer, **({"method": method} if method else {})}}
                yield "disclose", document
            yield "disclose", _broken(chance, document)
        for call in _calls():
            if call.get("tool", {}).get("effect") == "write":
                yield from _approvals(chance, {**_common(principal), **call})
    for question in ("visible", "admit", "disclose", "approve"):
        for document in ({}, {"principal": None}, {"principal": {"roles": None}, "tool": []}, {"tools": [{}], "tool": {"name": 1}}):
            yield question, document


def _seen(kinds, labels):
    found = {"confidence": 60, "count": 2, "plugin": "pii", "paths": ["/body"]}
    return {"findings": [{"kind": kind, "party": party, **found} for kind, party in kinds], "labels": labels}


# What plugins saw.
SEEN = [
    _seen([], []),
    _seen([("email", "customer"), ("person", "unknown")], []),
    _seen([("secret", "unknown")], ["secrets"]),
    _seen([("hidden_text", "unknown")], ["instructions"]),
]


def _principals(folder):
    roles = oracle.roles_of(folder)
    for names in [[], *([role] for role in roles), roles, ["a role that nobody has"]]:
        for person in ("ann", None):
            principal = {"id": "bot", "kind": "agent", "roles": names, "groups": ["a"], "attributes": {"team": "t"}}
            yield {**principal, **({"on_behalf_of": person} if person else {})}
    yield {"id": "portcullis", "kind": "portcullis", "roles": [], "groups": [], "attributes": {}}


def _common(principal):
    now = {"text": "2026-07-28T00:00:00.000Z", "unix": 1785196800, "weekday": "tuesday", "minute_of_day": 0}
    client = {"name": "c", "version": "1"}
    trail = {span: dict.fromkeys(SUMS, 300) for span in ("minute", "hour", "day")}
    trail |= {"labels": ["customer-text"], "recent": [{"tool": "search", "verdict": "allow", "seconds_ago": 5}]}
    return {"now": now, "environment": {"name": "test"}, "principal": principal, "client": client, "trail": trail}


def _calls():
    for names, effect in ((READS, "read"), (WRITES, "write")):
        for name, pinned, arguments in itertools.product(names, (True, False), _arguments()):
            tool = {"name": name, "effect": effect, "pinned": pinned, **({"definition": "sha256:0"} if pinned else {})}
            yield {"method": "tools/call", "revision": "2025-11-25", "subject": {"kind": "tool", "name": name}, "tool": tool, "arguments": arguments}
    for method in METHODS:
        yield {"method": method, "revision": "2026-07-28", "subject": {"kind": "method"}, "params": {"cursor": "1"}}
    yield {"method": "prompts/get", "revision": "2026-07-28", "subject": {"kind": "prompt", "name": "p"}, "params": {"name": "p"}}
    yield {"method": "resources/read", "revision": "2026-07-28", "subject": {"kind": "resource", "uri": "u:1"}, "params": {"uri": "u:1"}}
    yield {"method": "tasks/get", "revision": "2026-07-28", "subject": {"kind": "task", "id": "1"}, "params": {"taskId": "1"}}
    for method in ASKED[:3]:
        yield {"method": method, "revision": "2025-11-25", "subject": {"kind": "answer"}, "params": {"result": {}}}


def _arguments():
    return [{}, {"id": "1", "state": "published", "title": "t", "body": "<p>b</p>", "per_page": 150}]


def _approvals(chance, document):
    for approver, groups, wanted in itertools.product(("ann", "bob"), ([], ["kb-editors"], ["a", "b"]), ([], ["kb-editors"])):
        release = {"groups": wanted, "people": chance.choice([1, 2]), "expires_seconds": 60}
        hold = {
            "id": "hold_1", "tool": document["tool"]["name"], "principal": "bot", "release": release,
            "opened_at": document["now"], "expires_at": document["now"], "approvals": chance.choice([[], ["ann"]]),
        }
        yield "approve", {**document, "approver": {"id": approver, "groups": groups}, "hold": hold}


def _broken(chance, document):
    """A copy with one member that is missing or of another type."""
    copy = json.loads(json.dumps(document))
    place = copy
    key = chance.choice(sorted(place))
    while isinstance(place[key], dict) and place[key] and chance.random() < 0.7:
        place = place[key]
        key = chance.choice(sorted(place))
    other = chance.choice([None, [], {}, 1, "x", True, "missing"])
    if other == "missing":
        del place[key]
    else:
        place[key] = other
    return copy
