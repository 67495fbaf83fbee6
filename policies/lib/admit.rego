# METADATA
# title: May this call go to Intercom?
package portcullis.admit

import rego.v1

import data.portcullis.join

answer := join.answer(
	{
		"deny": {said | some said in data.portcullis.rules.admit.deny},
		"hold": {said | some said in data.portcullis.rules.admit.hold},
		"allow": {said | some said in data.portcullis.rules.admit.allow},
		"oblige": {duty | some duty in data.portcullis.rules.admit.oblige},
	},
	{"rule": "nothing_allows", "text": "no rule allows this call"},
)
