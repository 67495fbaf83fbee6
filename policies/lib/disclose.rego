# METADATA
# title: May this answer go to the principal?
package portcullis.disclose

import rego.v1

import data.portcullis.join

# METADATA
# title: No rule lets it through
answer := join.answer(
	{
		"deny": {said | some said in data.portcullis.rules.disclose.deny},
		"hold": set(),
		"allow": {said | some said in data.portcullis.rules.disclose.allow},
		"oblige": {duty | some duty in data.portcullis.rules.disclose.oblige},
	},
	{"rule": "nothing_allows", "text": "no rule allows this answer to be shown"},
)
