# METADATA
# title: Reads by role, writes wait for a person, everything else is denied
package portcullis.rules.admit

import rego.v1

# METADATA
# title: Reads by role
allow contains {"rule": "read_by_role", "text": "a role of this principal reads with this tool"} if {
	input.tool.effect == "read"
	input.tool.name in data.access.tools
}

# METADATA
# title: Writes wait for a person
# custom:
#   agent_hint: Wait for the outcome, or go on with work that does not need this change
hold contains {
	"rule": "write_waits",
	"text": "this tool changes something at Intercom, so a person must release the call",
	"release": data.access.release(input.tool.name),
} if {
	input.tool.effect == "write"
	input.tool.name in data.access.tools
	not granted
}

# METADATA
# title: Writes that a person let through for a while
# description: A grant is made on a hold whose release says `grantable`; what else holds such a call still does.
allow contains {"rule": "granted", "text": "a person lets such calls through for a while"} if {
	input.tool.effect == "write"
	input.tool.name in data.access.tools
	granted
}

granted if {
	some grant in input.grants
	grant.tool == input.tool.name
}

# METADATA
# title: Tools by role
# custom:
#   agent_hint: Use one of the tools in the list of tools, or say that you need another role
deny contains {
	"rule": "tool_outside_roles",
	"text": sprintf("no role of this principal uses the tool %s", [input.tool.name]),
} if {
	not input.tool.name in data.access.tools
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
# title: Methods that change nothing
allow contains {"rule": "harmless_method", "text": "this method changes nothing at Intercom"} if {
	input.subject.kind == "method"
	input.method in data.access.harmless
	data.access.known
}

# METADATA
# title: Methods by role
allow contains {"rule": "method_by_role", "text": "a role of this principal uses this method"} if {
	input.subject.kind != "tool"
	input.method in data.access.methods
}

# METADATA
# title: Own tasks
# description: "A task was given to this principal alone: its id is sealed for it."
allow contains {"rule": "own_task", "text": "this principal follows a task that it was given"} if {
	input.subject.kind == "task"
	input.method in {"tasks/get", "tasks/cancel"}
	data.access.known
}

# METADATA
# title: Answers to the server's questions by role
allow contains {"rule": "answer_by_role", "text": "a role of this principal answers such questions"} if {
	input.subject.kind == "answer"
	input.method in data.access.questions
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
