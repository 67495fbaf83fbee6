package portcullis.rules.admit_test

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

call(who, tool, more) := object.union(
	{
		"principal": who,
		"method": "tools/call",
		"subject": {"kind": "tool", "name": tool},
		"tool": {"name": tool, "effect": effect(tool), "pinned": true},
		"arguments": {},
		"now": {"unix": 1000},
	},
	more,
)

effect(tool) := "write" if {
	tool in {"create_article", "update_article", "add_internal_note", "submit_mcp_feedback"}
} else := "read"

asked(who, tool, more) := answer if {
	answer := data.portcullis.admit.answer with input as call(who, tool, more)
		with data.people as people
}

rules(answer) := {reason.rule | some reason in answer.reasons}

duties(answer) := {duty.rule: object.remove(duty, ["rule", "text"]) | some duty in answer.obligations}

all_tools := {
	"search", "fetch", "search_conversations", "get_conversation", "search_contacts", "get_contact",
	"list_companies", "get_company", "list_articles", "search_articles", "get_article",
	"create_article", "update_article", "add_internal_note", "submit_mcp_feedback", "unheard_of",
}

reads := {
	"search", "fetch", "search_conversations", "get_conversation", "search_contacts", "get_contact",
	"list_companies", "get_company", "list_articles", "search_articles", "get_article",
}

test_named_people_read_and_nobody_else if {
	{tool | some tool in reads; asked(known, tool, {}).verdict == "allow"} == reads
	{tool | some tool in all_tools - reads; rules(asked(known, tool, {})) == {"read_only"}} == (all_tools - reads) - {"unheard_of"}
	every who in others {
		every tool in reads {
			answer := asked(who, tool, {})
			answer.verdict == "deny"
			rules(answer) == {"not_named"}
		}
		rules(asked(who, "update_article", {})) == {"not_named", "read_only"}
	}
	rules(asked(known, "get_contact", {})) == {"named_person"}
}

test_the_time_is_compared_with_the_injected_one if {
	asked(known, "search", {"now": {"unix": 1000}}).verdict == "allow"
	asked(known, "search", {"now": {"unix": 1001}}).verdict == "deny"
	asked(known, "search", {"now": {"unix": 1002}}).verdict == "deny"
}

test_nobody_is_named_as_it_is_shipped if {
	answer := data.portcullis.admit.answer with input as call(known, "search", {})
		with data.people as {}
	answer.verdict == "deny"
}

test_a_reason_is_demanded if {
	duties(asked(known, "search", {})) == {"say_why": {"reason": {"least": 20}}}
	ping := {"principal": known, "method": "ping", "subject": {"kind": "method"}, "now": {"unix": 1000}}
	answer := data.portcullis.admit.answer with input as ping
		with data.people as people
	answer.verdict == "allow"
	answer.obligations == []
}

test_unreviewed_tools_are_denied if {
	answer := asked(known, "get_article", {"tool": {"pinned": false}})
	answer.verdict == "deny"
	rules(answer) == {"tool_not_pinned"}
}

allowing(who, tool, effect) := said if {
	more := {"tool": {"effect": effect}, "search": {"object": "contacts", "filters": []}}
	said := data.portcullis.rules.admit.allow with input as call(who, tool, more)
		with data.people as people
}

# Also without the rules that deny.
test_no_rule_allows_a_write_or_a_stranger if {
	every tool in {"get_article", "search_contacts"} {
		count(allowing(known, tool, "read")) > 0
		allowing(known, tool, "write") == set()
		allowing(unknown, tool, "read") == set()
	}
}

test_a_read_that_writes_is_denied if {
	answer := asked(known, "get_article", {"tool": {"effect": "write"}})
	answer.verdict == "deny"
	rules(answer) == {"read_only"}
}

method_verdict(who, method, kind) := answer.verdict if {
	document := {"principal": who, "method": method, "subject": {"kind": kind}, "now": {"unix": 1000}}
	answer := data.portcullis.admit.answer with input as document
		with data.people as people
}

test_harmless_methods_are_for_those_who_are_known if {
	every method in {
		"initialize", "ping", "logging/setLevel", "notifications/cancelled", "notifications/initialized",
		"notifications/progress", "notifications/roots/list_changed", "server/discover", "session/end",
		"session/listen", "subscriptions/listen", "tools/list",
	} {
		method_verdict(known, method, "method") == "allow"
		method_verdict(unknown, method, "method") == "deny"
		method_verdict(known, method, "resource") == "deny"
	}
}

test_other_methods_are_denied if {
	every method in {"resources/list", "prompts/list", "completion/complete", "tasks/list", "tools/call", "x"} {
		method_verdict(known, method, "method") == "deny"
	}
	method_verdict(known, "resources/read", "resource") == "deny"
	method_verdict(known, "prompts/get", "prompt") == "deny"
}

test_own_tasks_are_followed if {
	every method in {"tasks/get", "tasks/cancel"} {
		method_verdict(known, method, "task") == "allow"
		method_verdict(unknown, method, "task") == "deny"
		method_verdict(known, method, "method") == "deny"
	}
	method_verdict(known, "tasks/update", "task") == "deny"
}

portcullis := {"id": "portcullis", "kind": "portcullis", "roles": []}

test_portcullis_keeps_its_connection if {
	every method in {
		"initialize", "notifications/initialized", "server/discover", "session/end", "session/listen", "tools/list",
	} {
		method_verdict(portcullis, method, "method") == "allow"
		method_verdict(portcullis, method, "task") == "deny"
	}
	method_verdict(portcullis, "ping", "method") == "deny"
	method_verdict(portcullis, "elicitation/create", "answer") == "allow"
	method_verdict(known, "elicitation/create", "answer") == "deny"
}
