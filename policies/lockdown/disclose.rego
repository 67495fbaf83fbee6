# METADATA
# title: Answers for named people, as long as they may read
package portcullis.rules.disclose

import rego.v1

# METADATA
# title: Answers for those who may ask
allow contains {"rule": "named_person", "text": "this person is named and reads until the time set"} if {
	input.answer.kind in {"result", "tool_error", "error", "list", "notification", "text"}
	data.access.named
}
