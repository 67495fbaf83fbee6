# METADATA
# title: May this person release this hold now?
package portcullis.approve

import rego.v1

import data.portcullis.join

# METADATA
# title: No rule allows this approval
answer := join.answer(
	{
		"deny": {said | some said in data.portcullis.rules.approve.deny},
		"hold": set(),
		"allow": {said | some said in data.portcullis.rules.approve.allow},
		"oblige": {duty | some duty in data.portcullis.rules.approve.oblige},
	},
	{"rule": "nothing_allows", "text": "no rule allows this person to release this hold"},
)
