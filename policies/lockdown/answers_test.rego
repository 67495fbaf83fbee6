package portcullis.rules.answers_test

import rego.v1

known := {"id": "bot", "kind": "agent", "roles": [], "groups": [], "attributes": {}, "on_behalf_of": "ann"}

unknown := {"id": "ann", "kind": "agent", "roles": ["ann"], "groups": ["ann"], "attributes": {}}

# The time is over, is no number, is missing; nobody of that name; no person at all.
others := [unknown, acting_for("bob"), acting_for("eve"), acting_for("max"), acting_for("zoe")]

acting_for(person) := object.union(known, {"on_behalf_of": person})

people := {
	"ann": {"until": 1001},
	"bob": {"until": 1000},
	"eve": {"until": "2099-01-01T00:00:00Z"},
	"max": {"because": "no time"},
}

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
		with data.people as people
}


test_answers_are_for_those_who_are_known if {
	every kind in {"result", "tool_error", "error", "list", "notification", "text"} {
		shown(known, "search_contacts", {"kind": kind}).verdict == "allow"
		shown(unknown, "search_contacts", {"kind": kind}).verdict == "deny"
	}
}

test_what_comes_too_late_is_not_shown if {
	every who in others {
		shown(who, "search_contacts", {"kind": "result"}).verdict == "deny"
	}
}

test_the_server_asks_nothing if {
	every method in {"sampling/createMessage", "elicitation/create", "roots/list"} {
		shown(known, "search_contacts", {"kind": "server_request", "method": method}).verdict == "deny"
	}
	shown(known, "search_contacts", {"kind": "input_required"}).verdict == "deny"
	shown(known, "search_contacts", {"kind": "a kind that nobody knows"}).verdict == "deny"
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
		with data.people as people
}

test_tools_are_shown if {
	visible(known) == {"search_contacts", "get_article", "unheard_of"}
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
