package portcullis.rules.admit_test

import rego.v1

known := {"id": "bot", "kind": "agent", "roles": ["support-reader"], "groups": [], "attributes": {"team": "701"}}

unknown := {"id": "bot", "kind": "agent", "roles": ["nobody-has-this"], "groups": [], "attributes": {"team": "701"}}

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
		with data.limits.rows as 50
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

contacts := {"search": {"object": "contacts", "filters": []}}

test_reads_by_role_and_no_writes if {
	every role in {"support-reader", "support-lead"} {
		who := object.union(known, {"roles": [role]})
		{tool | some tool in all_tools; asked(who, tool, contacts).verdict == "allow"} == reads
		{tool | some tool in all_tools; asked(who, tool, contacts).verdict == "hold"} == set()
	}
	{tool | some tool in all_tools; asked(unknown, tool, contacts).verdict == "deny"} == all_tools
}

test_denials_name_their_rule if {
	rules(asked(known, "add_internal_note", {})) == {"read_only", "tool_outside_roles"}
	rules(asked(known, "unheard_of", {})) == {"tool_outside_roles"}
	rules(asked(known, "get_article", {})) == {"read_by_role"}
}

test_unreviewed_tools_are_denied if {
	answer := asked(known, "get_article", {"tool": {"pinned": false}})
	answer.verdict == "deny"
	rules(answer) == {"tool_not_pinned"}
}

allowing(who, tool, effect) := said if {
	more := {"tool": {"effect": effect}, "search": {"object": "contacts", "filters": []}}
	said := data.portcullis.rules.admit.allow with input as call(who, tool, more)
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

teamless := [
	object.union(object.remove(known, ["attributes"]), {"attributes": {}}),
	object.remove(known, ["attributes"]),
	object.union(known, {"attributes": {"team": ""}}),
]

test_without_a_team_no_conversation if {
	every who in teamless {
		every tool in {"search_conversations", "get_conversation"} {
			answer := asked(who, tool, {})
			answer.verdict == "deny"
			rules(answer) == {"no_team"}
		}
		every object in {"contacts", "companies", "articles"} {
			asked(who, "search", {"search": {"object": object, "filters": []}}).verdict == "allow"
		}
		rules(asked(who, "search", {"search": {"object": "conversations", "filters": []}})) == {"no_team"}
		# A query that cannot be read.
		rules(asked(who, "search", {})) == {"no_team"}
		asked(who, "get_contact", {}).verdict == "allow"
	}
	asked(known, "search", {}).verdict == "allow"
}

test_conversations_are_searched_in_the_own_team if {
	own := {"filter": {"field": "team_assignee_id", "operator": "eq", "values": ["701"]}}
	page := {"cap": {"argument": "per_page", "most": 50}}
	every tool in {"search", "search_conversations"} {
		answer := asked(known, tool, {"search": {"object": "conversations", "filters": []}})
		duties(answer) == {"own_team": own, "small_pages": page}
	}
	duties(asked(known, "search_contacts", contacts)) == {"small_pages": page}
	duties(asked(known, "get_contact", {})) == {}
}

method_verdict(who, method, kind) := answer.verdict if {
	document := {"principal": who, "method": method, "subject": {"kind": kind}}
	answer := data.portcullis.admit.answer with input as document
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
