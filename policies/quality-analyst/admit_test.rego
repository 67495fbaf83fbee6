package portcullis.rules.admit_test

import rego.v1

known := {"id": "bot", "kind": "agent", "roles": ["quality-analyst"], "groups": [], "attributes": {}}

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
		with data.countable as countable
}

rules(answer) := {reason.rule | some reason in answer.reasons}

duties(answer) := {duty.rule: object.remove(duty, ["rule", "text"]) | some duty in answer.obligations}

all_tools := {
	"search", "fetch", "search_conversations", "get_conversation", "search_contacts", "get_contact",
	"list_companies", "get_company", "list_articles", "search_articles", "get_article",
	"create_article", "update_article", "add_internal_note", "submit_mcp_feedback", "unheard_of",
}

# The installation's own may be others.
countable := {"conversations": ["state", "source_type"], "contacts": ["state"], "companies": []}

searched(tool) := {"search": {"object": object, "filters": []}} if {
	object := {"search_conversations": "conversations", "search_contacts": "contacts", "list_companies": "companies"}[tool]
} else := {"search": {"object": "articles", "filters": []}} if {
	tool in {"list_articles", "search_articles"}
} else := {}

articles := {"list_articles", "search_articles", "get_article"}

counted := {"search_conversations", "search_contacts", "list_companies"}

test_articles_and_counts if {
	{tool | some tool in all_tools; asked(known, tool, searched(tool)).verdict == "allow"} == articles | counted
	{tool | some tool in all_tools; asked(known, tool, searched(tool)).verdict == "hold"} == set()
	{tool | some tool in all_tools; asked(unknown, tool, searched(tool)).verdict == "deny"} == all_tools
	every tool in articles {
		rules(asked(known, tool, searched(tool))) == {"articles_by_role"}
		asked(known, tool, searched(tool)).obligations == []
	}
	every tool in counted {
		rules(asked(known, tool, searched(tool))) == {"counts_by_role"}
		duties(asked(known, tool, searched(tool))) == {"counts_only": {"cap": {"argument": "per_page", "most": 1}}}
	}
}

test_a_search_that_is_not_understood_is_no_count if {
	every more in [{}, {"search": {"object": "articles", "filters": []}}, {"search": {"object": "contacts"}}] {
		asked(known, "search_contacts", more).verdict == "deny"
	}
}

filtered(object, field) := {"search": {"object": object, "filters": [
	{"field": "state", "operator": "eq", "values": ["open"]},
	{"field": field, "operator": "eq", "values": ["x"]},
]}}

test_counts_point_at_nobody if {
	every field in {"state", "source_type"} {
		asked(known, "search_conversations", filtered("conversations", field)).verdict == "allow"
	}
	every field in {"id", "source_author_email", "source_author_name", "admin_assignee_id", "x"} {
		rules(asked(known, "search_conversations", filtered("conversations", field))) == {"points_at_a_person"}
	}
	rules(asked(known, "search_contacts", filtered("contacts", "email"))) == {"points_at_a_person"}
	rules(asked(known, "list_companies", filtered("companies", "tag_id"))) == {"points_at_a_person"}
}

test_counts_have_no_words if {
	rules(asked(known, "search_conversations", words("conversations"))) == {"free_text"}
	asked(known, "search_articles", words("articles")).verdict == "allow"
}

test_denials_name_their_rule if {
	rules(asked(known, "create_article", {})) == {"read_only", "tool_outside_roles"}
	rules(asked(known, "get_conversation", {})) == {"tool_outside_roles"}
	rules(asked(known, "search", {"search": {"object": "contacts", "filters": []}})) == {"tool_outside_roles"}
}

words(object) := {"search": {"object": object, "filters": [], "text": "ann"}}

test_unreviewed_tools_are_denied if {
	answer := asked(known, "get_article", {"tool": {"pinned": false}})
	answer.verdict == "deny"
	rules(answer) == {"tool_not_pinned"}
}

allowing(who, tool, effect) := said if {
	more := {"tool": {"effect": effect}, "search": {"object": "contacts", "filters": []}}
	said := data.portcullis.rules.admit.allow with input as call(who, tool, more)
		with data.countable as countable
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

test_a_count_that_writes_is_denied if {
	more := object.union(searched("search_contacts"), {"tool": {"effect": "write"}})
	rules(asked(known, "search_contacts", more)) == {"read_only"}
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
