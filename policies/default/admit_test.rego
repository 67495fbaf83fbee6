package portcullis.rules.admit_test

import rego.v1

reads := {
	"search", "fetch",
	"search_conversations", "get_conversation",
	"search_contacts", "get_contact",
	"list_companies", "get_company",
	"list_articles", "search_articles", "get_article",
}

writes := {"create_article", "update_article", "add_internal_note"}

editing := {
	"search_conversations", "get_conversation",
	"list_articles", "search_articles", "get_article",
}

tool_call(roles, tool, effect) := {
	"principal": {"id": "bot", "roles": roles},
	"method": "tools/call",
	"subject": {"kind": "tool", "name": tool},
	"tool": {"name": tool, "effect": effect, "pinned": true},
	"arguments": {},
}

effect(tool) := "read" if {
	tool in reads
} else := "write"

verdict(roles, tool) := answer.verdict if {
	answer := data.portcullis.admit.answer with input as tool_call(roles, tool, effect(tool))
}

verdicts(roles, wanted) := {tool |
	some tool in reads | writes | {"submit_mcp_feedback"}
	verdict(roles, tool) == wanted
}

test_support_reader_reads if {
	verdicts(["support-reader"], "allow") == reads
	verdicts(["support-reader"], "hold") == set()
}

test_note_writer_reads_and_its_notes_wait if {
	verdicts(["note-writer"], "allow") == reads
	verdicts(["note-writer"], "hold") == {"add_internal_note"}
}

test_article_editor_does_not_create if {
	verdicts(["article-editor"], "allow") == editing
	verdicts(["article-editor"], "hold") == {"update_article"}
}

test_knowledge_author_creates_after_release if {
	verdicts(["knowledge-author"], "allow") == editing
	verdicts(["knowledge-author"], "hold") == {"create_article", "update_article"}
}

test_roles_add_up if {
	verdicts(["article-editor", "note-writer"], "allow") == reads
	verdicts(["article-editor", "note-writer"], "hold") == {"update_article", "add_internal_note"}
}

test_no_role_no_tool if {
	verdicts([], "deny") == (reads | writes) | {"submit_mcp_feedback"}
	verdicts(["nobody-has-this"], "deny") == (reads | writes) | {"submit_mcp_feedback"}
}

test_write_by_a_read_name_waits if {
	answer := data.portcullis.admit.answer with input as tool_call(["support-reader"], "search", "write")
	answer.verdict == "hold"
}

test_tool_that_changed_is_denied if {
	call := object.union(
		tool_call(["support-reader"], "search", "read"),
		{"tool": {"name": "search", "effect": "read", "pinned": false}},
	)
	answer := data.portcullis.admit.answer with input as call
	answer.verdict == "deny"
	answer.reasons[_].rule == "tool_not_pinned"
}

test_hold_says_who_releases if {
	note := data.portcullis.admit.answer with input as tool_call(["note-writer"], "add_internal_note", "write")
	note.release == {"groups": ["support-leads"], "people": 1, "expires_seconds": 14400}
	article := data.portcullis.admit.answer with input as tool_call(["article-editor"], "update_article", "write")
	article.release.groups == ["kb-editors"]
	other := data.portcullis.admit.answer with input as tool_call(["support-reader"], "search", "write")
	other.release.groups == []
}

test_denial_names_the_tool if {
	answer := data.portcullis.admit.answer with input as tool_call(["article-editor"], "create_article", "write")
	answer.reasons == [{
		"rule": "tool_outside_roles",
		"text": "no role of this principal uses the tool create_article",
	}]
}

method_call(roles, method, kind) := {
	"principal": {"id": "bot", "roles": roles},
	"method": method,
	"subject": {"kind": kind},
}

method_verdict(roles, method, kind) := answer.verdict if {
	answer := data.portcullis.admit.answer with input as method_call(roles, method, kind)
}

test_harmless_methods_need_a_role if {
	every method in {
		"initialize", "ping", "tools/list", "server/discover", "subscriptions/listen", "logging/setLevel",
		"notifications/cancelled", "notifications/initialized", "notifications/progress",
		"notifications/roots/list_changed", "session/end", "session/listen",
	} {
		method_verdict(["support-reader"], method, "method") == "allow"
		method_verdict([], method, "method") == "deny"
	}
}

test_other_methods_are_denied if {
	every method in {"resources/list", "prompts/list", "completion/complete", "tasks/list", "tools/call", "x"} {
		method_verdict(["support-reader"], method, "method") == "deny"
	}
	method_verdict(["support-reader"], "resources/read", "resource") == "deny"
	method_verdict(["support-reader"], "prompts/get", "prompt") == "deny"
	method_verdict(["support-reader"], "tasks/update", "task") == "deny"
	method_verdict([], "tasks/get", "task") == "deny"
}

