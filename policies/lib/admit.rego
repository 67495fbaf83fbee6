# METADATA
# title: May this call go to Intercom?
package portcullis.admit

import rego.v1

import data.portcullis.join

# METADATA
# title: No rule allows it
# custom:
#   agent_hint: Try a call that your role allows, or say what you need and why
answer := join.answer(
	{
		"deny": {said | some said in data.portcullis.rules.admit.deny},
		"hold": {said | some said in data.portcullis.rules.admit.hold},
		"allow": {said | some said in data.portcullis.rules.admit.allow},
		"oblige": {duty | some duty in data.portcullis.rules.admit.oblige},
	},
	{"rule": "nothing_allows", "text": "no rule allows this call"},
)
