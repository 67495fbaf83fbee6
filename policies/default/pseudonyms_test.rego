package portcullis.rules.pseudonyms_test

import rego.v1

jane := {
	"token": "[[email:7f3a9c]]", "kind": "email", "argument": "body", "path": "/body", "known": true, "elsewhere": false,
	"subjects": ["contact:66b0c0de0000000000000a01"], "seen": ["conversation:21"],
}

call(tool, effect, arguments, pseudonyms) := {
	"principal": {"id": "bot", "roles": ["note-writer", "knowledge-author"]},
	"method": "tools/call",
	"subject": {"kind": "tool", "name": tool},
	"tool": {"name": tool, "effect": effect, "pinned": true},
	"arguments": arguments,
	"pseudonyms": pseudonyms,
}

answer(tool, effect, arguments, pseudonyms) := ruling if {
	ruling := data.portcullis.admit.answer with input as call(tool, effect, arguments, pseudonyms)
}

denials(tool, arguments, pseudonyms) := {reason.rule |
	some reason in answer(tool, "write", arguments, pseudonyms).reasons
} if {
	answer(tool, "write", arguments, pseudonyms).verdict == "deny"
}

restored(ruling) := {argument |
	some duty in ruling.obligations
	some argument in duty.restore.arguments
}

test_searches_restore if {
	ruling := answer("search", "read", {"query": "q"}, [object.union(jane, {"argument": "query", "path": "/query"})])
	ruling.verdict == "allow"
	{"query", "email", "phone", "source_author_email"} - restored(ruling) == set()
}

test_calls_without_pseudonyms_restore_nothing if {
	answer("search", "read", {"query": "q"}, []).obligations == []
	answer("add_internal_note", "write", {"conversation_id": "21", "body": "b"}, []).obligations == []
}

test_notes_restore_what_their_conversation_showed if {
	note := {"conversation_id": "21", "body": "b"}
	ruling := answer("add_internal_note", "write", note, [jane])
	ruling.verdict == "hold"
	restored(ruling) == {"body"}
}

test_notes_about_others_are_denied if {
	note := {"conversation_id": "22", "body": "b"}
	other := object.union(jane, {"elsewhere": true})
	denials("add_internal_note", note, [other]) == {"data_of_another"}

	# One value of another among many of the right ones.
	denials("add_internal_note", note, [jane, other]) == {"data_of_another"}
}

test_reads_may_look_for_anybody if {
	other := object.union(jane, {"elsewhere": true})
	answer("search_contacts", "read", {"email": "x"}, [other]).verdict == "allow"
}

test_articles_restore_nothing if {
	ruling := answer("create_article", "write", {"title": "t", "author_id": 1, "body": "b"}, [jane])
	ruling.verdict == "hold"
	restored(ruling) == set()
}

test_notes_do_not_restore_secrets if {
	every kind in {"card", "password", "secret", "iban", "national_id", "passport"} {
		not kind in data.pseudonyms.notes.kinds
	}
}

revealed(groups) := {kind |
	document := {
		"principal": {"id": "bot", "roles": []},
		"approver": {"id": "bea", "groups": groups},
		"hold": {"release": {"groups": []}, "approvals": []},
	}
	ruling := data.portcullis.approve.answer with input as document
	some duty in ruling.obligations
	some kind in duty.reveal.kinds
}

test_values_are_shown_to_those_who_may_see_them if {
	revealed(["privacy"]) == {"*"}
	revealed(["kb-editors"]) == set()
	revealed([]) == set()
}

guessing(effect, findings, probes) := ruling.verdict if {
	guess := object.union(call("search", effect, {"query": "q"}, []), {
		"findings": findings,
		"trail": {"day": {"probes": probes}},
	})
	ruling := data.portcullis.admit.answer with input as guess with data.pseudonyms.guesses_a_day as 5
}

test_guesses_are_budgeted if {
	found := [{"kind": "email", "party": "unknown", "confidence": 90, "count": 1, "plugin": "pii", "paths": []}]
	guessing("read", found, 5) == "allow"
	guessing("read", found, 6) == "deny"
	guessing("read", [], 6) == "allow"
	guessing("write", found, 6) == "hold"
}
