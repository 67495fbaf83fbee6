# METADATA
# title: Answers go to those who may ask, if they show articles alone
package portcullis.rules.disclose

import rego.v1

# METADATA
# title: Answers for those who may ask
allow contains {"rule": "answer_by_role", "text": "this principal has a role here"} if {
	input.answer.kind in {"result", "tool_error", "error", "list", "notification", "text"}
	data.access.known
}

# METADATA
# title: Articles only
oblige contains {
	"rule": "articles_only",
	"text": "this principal works with articles only",
	"drop": {"record": record.ref},
} if {
	some record in input.answer.records
	record.type in {"conversation", "contact", "company", "note", "part"}
}
