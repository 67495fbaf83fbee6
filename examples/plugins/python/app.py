"""Finds the numbers by which a company knows its customers, such as `KD-4711-0815`.

A plugin is asked about the texts of a call, of an answer or of a tool's definition, and says what it
sees: spans with a kind. Policy decides what that means, and Portcullis alone edits.
"""

import json
import re

from wit_world import exports
from wit_world.imports.types import Description, Document, Finding, Party, Phase, Report

# Between the prefix and the end: two groups of four digits. A longer run of letters or digits is
# something else.
NUMBER = re.compile(r"(?<![0-9A-Za-z])([A-Z]{2})-([0-9]{4})-?([0-9]{4})(?![0-9A-Za-z])")

CONFIG_SCHEMA = {
    "type": "object",
    "properties": {"prefix": {"type": "string", "pattern": "^[A-Z]{2}$"}},
    "additionalProperties": False,
}


class Inspector(exports.Inspector):
    def describe(self) -> Description:
        return Description(
            name="customer-number",
            version="0.1.0",
            summary="The numbers by which the company knows its customers",
            kinds=["customer_number"],
            labels=[],
            phases=[Phase.CALL, Phase.ANSWER],
            tools=[],
            config_schema=json.dumps(CONFIG_SCHEMA),
        )

    def inspect(self, document: Document, config: str) -> Report:
        prefix = json.loads(config or "{}").get("prefix", "KD")
        findings = []
        for number, leaf in enumerate(document.leaves):
            for match in NUMBER.finditer(leaf.text):
                if match[1] == prefix:
                    findings.append(finding(number, leaf, match))
        return Report(findings=findings, labels=[], opinion=None)


def finding(number: int, leaf, match: re.Match) -> Finding:
    # Places are counted in bytes of UTF-8, Python counts characters.
    start = len(leaf.text[: match.start()].encode())
    plain = f"{match[1]}-{match[2]}-{match[3]}"
    return Finding(
        leaf=number,
        start=start,
        end=start + len(match[0]),
        kind="customer_number",
        confidence=95,
        reason="shape",
        # The number as the company writes it, if it is written in another way here.
        value=plain if plain != match[0] else None,
        subject=None,
        part=None,
        party=Party.CUSTOMER,
    )
