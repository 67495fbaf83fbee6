package portcullis.rules.admit_test

import rego.v1

known := {"id": "bot", "kind": "agent", "roles": ["knowledge-author"], "groups": [], "attributes": {}}

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
}

rules(answer) := {reason.rule | some reason in answer.reasons}

duties(answer) := {duty.rule: object.remove(duty, ["rule", "text"]) | some duty in answer.obligations}

all_tools := {
	"search", "fetch", "search_conversations", "get_conversation", "search_contacts", "get_contact",
	"list_companies", "get_company", "list_articles", "search_articles", "get_article",
	"create_article", "update_article", "add_internal_note", "submit_mcp_feedback", "unheard_of",
}

draft := {"target": {"type": "article", "id": "1", "state": "draft"}}

public := {"target": {"type": "article", "id": "1", "state": "published"}}

verdicts(who, wanted) := {tool | some tool in all_tools; asked(who, tool, draft).verdict == wanted}

test_articles_only if {
	verdicts(known, "allow") == {"list_articles", "search_articles", "get_article", "create_article"}
	verdicts(known, "hold") == {"update_article"}
	reader := object.union(known, {"roles": ["knowledge-reader"]})
	verdicts(reader, "allow") == {"list_articles", "search_articles", "get_article"}
	verdicts(reader, "hold") == set()
	verdicts(unknown, "deny") == all_tools
}

test_portcullis_looks_at_articles_alone if {
	verdicts(portcullis, "allow") == {"get_article", "search_articles"}
	rules(asked(portcullis, "get_article", {})) == {"read_by_role"}
}

test_denials_name_their_rule if {
	rules(asked(known, "get_contact", {})) == {"tool_outside_roles"}
	rules(asked(known, "create_article", {})) == {"create_draft"}
	rules(asked(known, "get_article", {})) == {"read_by_role"}
	rules(asked(unknown, "create_article", {})) >= {"tool_outside_roles"}
}

# Also without the rules that deny.
test_no_rule_allows_a_stranger if {
	every tool in {"get_article", "create_article"} {
		said := data.portcullis.rules.admit.allow with input as call(unknown, tool, {})
		said == set()
	}
}

test_a_read_that_writes_is_denied if {
	asked(known, "get_article", {"tool": {"effect": "write"}}).verdict == "deny"
}

test_unreviewed_tools_are_denied if {
	answer := asked(known, "get_article", {"tool": {"pinned": false}})
	answer.verdict == "deny"
	rules(answer) == {"tool_not_pinned"}
}

test_a_new_article_is_a_draft if {
	every arguments in [{}, {"state": "published"}, {"state": "draft"}] {
		answer := asked(known, "create_article", {"arguments": arguments})
		answer.verdict == "allow"
		duties(answer) == {"drafts_only": {"set": {"argument": "state", "value": "draft"}}}
	}
	asked(known, "update_article", draft).obligations == []
	asked(known, "get_article", {}).obligations == []
}

held(target, arguments) := answer if {
	answer := asked(known, "update_article", object.union(target, {"arguments": arguments}))
	answer.verdict == "hold"
}

one := {"groups": ["kb-editors"], "people": 1, "expires_seconds": 14400}

two := {"groups": ["kb-editors"], "people": 2, "expires_seconds": 14400}

test_a_draft_that_stays_one_needs_one_person if {
	every arguments in [{}, {"title": "t"}, {"state": "draft"}] {
		held(draft, arguments).release == one
		rules(held(draft, arguments)) == {"draft_waits"}
	}
}

test_what_customers_see_needs_two_people if {
	every arguments in [{"state": "published"}, {"state": "x"}, {"state": null}] {
		held(draft, arguments).release == two
		rules(held(draft, arguments)) == {"public_waits"}
	}
	every arguments in [{}, {"title": "t"}, {"state": "draft"}, {"state": "published"}] {
		held(public, arguments).release == two
		rules(held(public, arguments)) == {"public_waits"}
	}
}

test_what_cannot_be_looked_at_is_not_changed if {
	every target in [
		{},
		{"target": {}},
		{"target": {"type": "article"}},
		{"target": {"type": "article", "state": "x"}},
		{"target": {"type": "conversation", "state": "draft"}},
		{"target": {"state": "draft"}},
	] {
		answer := asked(known, "update_article", target)
		answer.verdict == "deny"
		rules(answer) == {"target_unknown"}
	}
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
