package portcullis.rules.conformance_test

import rego.v1

asked(roles) := {
	"principal": {"id": "suite", "roles": roles},
	"method": "tools/call",
	"subject": {"kind": "tool", "name": "x"},
	"tool": {"name": "x", "effect": "write", "pinned": true},
	"tools": [{"name": "x", "effect": "write", "pinned": false}],
	"answer": {"kind": "server_request", "method": "sampling/createMessage"},
}

test_the_role_may_do_everything if {
	admit := data.portcullis.admit.answer with input as asked(["conformance"])
	admit.verdict == "allow"
	disclose := data.portcullis.disclose.answer with input as asked(["conformance"])
	disclose.verdict == "allow"
	visible := data.portcullis.visible.answer with input as asked(["conformance"])
	visible.tools == {"x"}
}

test_others_may_do_nothing if {
	admit := data.portcullis.admit.answer with input as asked(["support-reader"])
	admit.verdict == "deny"
	disclose := data.portcullis.disclose.answer with input as asked([])
	disclose.verdict == "deny"
	visible := data.portcullis.visible.answer with input as asked([])
	visible.tools == set()
}

test_portcullis_keeps_its_own_connection if {
	own := {"principal": {"id": "portcullis", "kind": "portcullis", "roles": []}, "method": "initialize"}
	admit := data.portcullis.admit.answer with input as own
	admit.verdict == "allow"
}

test_nothing_is_released if {
	approve := data.portcullis.approve.answer with input as asked(["conformance"])
	approve.verdict == "deny"
	approve.reasons[_].rule == "nothing_is_held"
}
