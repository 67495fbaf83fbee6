package portcullis.questions_test

import rego.v1

a := {"rule": "a", "text": "a"}

h := {"rule": "h", "text": "h"}

d := {"rule": "d", "text": "d"}

test_admit_joins_deny_hold_allow if {
	everything := {"allow": {a}, "hold": {h}, "deny": {d}}
	data.portcullis.admit.answer.verdict == "deny" with data.portcullis.rules.admit as everything
	waiting := {"allow": {a}, "hold": {h}}
	data.portcullis.admit.answer.verdict == "hold" with data.portcullis.rules.admit as waiting
	allowed := {"allow": {a}}
	data.portcullis.admit.answer.verdict == "allow" with data.portcullis.rules.admit as allowed
}

test_silence_names_itself if {
	admit := data.portcullis.admit.answer with data.portcullis.rules.admit as {}
	admit.verdict == "deny"
	[reason | some reason in admit.reasons; reason.rule == "nothing_allows"] != []
	disclose := data.portcullis.disclose.answer with data.portcullis.rules.disclose as {}
	disclose.verdict == "deny"
	approve := data.portcullis.approve.answer with data.portcullis.rules.approve as {}
	approve.verdict == "deny"
}

test_only_admit_holds if {
	waiting := {"hold": {h}}
	data.portcullis.disclose.answer.verdict == "deny" with data.portcullis.rules.disclose as waiting
	data.portcullis.approve.answer.verdict == "deny" with data.portcullis.rules.approve as waiting
}

test_hide_beats_show_and_nothing_is_invented if {
	answer := data.portcullis.visible.answer with input as {"tools": [{"name": "a"}, {"name": "b"}]}
		with data.portcullis.rules.visible as {"show": {"a", "b", "c"}, "hide": {"b"}}
	answer.tools == {"a"}
	answer.reasons[0].text == "1 of 2 tools are shown to this principal"
}

test_nothing_is_shown_by_silence if {
	answer := data.portcullis.visible.answer with input as {"tools": [{"name": "a"}]}
		with data.portcullis.rules.visible as {}
	answer.tools == set()
}
