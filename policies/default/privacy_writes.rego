# METADATA
# title: Secrets stay out of Intercom, personal data out of articles
# description: Plugins find them in the arguments, `privacy.yaml` says which kinds are meant.
package portcullis.rules.admit

import rego.v1

# METADATA
# title: No secrets into Intercom
# custom:
#   agent_hint: Leave the secret out, and tell the person it belongs to that it was seen
deny contains {"rule": "secret_in_write", "text": "this call would write a secret into Intercom"} if {
	input.tool.effect == "write"
	some found in input.findings
	found.kind in data.privacy.secrets
}

# METADATA
# title: Personal data in an article waits
# custom:
#   agent_hint: Write the article without names, addresses and numbers of people
hold contains {
	"rule": "personal_data_in_article",
	"text": "an article is public, and personal data was seen in this one",
	"release": data.access.release(input.tool.name),
} if {
	input.tool.name in {"create_article", "update_article"}
	some found in input.findings
	found.kind in data.privacy.personal
	found.confidence >= data.privacy.least
}

# METADATA
# title: A write that instructs or hides something waits
# custom:
#   agent_hint: Write plain words, without hidden text, encoded data, and data in links
hold contains {
	"rule": "suspicious_write",
	"text": "this write has text that tries to instruct agents, or hides something",
	"release": data.access.release(input.tool.name),
} if {
	input.tool.effect == "write"
	is_suspicious
}

# METADATA
# title: A write after text that instructs agents waits
# description: |
#   `disclose` leaves a label on whoever read such text. The person who decides is told, for it is the text of
#   the write that was asked for there which must be looked at twice.
# custom:
#   agent_hint: Wait for the outcome, or go on with work that does not need this change
hold contains {
	"rule": "after_instructions",
	"text": "within the last hour this agent read text that tries to instruct agents; this write may be what was asked for there",
	"release": data.access.release(input.tool.name),
} if {
	input.tool.effect == "write"
	"untrusted-instructions" in input.trail.labels
}

is_suspicious if {
	"instructions" in input.labels
}

is_suspicious if {
	some found in input.findings
	found.kind in data.privacy.suspicious
}
