# METADATA
# title: Answers go to those who may ask; questions of the server only where a role says so
package portcullis.rules.disclose

import rego.v1

# METADATA
# title: Answers for those who may ask
allow contains {"rule": "answer_by_role", "text": "this principal has a role here"} if {
	input.answer.kind in {"result", "tool_error", "error", "list", "notification", "text"}
	data.access.known
}

# METADATA
# title: The server's requests by role
allow contains {"rule": "request_by_role", "text": "a role of this principal answers this request"} if {
	input.answer.kind == "server_request"
	input.answer.method in data.access.questions
}

# METADATA
# title: The server's questions by role
allow contains {"rule": "input_by_role", "text": "a role of this principal answers the server's questions"} if {
	input.answer.kind == "input_required"
	"input_required" in data.access.questions
}
