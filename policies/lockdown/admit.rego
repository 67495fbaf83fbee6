# METADATA
# title: Break glass, reads for named people, for a time, with a reason
package portcullis.rules.admit

import rego.v1

# METADATA
# title: Reads for named people
allow contains {"rule": "named_person", "text": "this person is named and reads until the time set"} if {
	input.tool.effect == "read"
	data.access.named
}

# METADATA
# title: Whoever breaks the glass says why
oblige contains {
	"rule": "say_why",
	"text": "while everything is locked, whoever reads says why",
	"reason": {"least": 20},
} if {
	input.tool.name
}

# METADATA
# title: Named people only
# custom:
#   agent_hint: Everything is locked; ask the operators whether the person may be named
deny contains {"rule": "not_named", "text": "everything is locked, and this call is for nobody who may read now"} if {
	input.tool.name
	not data.access.named
}

# METADATA
# title: Only tools whose definition is reviewed
# custom:
#   agent_hint: Use another tool; the operators must review this one first
deny contains {
	"rule": "tool_not_pinned",
	"text": sprintf("the definition of the tool %s is not the pinned one", [input.tool.name]),
} if {
	not input.tool.pinned
}

# METADATA
# title: No writes
# custom:
#   agent_hint: Say what should be changed and leave it to a person
deny contains {"rule": "read_only", "text": "nothing is changed while everything is locked"} if {
	input.tool.effect != "read"
}

# METADATA
# title: Methods that change nothing
allow contains {"rule": "harmless_method", "text": "this method changes nothing at Intercom"} if {
	input.subject.kind == "method"
	input.method in data.access.harmless
	data.access.named
}

# METADATA
# title: Own tasks
# description: "A task was given to this principal alone: its id is sealed for it."
allow contains {"rule": "own_task", "text": "this principal follows a task that it was given"} if {
	input.subject.kind == "task"
	input.method in {"tasks/get", "tasks/cancel"}
	data.access.named
}

# METADATA
# title: Portcullis' own connection
allow contains {"rule": "housekeeping", "text": "Portcullis keeps its own connection to Intercom"} if {
	input.principal.kind == "portcullis"
	input.subject.kind == "method"
	input.method in data.access.housekeeping
}

# METADATA
# title: Portcullis' own refusals
allow contains {"rule": "refused_question", "text": "Portcullis refuses a question of Intercom"} if {
	input.principal.kind == "portcullis"
	input.subject.kind == "answer"
}
