package portcullis.join_test

import rego.v1

import data.portcullis.join

silence := {"rule": "silence", "text": "silence"}

said(name) := {"rule": name, "text": name}

held(name, groups, people, seconds) := {
	"rule": name,
	"text": name,
	"release": {"groups": groups, "people": people, "expires_seconds": seconds},
}

nothing := {"deny": set(), "hold": set(), "allow": set(), "oblige": set()}

test_silence_denies if {
	join.answer(nothing, silence) == {
		"verdict": "deny",
		"reasons": [silence],
		"obligations": [],
		"release": null,
	}
}

test_allow_allows if {
	all := object.union(nothing, {"allow": {said("b"), said("a")}})
	join.answer(all, silence) == {
		"verdict": "allow",
		"reasons": [said("a"), said("b")],
		"obligations": [],
		"release": null,
	}
}

test_hold_beats_allow if {
	all := object.union(nothing, {"allow": {said("a")}, "hold": {held("h", ["g"], 2, 60)}})
	join.answer(all, silence) == {
		"verdict": "hold",
		"reasons": [said("h")],
		"obligations": [],
		"release": {"groups": ["g"], "people": 2, "expires_seconds": 60},
	}
}

test_deny_beats_all if {
	all := {"allow": {said("a")}, "hold": {held("h", ["g"], 2, 60)}, "deny": {said("d")}}
	answer := join.answer(all, silence)
	answer.verdict == "deny"
	answer.reasons == [said("d")]
	answer.release == null
}

test_duties_count_unless_denied if {
	duty := {"rule": "r", "text": "t", "cap": {"argument": "per_page", "most": 5}}
	allowed := object.union(nothing, {"allow": {said("a")}, "oblige": {duty}})
	join.answer(allowed, silence).obligations == [duty]
	held_too := object.union(allowed, {"hold": {said("h")}})
	join.answer(held_too, silence).obligations == [duty]
	denied := object.union(allowed, {"deny": {said("d")}})
	join.answer(denied, silence).obligations == []
	join.answer(object.union(nothing, {"oblige": {duty}}), silence).obligations == []
}

test_hold_without_conditions_leaves_them_to_portcullis if {
	all := object.union(nothing, {"hold": {said("h")}})
	join.answer(all, silence).release == null
}

test_several_holds_must_all_be_met if {
	all := object.union(nothing, {"hold": {held("a", ["x", "y"], 1, 60), held("b", ["y", "z"], 2, 90), said("d")}})
	conditions := join.answer(all, silence).release
	count(conditions) == 2
	{one.people | some one in conditions} == {1, 2}
	{one.expires_seconds | some one in conditions} == {60, 90}
}

test_what_a_condition_says_is_passed_on_as_it_is if {
	condition := {"groups": ["x"], "people": 2, "expires_seconds": 60, "distinct_groups": true, "odd": 1}
	join.release({condition}) == condition
	other := object.union(condition, {"people": 1})
	join.release({condition, other}) == {condition, other}
	join.release(set()) == null
}
