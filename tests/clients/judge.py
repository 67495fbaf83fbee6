"""What must be true of each step. The only place that knows; drivers only tell what they saw."""

import re

NOT_REACHED = "not reached"
STEPS = ["list", "read", "refused", "invalid", "held", "once"]

# A refusal names the rule that spoke by its title, and its record, by which a person finds the place in the policy.
RULE = r"\([^)]+\).* Record: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
# A held call that nobody decided in time says so, and that the identical call asks again.
PENDING = r"\bpending\b|\bheld\b"
# What every role of an article editor shows.
VISIBLE = {"get_conversation", "search_conversations", "update_article"}


def judge(run):
    """Judges a `run.Run`: for each step None if right, else what was wrong; steps not played are left out."""
    checks = {"list": _list, "read": _read, "refused": _refused, "invalid": _invalid}
    if run.script["held"]:
        checks["held"] = _held
        if run.sent is not None:
            checks["once"] = _once
    return {step: check(run) for step, check in checks.items()}


def _list(run):
    seen = run.seen("list")
    if wrong := _no_answer(seen):
        return wrong
    tools = set(seen["tools"])
    if missing := VISIBLE - tools:
        return f"not listed: {', '.join(sorted(missing))}"
    if run.script["refused"]["tool"] in tools:
        return f"lists `{run.script['refused']['tool']}`, which this principal may not see"
    if run.client.revision and seen["revision"] != run.client.revision:
        return f"speaks {seen['revision']} instead of {run.client.revision}"
    return None


def _read(run):
    seen = run.seen("read")
    if wrong := _no_answer(seen):
        return wrong
    if seen["is_error"]:
        return f"tool error: {seen['text']}"
    if run.script["read"]["arguments"]["id"] not in seen["text"]:
        return f"another conversation, or none: {seen['text'][:200]}"
    return None


def _refused(run):
    """Refused by Portcullis with its rule, or by a client that calls nothing its list does not show."""
    seen = run.seen("refused")
    if run.client.obeys_list:
        tool = run.script["refused"]["tool"]
        if seen.get("error") == NOT_REACHED:
            return NOT_REACHED
        known = re.search(rf"\b{tool}\b.*not found", seen.get("error", ""))
        return None if known else f"expected `{tool}` not to be found by the client: {seen}"
    return _refusal(seen, RULE, "the rule and its record")


def _invalid(run):
    (odd,) = set(run.script["invalid"]["arguments"]) - {"id"}
    return _refusal(run.seen("invalid"), rf"\b{odd}\b", "the argument")


def _held(run):
    if run.hold.problem:
        return run.hold.problem
    seen = run.seen("held")
    if wrong := _no_answer(seen):
        return wrong
    if seen["is_error"]:
        return f"tool error after {seen['calls']} calls: {seen['text']}"
    if run.client.declares == "link" and run.page:
        address = f"{run.page}/holds/{run.hold.id}"
        if seen["shown"] != [address]:
            return f"its user was shown {seen['shown']} instead of once `{address}`"
    return None


def _once(run):
    if run.hold.sent_before:
        return "reached Intercom before it was released"
    if run.sent != 1:
        return f"reached Intercom {run.sent} times"
    if run.leaked:
        return f"{run.leaked} refused calls reached Intercom"
    return None


def _refusal(seen, pattern, what):
    """A refusal is a tool error, which a model reads, or a JSON-RPC error, which the client raises."""
    if not seen.get("error") and not seen.get("is_error"):
        return f"not refused: {seen}"
    text = seen.get("error") or seen["text"]
    if text == NOT_REACHED:
        return text
    return None if re.search(pattern, text) else f"the refusal does not name {what}: {text}"


def _no_answer(seen):
    return seen.get("error")
