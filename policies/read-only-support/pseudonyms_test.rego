package portcullis.rules.pseudonyms_test

import rego.v1

jane := {
	"token": "[[email:7f3a9c]]", "kind": "email", "argument": "email", "path": "/email", "known": true, "elsewhere": false,
	"subjects": ["contact:66b0c0de0000000000000a01"], "seen": ["contact:66b0c0de0000000000000a01"],
}

spoke(effect, pseudonyms, findings, probes) := ruling if {
	ruling := data.portcullis.admit.answer with input as {
		"principal": {"id": "bot", "kind": "agent", "roles": ["support-reader"], "attributes": {"team": "701"}},
		"method": "tools/call",
		"subject": {"kind": "tool", "name": "search_contacts"},
		"tool": {"name": "search_contacts", "effect": effect, "pinned": true},
		"arguments": {"email": "x"},
		"pseudonyms": pseudonyms,
		"findings": findings,
		"labels": [],
		"trail": {"day": {"contacts": 0, "probes": probes}, "labels": []},
	}
		with data.pseudonyms.guesses_a_day as 5
}

restored(ruling) := {argument |
	some duty in ruling.obligations
	some argument in duty.restore.arguments
}

named(ruling) := {reason.rule | some reason in ruling.reasons}

test_searches_restore if {
	{"query", "email", "phone", "source_author_email"} - restored(spoke("read", [jane], [], 0)) == set()
}

test_calls_without_pseudonyms_restore_nothing if {
	restored(spoke("read", [], [], 0)) == set()
}

test_writes_restore_nothing if {
	restored(spoke("write", [jane], [], 0)) == set()
}

test_guesses_are_budgeted if {
	found := [{"kind": "email", "party": "unknown", "confidence": 90, "count": 1, "plugin": "pii", "paths": []}]
	not "guessing" in named(spoke("read", [], found, 5))
	"guessing" in named(spoke("read", [], found, 6))
	not "guessing" in named(spoke("read", [], [], 6))
	not "guessing" in named(spoke("write", [], found, 6))
}
