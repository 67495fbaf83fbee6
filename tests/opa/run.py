#!/usr/bin/env python3
"""Our evaluator against real OPA: systematic policies and all shipped bundles, each with many inputs.

    run.py --portcullis target/debug/portcullis [--only PART] [--show]

Each input is decided by `portcullis policy eval --batch` (bytecode where it decides on the road, and the
interpreter beside it) and by OPA. A difference must stand in `differences.py` under the case's name, with a
justification; one that lets something pass which OPA stops is never justified. Python's standard library only.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
from collections import Counter

import bundles
import differences
import functions
import language
import oracle

FILLERS = {
    "visible": 'hide contains "nothing"',
    "disclose": 'deny contains {"rule": "filler", "text": "filler"}',
    "approve": 'deny contains {"rule": "filler", "text": "filler"}',
}
STRICTNESS = {"allow": 0, "hold": 1, "deny": 2}
FEWEST_CASES = 200


def main():
    options = arguments()
    try:
        folder = oracle.install()
    except RuntimeError as error:
        sys.exit(f"opa: {error}")
    cases = [case for case in [*functions.cases(), *language.cases()] if options.only in case.name]
    shipped = [bundle for bundle in bundles.bundles() if options.only in bundle.name]
    doubled = [name for name, times in Counter(case.name for case in cases).items() if times > 1]
    if doubled:
        sys.exit(f"opa: two cases have the name: {doubled}")
    with tempfile.TemporaryDirectory(prefix="portcullis-opa-") as temporary:
        asked = [of_case(case, pathlib.Path(temporary) / str(number)) for number, case in enumerate(cases)]
        asked += [of_bundle(bundle) for bundle in shipped]
        failed = judge(asked, ours(options.portcullis, asked), options)
    if not options.only:
        failed += [] if len(cases) >= FEWEST_CASES else [f"only {len(cases)} cases"]
        failed += capabilities(options.portcullis, oracle.capabilities(folder))
    for line in failed:
        print(f"\n{line}")
    print(f"\nopa: {len(asked)} bundles with {sum(len(one['requests']) for one in asked)} inputs compared, {len(failed)} failed")
    return 1 if failed else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portcullis", metavar="PATH", required=True, help="the binary")
    parser.add_argument("--only", default="", metavar="PART", help="only cases and bundles whose name has this part")
    parser.add_argument("--show", action="store_true", help="show the listed differences too")
    return parser.parse_args()


def of_case(case, folder):
    """Writes a case as a bundle; its rules belong to `admit`."""
    files = {"admit.rego": case.rules, **case.files}
    for question, rule in FILLERS.items():
        files[f"{question}.rego"] = f"package portcullis.rules.{question}\n\nimport rego.v1\n\n{rule}\n"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    requests = [("admit", {"probe": True, **document}) for document in case.inputs]
    return {"name": case.name, "folder": folder, "files": files, "requests": requests}


def of_bundle(bundle):
    files = oracle.files_of(bundle.folder)
    return {"name": bundle.name, "folder": bundle.folder, "files": files, "requests": bundle.requests}


def ours(binary, asked):
    """Every answer of Portcullis, in the order of the requests."""
    lines = []
    for one in asked:
        for question, document in one["requests"]:
            query = f"data.portcullis.{question}.answer"
            lines.append(json.dumps({"bundle": str(one["folder"]), "query": query, "input": document}))
    ended = subprocess.run(
        [binary, "policy", "eval", "--batch"], input="\n".join(lines) + "\n", capture_output=True, text=True, encoding="utf-8"
    )
    answers = [json.loads(line) for line in ended.stdout.split("\n") if line]
    if ended.returncode != 0 or len(answers) != len(lines):
        sys.exit(f"opa: `policy eval --batch` ended with {ended.returncode} after {len(answers)} of {len(lines)} answers: {ended.stderr[-2000:]}")
    return iter(answers)


def judge(asked, answers, options):
    """What is wrong: differences that are not listed, that are laxer, or that are listed and do not exist."""
    failed = []
    known = differences.by_name()
    decided = Counter()
    for one in asked:
        theirs = oracle.Oracle(one["files"])
        seen = {}
        for question, document in one["requests"]:
            answer = next(answers)
            decided[answer.get("decided_by", "refused")] += 1
            if "refused" in answer:
                # Denies whatever OPA says; some of these would fill OPA's memory.
                kind, text = "refused", f"ours: {answer['refused']}"
            else:
                kind, text = compare(question, answer, theirs.ask(question, document))
            if kind:
                seen.setdefault(kind, []).append(f"{json.dumps(document)[:300]}\n      {text}")
        theirs.close()
        listed = known.pop(one["name"], {})
        for kind, examples in seen.items():
            shown = "\n    ".join(examples[:3])
            if kind == "laxer" or kind not in listed:
                failed.append(f"{one['name']}: {kind} ({len(examples)} of {len(one['requests'])})\n    {shown}")
            elif options.show:
                print(f"{one['name']}: {kind} ({len(examples)}): {listed[kind]}\n    {shown}")
        failed += [f"{one['name']}: `{kind}` is listed and does not happen" for kind in listed if kind not in seen]
    if not options.only:
        failed += [f"{name}: is listed and no such case exists" for name in known]
    print(f"opa: decided by {dict(decided)}")
    return failed


def compare(question, answer, theirs):
    """The kind of a difference, with both sides; `(None, None)` if there is none."""
    other = answer.get("interpreter")
    if other and difference(question, other, theirs)[0] == "laxer":
        return difference(question, other, theirs)
    kind, text = difference(question, answer, theirs)
    if other and not kind:
        # Bytecode decides and says what OPA says.
        return "interpreter", f"interpreter: {json.dumps(other)[:400]}\n      OPA's: {json.dumps(theirs)[:400]}"
    return kind, text


def difference(question, answer, theirs):
    their_kind, their_value = theirs
    our_kind = next(kind for kind in ("result", "undefined", "error") if kind in answer)
    our_value = answer[our_kind]
    both = f"ours: {our_kind} {json.dumps(our_value)[:400]}\n      OPA's: {their_kind} {json.dumps(their_value)[:400]}"
    if our_kind == "error" and their_kind == "error":
        return None, None
    if our_kind == "result" and their_kind == "value" and exact(our_value) == exact(their_value):
        return None, None
    ours_now = our_value if our_kind == "result" else None
    theirs_now = their_value if their_kind == "value" else None
    if laxer(question, ours_now, theirs_now):
        return "laxer", both
    return ("error" if our_kind == "error" else "value"), both


def laxer(question, ours_now, theirs_now):
    if question == "visible":
        shown = set((ours_now or {}).get("tools", []))
        return not shown <= set((theirs_now or {}).get("tools", []))
    verdict = lambda answer: STRICTNESS.get((answer or {}).get("verdict"), STRICTNESS["deny"])
    return verdict(ours_now) < verdict(theirs_now)


def exact(value):
    """A form in which only equal JSON is equal: Python takes `1`, `1.0` and `true` for one."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    if isinstance(value, (int, float)):
        return ("number", float(value) if abs(value) > 2**53 else value)
    if isinstance(value, list):
        return ("list", [exact(one) for one in value])
    return ("object", {key: exact(one) for key, one in value.items()})


def capabilities(binary, theirs):
    """Each builtin of ours is OPA's, with OPA's types."""
    printed = subprocess.run([binary, "policy", "capabilities"], capture_output=True, text=True, check=True).stdout
    known = {one["name"]: one for one in theirs["builtins"]}
    wrong = []
    for one in json.loads(printed)["builtins"]:
        other = known.get(one["name"], {})
        if (one["decl"], one.get("infix")) != (other.get("decl"), other.get("infix")):
            wrong.append(f"capabilities: {one['name']} is {json.dumps(one)}, in OPA {json.dumps(other)[:500]}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
