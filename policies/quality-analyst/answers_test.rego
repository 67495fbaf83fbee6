package portcullis.rules.answers_test

import rego.v1

known := {"id": "bot", "kind": "agent", "roles": ["quality-analyst"], "groups": [], "attributes": {"team": "701"}}

unknown := {"id": "bot", "kind": "agent", "roles": ["nobody-has-this"], "groups": [], "attributes": {}}

nothing := {"contacts": 0, "companies": 0, "conversations": 0, "articles": 0, "notes": 0, "parts": 0, "rows": 0}

document(who, tool, answer) := {
	"principal": who,
	"method": "tools/call",
	"subject": {"kind": "tool", "name": tool},
	"tool": {"name": tool, "effect": "read", "pinned": true},
	"now": {"unix": 1000},
	"trail": {"day": {"contacts": 0}},
	"answer": object.union({"records": [], "counts": nothing, "understood": true, "bytes": 1, "is_error": false}, answer),
}

shown(who, tool, answer) := ruling if {
	ruling := data.portcullis.disclose.answer with input as document(who, tool, answer)
}

dropped(ruling) := {duty.drop.record | some duty in ruling.obligations}

rules(ruling) := {reason.rule | some reason in ruling.reasons}

test_the_server_asks_nothing if {
	every method in {"sampling/createMessage", "elicitation/create", "roots/list"} {
		shown(known, "search_contacts", {"kind": "server_request", "method": method}).verdict == "deny"
	}
	shown(known, "search_contacts", {"kind": "input_required"}).verdict == "deny"
	shown(known, "search_contacts", {"kind": "a kind that nobody knows"}).verdict == "deny"
}

test_results_are_for_those_who_are_known if {
	every kind in {"result", "list"} {
		shown(known, "search_contacts", {"kind": kind}).verdict == "allow"
		shown(unknown, "search_contacts", {"kind": kind}).verdict == "deny"
	}
	rules(shown(known, "search_contacts", {"kind": "result"})) == {"result_by_role"}
}

test_errors_and_words_may_quote_a_person if {
	every kind in {"error", "tool_error"} {
		every tool in {"list_articles", "search_articles", "get_article"} {
			rules(shown(known, tool, {"kind": kind})) == {"error_by_role"}
			shown(unknown, tool, {"kind": kind}).verdict == "deny"
		}
		shown(known, "search_contacts", {"kind": kind}).verdict == "deny"
	}
	every kind in {"notification", "text"} {
		shown(known, "get_article", {"kind": kind}).verdict == "deny"
	}
}

method(who, kind) := answered(who, kind, "error")

answered(who, kind, answer) := ruling if {
	asked := {
		"principal": who,
		"method": "ping",
		"subject": {"kind": kind},
		"answer": {"kind": answer, "bytes": 1, "is_error": false, "understood": false, "records": [], "counts": nothing},
	}
	ruling := data.portcullis.disclose.answer with input as asked
}

test_errors_of_methods if {
	method(known, "method").verdict == "allow"
	method(known, "task").verdict == "deny"
	method(unknown, "method").verdict == "deny"
}

test_no_personal_data if {
	types := ["conversation", "contact", "company", "note", "part", "article", "admin", "other"]
	records := [{"ref": type, "type": type, "partial": false} | some type in types]
	ruling := shown(known, "search_contacts", {"kind": "result", "records": records})
	ruling.verdict == "allow"
	dropped(ruling) == {"conversation", "contact", "company", "note", "part", "admin", "other"}
	{duty.rule | some duty in ruling.obligations; not duty.redact} == {"no_personal_data"}
}

test_no_customer_in_an_article if {
	every what in {"contacts", "companies", "conversations", "notes", "parts"} {
		counts := object.union(nothing, {what: 1})
		rules(shown(known, "get_article", {"kind": "result", "counts": counts})) == {"person_in_article"}
		shown(known, "search_contacts", {"kind": "result", "counts": counts}).verdict == "allow"
	}
	shown(known, "get_article", {"kind": "result", "counts": object.union(nothing, {"articles": 1})}).verdict == "allow"
}

test_only_what_is_understood if {
	every tool in {"search_contacts", "get_article"} {
		rules(shown(known, tool, {"kind": "result", "understood": false})) == {"not_understood"}
		shown(known, tool, {"kind": "list", "understood": false}).verdict == "allow"
	}
	answered(known, "method", "result").verdict == "allow"
}

visible(who) := answer.tools if {
	tools := [
		{"name": "search_contacts", "effect": "read", "pinned": true},
		{"name": "get_article", "effect": "read", "pinned": true},
		{"name": "list_articles", "effect": "read", "pinned": false},
		{"name": "search_articles", "effect": "write", "pinned": true},
		{"name": "update_article", "effect": "write", "pinned": true},
		{"name": "unheard_of", "effect": "read", "pinned": true},
	]
	answer := data.portcullis.visible.answer with input as {"principal": who, "tools": tools, "now": {"unix": 1000}}
}

test_tools_are_shown if {
	visible(known) == {"search_contacts", "get_article"}
	visible(unknown) == set()
}

test_without_an_approver_no_rule_speaks if {
	ruling := data.portcullis.approve.answer with input as {}
	[reason.rule | some reason in ruling.reasons] == ["nothing_allows"]
}

test_nothing_is_released if {
	document := {
		"principal": {"id": "bot", "roles": []},
		"approver": {"id": "bea", "groups": ["kb-editors"]},
		"hold": {"release": {"groups": [], "people": 1}, "approvals": []},
	}
	ruling := data.portcullis.approve.answer with input as document
	ruling.verdict == "deny"
	[reason.rule | some reason in ruling.reasons] == ["nothing_waits"]
}

offered(name, labels) := {"name": name, "effect": "read", "pinned": true, "labels": labels}

test_definitions_that_give_orders_or_hide_something_are_hidden if {
	tools := [
		offered("plain", []),
		offered("orders", ["instructions"]),
		offered("hides", ["encoded_data", "hidden_text"]),
		offered("shows", ["secrets"]),
		offered("other", ["encoded_data"]),
	]
	hidden := data.portcullis.rules.visible.hide with input as {"tools": tools}
	hidden == {"orders", "hides", "shows"}
}
