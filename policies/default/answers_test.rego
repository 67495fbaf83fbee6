package portcullis.rules.answers_test

import rego.v1

disclosed(roles, answer) := ruling.verdict if {
	document := {"principal": {"id": "bot", "roles": roles}, "method": "tools/call", "answer": answer}
	ruling := data.portcullis.disclose.answer with input as document
}

test_answers_need_a_role if {
	every kind in {"result", "tool_error", "error", "list", "notification", "text"} {
		disclosed(["support-reader"], {"kind": kind, "bytes": 1, "is_error": false}) == "allow"
		disclosed([], {"kind": kind, "bytes": 1, "is_error": false}) == "deny"
		disclosed(["nobody-has-this"], {"kind": kind, "bytes": 1, "is_error": false}) == "deny"
	}
}

test_the_server_asks_nothing if {
	every method in {"sampling/createMessage", "elicitation/create", "roots/list"} {
		disclosed(["support-reader"], {"kind": "server_request", "method": method}) == "deny"
	}
	disclosed(["support-reader"], {"kind": "input_required"}) == "deny"
	disclosed(["support-reader"], {"kind": "a kind that nobody knows"}) == "deny"
}

test_a_role_may_name_questions if {
	roles := {"r": {"tools": [], "questions": ["roots/list", "input_required"]}}
	asked := disclosed(["r"], {"kind": "server_request", "method": "roots/list"}) with data.roles as roles
	asked == "allow"
	other := disclosed(["r"], {"kind": "server_request", "method": "sampling/createMessage"}) with data.roles as roles
	other == "deny"
	input_required := disclosed(["r"], {"kind": "input_required"}) with data.roles as roles
	input_required == "allow"
}

test_a_question_is_known_by_its_kind if {
	roles := {"r": {"tools": [], "questions": ["roots/list", "input_required"]}}
	unknown := disclosed(["r"], {"kind": "a kind that nobody knows", "method": "roots/list"}) with data.roles as roles
	unknown == "deny"
}

visible(roles) := answer.tools if {
	tools := [
		{"name": "search", "effect": "read", "pinned": true},
		{"name": "get_article", "effect": "read", "pinned": true},
		{"name": "update_article", "effect": "write", "pinned": true},
		{"name": "list_articles", "effect": "read", "pinned": false},
	]
	answer := data.portcullis.visible.answer with input as {"principal": {"roles": roles}, "tools": tools}
}

test_tools_are_shown_by_role if {
	visible(["support-reader"]) == {"search", "get_article"}
	visible(["article-editor"]) == {"get_article", "update_article"}
	visible([]) == set()
	visible(["nobody-has-this"]) == set()
}

released(approver, hold) := ruling.verdict if {
	document := {
		"principal": {"id": "bot", "roles": ["article-editor"], "on_behalf_of": "ann"},
		"approver": approver,
		"hold": hold,
	}
	ruling := data.portcullis.approve.answer with input as document
}

test_the_release_groups_release if {
	hold := {"release": {"groups": ["kb-editors"]}, "approvals": []}
	released({"id": "bea", "groups": ["kb-editors"]}, hold) == "allow"
	released({"id": "bea", "groups": ["support-leads"]}, hold) == "deny"
	released({"id": "bea", "groups": []}, hold) == "deny"
}

test_without_groups_everybody_releases if {
	released({"id": "bea", "groups": []}, {"release": {"groups": []}, "approvals": []}) == "allow"
}

test_nobody_releases_their_own_call if {
	hold := {"release": {"groups": ["kb-editors"]}, "approvals": []}
	released({"id": "ann", "groups": ["kb-editors"]}, hold) == "deny"
}


# A misspelt key of `roles.json` would be a right that nobody has.
test_roles_have_known_keys if {
	every role in data.roles {
		object.keys(role) - {"title", "tools", "methods", "questions"} == set()
		is_array(role.tools)
		is_string(role.title)
	}
	object.keys(data.releases) == {"any", "tools"}
	every release in {data.releases.any} | {one | some one in data.releases.tools} {
		{"groups", "people", "expires_seconds"} - object.keys(release) == set()
		object.keys(release) - {
			"groups", "people", "expires_seconds", "distinct_groups", "extend_seconds", "escalate", "actions",
			"step_up_minutes", "grantable", "on_disconnect", "confirm",
		} == set()
	}
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