test_own_tasks_are_followed if {
	every method in {"tasks/get", "tasks/cancel"} {
		method_verdict(["support-reader"], method, "task") == "allow"
	}
}

test_a_role_may_name_methods if {
	roles := {"r": {"tools": [], "methods": ["resources/read"]}}
	read := method_verdict(["r"], "resources/read", "resource") with data.roles as roles
	read == "allow"
	get := method_verdict(["r"], "prompts/get", "prompt") with data.roles as roles
	get == "deny"
}

test_a_method_never_opens_a_tool if {
	roles := {"r": {"tools": [], "methods": ["tools/call"]}}
	answer := data.portcullis.admit.answer with input as tool_call(["r"], "search", "read")
		with data.roles as roles
	answer.verdict == "deny"
}

test_harmless_methods_are_no_tools_tasks_or_answers if {
	every kind in {"tool", "task", "prompt", "resource", "answer"} {
		method_verdict(["support-reader"], "ping", kind) == "deny"
	}
}

test_tasks_are_followed_by_task_methods_only if {
	method_verdict(["support-reader"], "tasks/get", "method") == "deny"
	method_verdict(["support-reader"], "tasks/cancel", "resource") == "deny"
}

test_a_role_may_answer_questions if {
	roles := {"r": {"tools": [], "questions": ["roots/list"]}}
	answered := method_verdict(["r"], "roots/list", "answer") with data.roles as roles
	answered == "allow"
	other := method_verdict(["r"], "elicitation/create", "answer") with data.roles as roles
	other == "deny"
	asked := method_verdict(["r"], "roots/list", "method") with data.roles as roles
	asked == "deny"
}

own(method, kind) := answer.verdict if {
	answer := data.portcullis.admit.answer with input as {
		"principal": {"id": "portcullis", "kind": "portcullis", "roles": []},
		"method": method,
		"subject": {"kind": kind},
	}
}

test_portcullis_keeps_its_own_connection if {
	every method in {
		"initialize", "notifications/initialized", "server/discover",
		"session/end", "session/listen", "tools/list",
	} {
		own(method, "method") == "allow"
		own(method, "task") == "deny"
		method_verdict([], method, "method") == "deny"
	}
	every method in {"ping", "resources/list", "tools/call"} {
		own(method, "method") == "deny"
	}
}

test_portcullis_looks_at_what_waits_and_at_nothing_else if {
	every tool in {"get_article", "get_conversation", "search_articles"} {
		look(tool, "read") == "allow"
		look(tool, "write") != "allow"
	}
	every tool in {"get_contact", "search_conversations", "list_articles"} {
		look(tool, "read") == "deny"
	}
}

look(tool, effect) := answer.verdict if {
	answer := data.portcullis.admit.answer with input as {
		"principal": {"id": "portcullis", "kind": "portcullis", "roles": []},
		"method": "tools/call",
		"subject": {"kind": "tool", "name": tool},
		"tool": {"name": tool, "effect": effect, "pinned": true},
		"arguments": {},
	}
}

test_portcullis_refuses_questions_and_nobody_else_does if {
	own("roots/list", "answer") == "allow"
	own("roots/list", "method") == "deny"
	own("roots/list", "resource") == "deny"
	method_verdict([], "roots/list", "answer") == "deny"
}

test_a_tool_without_release_of_its_own_waits_for_any if {
	call := tool_call(["support-reader"], "search", "write")
	any := {"groups": ["everybody"], "people": 2, "expires_seconds": 60}
	answer := data.portcullis.admit.answer with input as call with data.releases as {"any": any, "tools": {}}
	answer.release == any
}

test_a_grant_lets_its_tool_through_and_no_other if {
	call := tool_call(["note-writer"], "add_internal_note", "write")
	grant := {"id": "grant_1", "tool": "add_internal_note", "by": "ann", "calls_left": 1}
	granted := data.portcullis.admit.answer with input as object.union(call, {"grants": [grant]})
	granted.verdict == "allow"
	other := object.union(grant, {"tool": "update_article"})
	held := data.portcullis.admit.answer with input as object.union(call, {"grants": [other]})
	held.verdict == "hold"
	outside := tool_call(["support-reader"], "add_internal_note", "write")
	denied := data.portcullis.admit.answer with input as object.union(outside, {"grants": [grant]})
	denied.verdict == "deny"
}

test_neither_effect_is_no_effect if {
	answer := data.portcullis.admit.answer with input as tool_call(["support-reader"], "search", "other")
	answer.verdict == "deny"
}

test_a_method_is_no_way_around_the_effect_of_a_tool if {
	roles := {"r": {"tools": ["search"], "methods": ["tools/call"]}}
	answer := data.portcullis.admit.answer with input as tool_call(["r"], "search", "other")
		with data.roles as roles
	answer.verdict == "deny"
}
