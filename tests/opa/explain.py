#!/usr/bin/env python3
"""What `policy explain` says of the shipped bundles, against real OPA's trace.

    explain.py --portcullis target/debug/portcullis

For calls, answers and releases drawn from the roles of each bundle: the rules that spoke are the same set in OPA,
and a rule that stopped did so on the line to which OPA's trace came in its body. OPA does not enter rules that its
index rules out; of those only the silence is compared. Python's standard library only.
"""

import argparse
import itertools
import json
import pathlib
import random
import subprocess
import sys

import bundles
import oracle

READS = ["search", "get_conversation", "get_contact", "get_article"]
WRITES = ["update_article", "add_internal_note", "nobody_knows"]
METHODS = ["ping", "tools/list", "resources/read", "tasks/get", "session/end", "elicitation/create"]
KINDS = [{"kind": "result"}, {"kind": "list"}, {"kind": "server_request", "method": "elicitation/create"}, {"kind": "input_required"}]
PER_QUESTION = 12
FEWEST_ASKED = 50
FEWEST_LINES = 100


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portcullis", metavar="PATH", required=True, help="the binary")
    binary = parser.parse_args().portcullis
    try:
        oracle.install()
    except RuntimeError as error:
        sys.exit(f"opa: {error}")
    asked, lines, silent, failed = 0, 0, 0, []
    for bundle in bundles.bundles():
        theirs = oracle.Oracle(oracle.files_of(bundle.folder))
        for question, document in documents(bundle.folder):
            asked += 1
            ours = explained(binary, bundle.folder, question, document)
            value = theirs.engine.eval_document(f"portcullis.rules.{question}", ours["input"], trace=True)
            where = f"{bundle.name} {question} {json.dumps(document)}"
            if spoke(ours) != said(value):
                failed.append(f"{where}\n    ours: {sorted(spoke(ours))}\n    OPA's: {sorted(said(value))}")
            reached = reach(theirs.engine.last_trace)
            for rule in ours["rules"]:
                if rule["outcome"] != "stopped":
                    if rule["outcome"] != "spoke":
                        failed.append(f"{where}\n    {rule['at']}: {rule['outcome']}: {rule.get('text')}")
                elif rule["at"] not in reached:
                    silent += 1
                else:
                    lines += 1
                    if rule["stopped_at"] != reached[rule["at"]]:
                        failed.append(f"{where}\n    {rule['at']}: ours stopped at {rule['stopped_at']}, OPA at {reached[rule['at']]}")
        theirs.close()
    if asked < FEWEST_ASKED or lines < FEWEST_LINES:
        failed.append(f"only {asked} questions with {lines} lines were compared")
    for line in failed:
        print(f"\n{line}")
    print(f"\nexplain: {asked} questions, {lines} stopped lines equal to OPA's, {silent} rules that OPA's index rules out, {len(failed)} failed")
    return 1 if failed else 0


def documents(folder):
    """Some of all that could be asked of a bundle, each question as a short document."""
    chance = random.Random(7)
    roles = oracle.roles_of(folder)
    principals = [{"id": "bot", "roles": names, "groups": ["a"]} for names in [[], *([role] for role in roles), roles]]
    principals.append({"id": "portcullis", "kind": "portcullis"})
    principals.append({"id": "bot", "roles": roles[:1], "on_behalf_of": "ann"})
    calls = [{"tool": tool, "effect": effect, "pinned": pinned, "arguments": {"id": "1"}}
             for tools, effect in ((READS, "read"), (WRITES, "write")) for tool in tools for pinned in (True, False)]
    methods = [{"method": method} for method in METHODS]
    asked = {
        "admit": [{**call, "principal": principal} for call, principal in itertools.product([*calls, *methods], principals)],
        "disclose": [{**call, "principal": principal, "answer": answer}
                     for call, principal, answer in itertools.product(calls, principals, KINDS)],
        "approve": [{**call, "principal": principal, "approver": {"id": person, "groups": groups}, "hold": {"release": release(wanted)}}
                    for call, principal, person, groups, wanted in
                    itertools.product(calls, principals, ("ann", "bob"), ([], ["kb-editors"]), ([], ["kb-editors"]))],
    }
    for question, all_of_it in asked.items():
        for document in chance.sample(all_of_it, PER_QUESTION * (2 if question == "admit" else 1)):
            yield question, {"now": "2026-07-28T00:00:00Z", **document}


def release(groups):
    return {"groups": groups, "people": 1, "expires_seconds": 60}


def explained(binary, folder, question, document):
    command = [binary, "policy", "explain", "--config", "/nonexistent", "--bundle", str(folder), "-q", question, "-i", "-", "-f", "json"]
    ended = subprocess.run(command, input=json.dumps(document), capture_output=True, text=True, encoding="utf-8")
    if ended.returncode != 0:
        sys.exit(f"opa: `policy explain` ended with {ended.returncode} for {json.dumps(document)}: {ended.stderr[-2000:]}")
    return json.loads(ended.stdout)


def spoke(ours):
    return {rule["rule"].split(".", 1)[1] for rule in ours["rules"] if rule["outcome"] == "spoke"}


def said(value):
    return {member["rule"] for members in value.values() if isinstance(members, list) for member in members
            if isinstance(member, dict) and "rule" in member}


def reach(trace):
    """The furthest line of each rule's body to which the evaluation came, by the rule's place."""
    entered, furthest = {}, {}
    for event in trace:
        number, place = event["query_id"], event["location"]
        if event["op"] == "Enter" and event["parent_id"] == 0 and number != 0:
            entered[number] = place
        elif event["op"] == "Eval" and number in entered:
            file, line = place.rsplit(":", 1)
            known = furthest.get(entered[number], f"{file}:0")
            furthest[entered[number]] = max(known, f"{file}:{line}", key=lambda it: int(it.rsplit(":", 1)[1]))
    return furthest


if __name__ == "__main__":
    sys.exit(main())
