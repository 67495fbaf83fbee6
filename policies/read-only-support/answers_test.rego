package portcullis.rules.answers_test

import rego.v1

known := {"id": "bot", "kind": "agent", "roles": ["support-reader"], "groups": [], "attributes": {"team": "701"}}

unknown := {"id": "bot", "kind": "agent", "roles": ["nobody-has-this"], "groups": [], "attributes": {}}

nothing := {"contacts": 0, "companies": 0, "conversations": 0, "articles": 0, "notes": 0, "parts": 0, "rows": 0}

# The installation's own may be others.
limits := {"rows": 50, "contacts_a_day": 200}

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
		with data.limits as limits
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

records := [
	{"ref": "conversation:1", "type": "conversation", "partial": false, "team": "701"},
	{"ref": "conversation:2", "type": "conversation", "partial": false, "team": "702"},
	{"ref": "conversation:3", "type": "conversation", "partial": false, "team": "0"},
	{"ref": "conversation:4", "type": "conversation", "partial": true, "team": "701"},
	{"ref": "conversation:5", "type": "conversation", "partial": false},
	{"ref": "conversation:1/note:1", "type": "note", "partial": false},
	{"ref": "conversation:1/part:1", "type": "part", "partial": false},
	{"ref": "conversation:1/part:2", "type": "part", "partial": true},
	{"ref": "contact:1", "type": "contact", "partial": true},
	{"ref": "article:1", "type": "article", "partial": true},
]

others := {"conversation:2", "conversation:3", "conversation:4", "conversation:5"}

notes := {"conversation:1/note:1", "conversation:1/part:2"}

test_other_teams_and_notes_are_dropped if {
	ruling := shown(known, "search_conversations", {"kind": "result", "records": records})
	ruling.verdict == "allow"
	dropped(ruling) == others | notes
	{duty.rule | some duty in ruling.obligations; not duty.redact} == {"other_team", "internal_notes", "few_rows"}
}

test_the_role_shows_notes if {
	lead := object.union(known, {"roles": ["support-lead"]})
	dropped(shown(lead, "search_conversations", {"kind": "result", "records": records})) == others
	both := object.union(known, {"roles": ["support-reader", "support-lead"]})
	dropped(shown(both, "search_conversations", {"kind": "result", "records": records})) == others
	unsure := shown(known, "search_conversations", {"kind": "result", "records": records})
		with data.roles as {"support-reader": {"title": "t", "tools": []}}
	dropped(unsure) == others | notes
}

test_without_a_team_every_conversation_is_dropped if {
	every attributes in [{}, {"team": ""}] {
		who := object.union(object.remove(known, ["attributes"]), {"attributes": attributes})
		ruling := shown(who, "search_conversations", {"kind": "result", "records": records})
		dropped(ruling) == (others | notes) | {"conversation:1"}
	}
}

test_rows_are_few if {
	rows("result") == {50}
	rows("error") == set()
}

spent(contacts, kind) := ruling if {
	asked := object.union(document(known, "search_contacts", {"kind": kind}), {"trail": {"day": {"contacts": contacts}}})
	ruling := data.portcullis.disclose.answer with input as asked
		with data.limits as limits
}

test_the_budget_of_contacts if {
	every kind in {"result", "tool_error", "text", "notification"} {
		spent(200, kind).verdict == "allow"
		spent(201, kind).verdict == "deny"
		rules(spent(201, kind)) == {"contacts_a_day"}
	}
	every kind in {"list", "error"} {
		spent(201, kind).verdict == "allow"
	}
	# Nothing is known of what was seen.
	blind := object.remove(document(known, "search_contacts", {"kind": "result"}), ["trail"])
	ruling := data.portcullis.disclose.answer with input as blind
	rules(ruling) == {"contacts_a_day"}
}

rows(kind) := {duty.rows.most | some duty in shown(known, "search_contacts", {"kind": kind}).obligations}

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
