#!/usr/bin/env python3
"""What other agents feel while the rules run too long for one of them: Portcullis and the simulator as processes of
their own, everything on loopback.

    tests/bench/overrun.py --portcullis target/release/portcullis [--rule interpreted|bytecode|builtin] [--rounds 6] [--seconds 5]

The others call at a steady rate, each on a connection of its own, and a call's time counts from when it was due. Rounds
in which they are alone take turns with rounds in which one principal calls all the time and its rules overrun the
deadline, so that whatever else the machine does is in both. The rule that overruns is a loop that the engine decides by
bytecode or by its interpreter and ends by itself, or one call of a function that nothing can end, which goes on when
the answer is out. Python's standard library only.

Wanted (C05): the others' p99 stays below twice its base, and whoever overruns is denied within 100 ms."""

import argparse
import asyncio
import json
import statistics
import sys
import time

from waiting import Stand, Wire, request

CONFIGURATION = """\
listen: 127.0.0.1:0
data: {folder}/data
policies: {folder}/policies
upstream: {{ url: "{simulator}", token: "${{SIM_TOKEN}}" }}
console: {{ listen: 127.0.0.1:0 }}
plugins: {{ shipped: false, without: ["*"] }}
principals: [ {principals} ]
approvers: [ {{ id: bench-approver, groups: [support-leads] }} ]
"""
OVERRUNS = "bench-0"
RULES = {
    "bytecode": 'some a in data.bench.numbers\n\tsome b in data.bench.numbers\n\ta == b\n\ta == "none"',
    "interpreted": "some a in data.bench.numbers\n\tsome b in data.bench.numbers\n\ta * b == -1",
    "builtin": "strings.any_prefix_match(data.bench.words, data.bench.others)",
}
DATA = {"bench": {"numbers": [*range(1, 3001)], "words": ["xxx"] * 6000, "others": ["yyy"] * 6000}}
ARTICLE = {"name": "get_article", "arguments": {"id": "9100001"}}


def policies(rule):
    head = "package portcullis.rules.{}\nimport rego.v1\n"
    allow = 'allow contains {"rule": "all", "text": "may"} if input.principal.id\n'
    deny = 'deny contains {{"rule": "long", "text": "never"}} if {{\n\tinput.principal.id == "{}"\n\t{}\n}}\n'
    return {
        "admit.rego": head.format("admit") + allow + deny.format(OVERRUNS, RULES[rule]),
        "disclose.rego": head.format("disclose") + allow,
        "approve.rego": head.format("approve") + allow,
        "data.json": json.dumps(DATA),
        "visible.rego": head.format("visible") + "show contains tool.name if some tool in input.tools\n",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portcullis", required=True, metavar="PATH")
    parser.add_argument("--rule", choices=RULES, default="interpreted", help="how it overruns")
    parser.add_argument("--rounds", type=int, default=6, help="rounds of each kind")
    parser.add_argument("--seconds", type=float, default=5, help="the length of a round")
    parser.add_argument("--others", type=int, default=8, help="other principals")
    parser.add_argument("--rate", type=float, default=100, help="calls per second of all others together")
    parser.add_argument("--calls", type=int, default=4, help="calls at once of the one that overruns")
    options = parser.parse_args()
    with Stand(options.portcullis, options.others + 1, CONFIGURATION, policies(options.rule)) as stand:
        sys.exit(asyncio.run(measure(stand, options)))


async def measure(stand, options):
    others = [await Wire.to(stand.url, key) for key in stand.keys[1:]]
    overrunning = [await Wire.to(stand.url, stand.keys[0]) for _ in range(options.calls)]
    await asyncio.gather(*(calls(wire, options, 0, 1) for wire in others))
    times = {"alone": [], "beside": []}
    denials = []
    for _ in range(options.rounds):
        for kind in times:
            over = asyncio.Event()
            busy = [overruns(wire, over) for wire in overrunning] if kind == "beside" else []
            busy = [asyncio.create_task(one) for one in busy]
            turns = [calls(wire, options, place, options.seconds) for place, wire in enumerate(others)]
            times[kind].append([took for one in await asyncio.gather(*turns) for took in one])
            over.set()
            denials += [took for one in await asyncio.gather(*busy) for took in one]
    found = {}
    for kind, rounds in times.items():
        p50, p99 = (percentile([took for one in rounds for took in one], at) for at in (50, 99))
        each = ", ".join(f"{percentile(one, 99):.1f}" for one in rounds)
        found[kind] = (p50, p99)
        print(f"others {kind:<6} p50 {p50:6.2f} ms, p99 {p99:6.2f} ms ({sum(map(len, rounds))} calls; p99 by round: {each})")
    print(f"overrunning   p50 {percentile(denials, 50):6.2f} ms, p99 {percentile(denials, 99):6.2f} ms ({len(denials)} denials)")
    p50, p99 = (beside / alone for beside, alone in zip(found["beside"], found["alone"]))
    print(f"beside / alone: p50 {p50:.2f}, p99 {p99:.2f} (below 2 is wanted)")
    return 0 if p99 < 2 else 1


async def calls(wire, options, place, seconds):
    """Calls when they are due; how long each took, in milliseconds."""
    every = options.others / options.rate
    began = time.monotonic() + every * place / options.others
    took = []
    for number in range(max(1, int(seconds / every))):
        due = began + number * every
        await asyncio.sleep(max(0, due - time.monotonic()))
        _, answer = await wire.ask_modern(request(number, "tools/call", json.loads(json.dumps(ARTICLE))), {})
        took.append((time.monotonic() - due) * 1000)
        if answer["result"].get("isError"):
            raise RuntimeError(f"another agent was refused: {answer}")
    return took


async def overruns(wire, over):
    """Calls until the round is over; how long each denial took."""
    took = []
    while not over.is_set():
        asked = time.monotonic()
        _, answer = await wire.ask_modern(request(1, "tools/call", json.loads(json.dumps(ARTICLE))), {})
        took.append((time.monotonic() - asked) * 1000)
        if not answer["result"].get("isError"):
            raise RuntimeError(f"the rules did not overrun: {answer}")
    return took


def percentile(times, at):
    return statistics.quantiles(times, n=100, method="inclusive")[at - 1]


if __name__ == "__main__":
    main()
