package portcullis.rules.answers_test

import rego.v1

known := {"id": "bot", "kind": "agent", "roles": ["knowledge-author"], "groups": [], "attributes": {"team": "701"}}

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

test_answers_are_for_those_who_are_known if {
	every kind in {"result", "tool_error", "error", "list", "notification", "text"} {
		shown(known, "search_contacts", {"kind": kind}).verdict == "allow"
		shown(unknown, "search_contacts", {"kind": kind}).verdict == "deny"
	}
}

test_the_server_asks_nothing if {
	every method in {"sampling/createMessage", "elicitation/create", "roots/list"} {
		shown(known, "search_contacts", {"kind": "server_request", "method": method}).verdict == "deny"
	}
	shown(known, "search_contacts", {"kind": "input_required"}).verdict == "deny"
	shown(known, "search_contacts", {"kind": "a kind that nobody knows"}).verdict == "deny"
}

test_articles_only if {
	types := ["conversation", "contact", "company", "note", "part", "article", "admin"]
	records := [{"ref": type, "type": type, "partial": false} | some type in types]
	ruling := shown(known, "get_article", {"kind": "result", "records": records})
	ruling.verdict == "allow"
	dropped(ruling) == {"conversation", "contact", "company", "note", "part"}
	{duty.rule | some duty in ruling.obligations; not duty.redact} == {"articles_only"}
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
	visible(known) == {"get_article", "search_articles", "update_article"}
	visible(unknown) == set()
}

released(approver, groups) := ruling if {
	document := {
		"principal": object.union(known, {"on_behalf_of": "ann"}),
		"approver": approver,
		"hold": {"release": {"groups": groups, "people": 2}, "approvals": []},
	}
	ruling := data.portcullis.approve.answer with input as document
}

test_the_release_groups_release if {
	released({"id": "bea", "groups": ["kb-editors"]}, ["kb-editors"]).verdict == "allow"
	released({"id": "bea", "groups": ["x", "kb-editors"]}, ["y", "kb-editors"]).verdict == "allow"
	released({"id": "bea", "groups": ["support-leads"]}, ["kb-editors"]).verdict == "deny"
	released({"id": "bea", "groups": []}, ["kb-editors"]).verdict == "deny"
	released({"id": "bea", "groups": ["kb-editors"]}, []).verdict == "deny"
}

test_nobody_releases_their_own_call if {
	ruling := released({"id": "ann", "groups": ["kb-editors"]}, ["kb-editors"])
	ruling.verdict == "deny"
	rules(ruling) == {"own_call"}
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
